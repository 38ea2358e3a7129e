# Founds the database cluster: the image's own initialisation, in a staging directory that is moved into place when it
# is complete. What an earlier attempt left in staging is thrown away; a finished cluster is left as it is.
# Run as: bash -c TEXT, as root.
set -Eeo pipefail
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
  found=$(cat "$data/PG_VERSION")
  [ "$found" = '17' ] ||
    refuse "the data volume of node-1 holds a cluster of PostgreSQL $found, and the image is PostgreSQL 17. Use an image of major $found, or move the data to a new topology with pg_dump."
  report
  exit 0
fi
for peer in 'node-2' 'node-3'; do
  [ ! -s "/peers/$peer/pgdata/PG_VERSION" ] ||
    refuse "node-1 has no data but $peer has, so that a cluster founded here would be a second one. Name $peer as the primary in the stack file, or remove the data volumes of the old cluster."
done

if [ "$(id -u)" = 0 ]; then
  rm -rf "$staging"
  mkdir -p "$(dirname "$data")"
  chown postgres:postgres '/var/lib/postgresql/data' "$(dirname "$data")"
  exec gosu postgres bash -c "$BASH_EXECUTION_STRING"
fi

# What docker-ensure-initdb.sh of newer images does: the image's entrypoint is written to be sourced.
# initdb insists on a password; nobody ever learns this one, and it is taken away below.
POSTGRES_PASSWORD=$(head -c 32 /dev/urandom | base64)
export PGDATA=$staging POSTGRES_PASSWORD POSTGRES_USER='postgres' POSTGRES_DB=postgres
export POSTGRES_INITDB_ARGS=''\''--data-checksums'\'' '\''--auth-local=peer'\'' '\''--auth-host=scram-sha-256'\'''
source /usr/local/bin/docker-entrypoint.sh
docker_setup_env
docker_create_db_directories
docker_init_database_dir
pg_setup_hba_conf postgres
docker_temp_server_start postgres
docker_setup_db
docker_process_init_files /docker-entrypoint-initdb.d/*
docker_process_sql --dbname postgres <<< 'ALTER ROLE postgres PASSWORD NULL'
docker_temp_server_stop

touch '/var/lib/postgresql/data/founding'
rmdir "$data" 2>/dev/null || true
mv -T "$staging" "$data"
sync '/var/lib/postgresql/data'
report
