# Clones the upstream into an empty data volume: pg_basebackup into a staging directory, verified, and only then moved
# into place by one rename. What an earlier attempt left in staging is thrown away; a finished clone is left as it is.
# Run as: bash -c TEXT, as root.
set -Eeuo pipefail
data='/var/lib/postgresql/data/pgdata'
staging='/var/lib/postgresql/data/staging'

refuse() {
  echo "refused: $*"
  exit 3
}

if [ -s "$data/PG_VERSION" ]; then
  found=$(cat "$data/PG_VERSION")
  [ "$found" = '17' ] ||
    refuse "the data volume of node-2 holds a cluster of PostgreSQL $found, and the image is PostgreSQL 17. If its data is not needed, take node-2 out of the stack file and write acknowledge: { volumes: [pg-topology-dev-node-2-data] } into it: the next update removes the volume, and with node-2 back another one clones it."
  system=$(LC_ALL=C pg_controldata -D "$data" | sed -n 's/^Database system identifier: *//p')
  [ "$system" = '7710573247014883365' ] ||
    refuse "the data volume of node-2 holds another cluster (system identifier $system, expected 7710573247014883365). If its data is not needed, take node-2 out of the stack file and write acknowledge: { volumes: [pg-topology-dev-node-2-data] } into it: the next update removes the volume, and with node-2 back another one clones it."
  echo 'adopted'
  exit 0
fi

if [ "$(id -u)" = 0 ]; then
  rm -rf "$staging"
  mkdir -p "$(dirname "$data")"
  chown postgres:postgres '/var/lib/postgresql/data' "$(dirname "$data")"
  exec gosu postgres bash -c "$BASH_EXECUTION_STRING"
fi

take_base_backup() {
  pg_basebackup --dbname 'host=node-1 port=5432 user=repuser dbname=postgres application_name=pg-topology-dev-node-2.base-backup options=-cidle_session_timeout=0 passfile=/etc/pg-topology/passfile sslmode=verify-full sslrootcert=/etc/pg-topology/tls/ca.crt ssl_min_protocol_version=TLSv1.2 connect_timeout=2 tcp_user_timeout=2000 keepalives_idle=5 keepalives_interval=2 keepalives_count=3' --pgdata "$staging" --slot 'node_2' --wal-method stream --checkpoint fast --no-password "$@"
}
take_base_backup
echo 'verifying'
pg_verifybackup --quiet "$staging"
touch "$staging/standby.signal"
rm -f '/var/lib/postgresql/data/founding'
rmdir "$data" 2>/dev/null || true
mv -T "$staging" "$data"
sync '/var/lib/postgresql/data'
echo 'cloned'
