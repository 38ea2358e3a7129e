# Founds the database cluster from a base backup and the WAL of a Barman volume, in a staging directory that is moved
# into place when the cluster has become a primary on a timeline of its own. No Barman runs, and what it has is only
# read. What an earlier attempt left in staging is thrown away; a finished cluster is left as it is.
# Run as: bash -c TEXT bash BACKUP TIMELINE [PARAMETER VALUE], as root; the parameter says where recovery ends.
set -Eeuo pipefail
data='/var/lib/postgresql/data/pgdata'
staging='/var/lib/postgresql/data/staging'

report() {
  echo "system identifier: $(LC_ALL=C pg_controldata -D "$data" | sed -n 's/^Database system identifier: *//p')"
}
refuse() {
  echo "refused: $*"
  exit 3
}

if [ -s "$data/PG_VERSION" ]; then
  report
  exit 0
fi
for peer in 'node-2' 'node-3'; do
  [ ! -s "/peers/$peer/pgdata/PG_VERSION" ] ||
    refuse "node-1 has no data but $peer has, so that a cluster restored here would be a second one. Name $peer as the primary in the stack file, or remove the data volumes of the old cluster."
done

if [ "$(id -u)" = 0 ]; then
  rm -rf "$staging"
  mkdir -p "$(dirname "$data")"
  chown postgres:postgres '/var/lib/postgresql/data' "$(dirname "$data")"
  exec gosu postgres bash -c "$BASH_EXECUTION_STRING" bash "$@"
fi
backup=$1 timeline=$2

# The lock under which Barman removes a backup: while it is read, neither the retention policy nor a person does.
exec {held}>> '/var/lib/barman'/.pg-topology-production-"$backup".lock
flock --wait 60 "$held" || refuse "Barman is at work on $backup. Run the update again when that is done."

cp --archive '/var/lib/barman/pg-topology-production/base'/"$backup"/data "$staging"
chmod 700 "$staging"
echo 'verifying'
pg_verifybackup --quiet --no-parse-wal "$staging" 2> /tmp/verified ||
  refuse "the backup $backup is spoiled: $(sed -n 's/^pg_verifybackup: error: //p' /tmp/verified | head -n 3 | tr '\n' ' ')"

# What was received of a segment that is not full yet may be all that is left of the last moments. A file that is not of
# full size holds nothing.
segment_bytes=$(LC_ALL=C pg_controldata -D "$staging" | sed -n 's/^Bytes per WAL segment: *//p')
export segment_bytes
cat > /tmp/fetch-wal << 'FETCH'
wals='/var/lib/barman/pg-topology-production/wals' streaming='/var/lib/barman/pg-topology-production/streaming'
for found in "$wals/$1" "$wals/${1:0:16}/$1" "$streaming/$1" {"$streaming","$wals/${1:0:16}"}/"$1.partial"; do
  [ -e "$found" ] || continue
  [ "${found#"$streaming"}" = "$found" ] || [ "$(stat -c %s "$found")" = "$segment_bytes" ] || continue
  case $(head -c 3 "$found" | od -An -tx1 | tr -d ' \n') in
    1f8b*) exec gzip -dc "$found" > "$2" ;;
    425a68) exec bzip2 -dc "$found" > "$2" ;;
    *) exec cp "$found" "$2" ;;
  esac
done
exit 1
FETCH

# The backup of a standby would be one again, and its recovery would never end.
rm -f "$staging/standby.signal"

# A configuration of its own: that of the servers is not in the data directory, and what ALTER SYSTEM had set when the
# backup was taken was meant for another topology, with standbys to wait for.
touch "$staging/recovery.signal"
: > "$staging/postgresql.auto.conf"
{
  echo "listen_addresses = ''"
  echo "unix_socket_directories = '/tmp'"
  echo 'hot_standby = off'
  echo "restore_command = 'bash /tmp/fetch-wal %f %p'"
  echo "recovery_target_timeline = $timeline"
  echo 'recovery_target_action = promote'
  [ $# -lt 4 ] || echo "$3 = '$4'"
} > /tmp/recovery.conf
log=/tmp/recovery.log
echo 'recovering'
LC_ALL=C postgres -D "$staging" -c config_file=/tmp/recovery.conf > "$log" 2>&1 &
server=$!
# The eighth line says what the server is at; it is ready when it has become a primary: none reads from a standby here.
until [ "$(sed -n '8s/ *$//p' "$staging/postmaster.pid" 2> /dev/null)" = ready ]; do
  sleep 0.1
  kill -0 "$server" 2> /dev/null && continue
  ! grep -q 'recovery ended before configured recovery target was reached' "$log" ||
    refuse "the target is not in the WAL of the backup server: its last transaction is of $(sed -n 's/^.*last completed transaction was at log time //p' "$log" | tail -n 1)."
  tail -n 12 "$log"
  exit 1
done
kill -INT "$server"
wait "$server"
sed -n 's/^.*last completed transaction was at log time /last transaction: /p' "$log" | tail -n 1

touch '/var/lib/postgresql/data/founding'
rmdir "$data" 2>/dev/null || true
mv -T "$staging" "$data"
sync '/var/lib/postgresql/data'
report
