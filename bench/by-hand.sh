#!/usr/bin/env bash
# What `pulumi up` does, done with plain docker commands as one would by hand: network, TLS, scram, a replication role,
# slots, verified base backups side by side, standbys, and a look at whether they stream. The measure to compare with.
# Usage: by-hand.sh up|down PREFIX STANDBYS IMAGE
set -euo pipefail
action=$1 prefix=$2 standbys=$3 image=$4
network=$prefix-network
data=/var/lib/postgresql/data
pgdata=$data/pgdata

nodes() { seq 1 $((standbys + 1)) | sed "s/^/$prefix-/"; }

down() {
  docker stop --time 60 $(nodes) >/dev/null 2>&1 || true
  docker rm --force --volumes $(nodes) >/dev/null 2>&1 || true
  docker volume rm $(nodes | sed 's/$/-data/') $(nodes | sed 's/$/-configuration/') >/dev/null 2>&1 || true
  docker network rm "$network" >/dev/null 2>&1 || true
}

certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$prefix" \
    -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
  for node in $(nodes); do
    mkdir -p "$work/$node"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$node" \
      -keyout "$work/$node/server.key" -out "$work/$node.csr" 2>/dev/null
    openssl x509 -req -in "$work/$node.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 365 \
      -extfile <(echo "subjectAltName=DNS:$node") -out "$work/$node/server.crt" 2>/dev/null
  done
}

configuration() {
  local node=$1
  cp "$work/ca.crt" "$work/$node/"
  printf '*:*:*:repuser:%s\n' "$password" > "$work/$node/passfile"
  cat > "$work/$node/pg_hba.conf" <<HBA
local all postgres peer
hostssl replication repuser samenet scram-sha-256
hostssl app app samenet scram-sha-256
HBA
  cat > "$work/$node/postgresql.conf" <<CONF
listen_addresses = '*'
hba_file = '/etc/bench/pg_hba.conf'
ssl = on
ssl_ca_file = '/etc/bench/ca.crt'
ssl_cert_file = '/etc/bench/server.crt'
ssl_key_file = '/etc/bench/server.key'
wal_log_hints = on
max_wal_senders = 32
max_replication_slots = 32
primary_conninfo = 'host=$prefix-1 user=repuser passfile=/etc/bench/passfile sslmode=verify-full sslrootcert=/etc/bench/ca.crt application_name=$node'
primary_slot_name = '$(slot "$node")'
CONF
  chmod 600 "$work/$node/server.key" "$work/$node/passfile"
  docker volume create "$node-configuration" >/dev/null
  docker create --name "$node.files" --volume "$node-configuration:/etc/bench" "$image" true >/dev/null
  tar -C "$work/$node" --owner 999 --group 999 -c . | docker cp - "$node.files:/etc/bench"
  docker rm --volumes "$node.files" >/dev/null
}

slot() { echo "${1//-/_}"; }

run() {
  local node=$1
  docker run --detach --name "$node" --network "$network" --restart unless-stopped --stop-signal SIGINT \
    --env PGDATA="$pgdata" --env POSTGRES_PASSWORD_FILE=/etc/bench/passfile \
    --env POSTGRES_INITDB_ARGS="--data-checksums --auth-local=peer --auth-host=scram-sha-256" \
    --volume "$node-data:$data" --volume "$node-configuration:/etc/bench" \
    "$image" -c config_file=/etc/bench/postgresql.conf >/dev/null
}

sql() { docker exec -i -u postgres "$prefix-1" psql -X -q -A -t -v ON_ERROR_STOP=1; }

base_backup() {
  local node=$1
  docker run --rm --network "$network" --volume "$node-data:$data" --volume "$node-configuration:/etc/bench" \
    --user postgres --entrypoint bash "$image" -ec "
      pg_basebackup --dbname 'host=$prefix-1 user=repuser passfile=/etc/bench/passfile sslmode=verify-full sslrootcert=/etc/bench/ca.crt' \
        --pgdata $data/staging --slot $(slot "$node") --wal-method stream --checkpoint fast
      pg_verifybackup --quiet $data/staging
      touch $data/staging/standby.signal
      mv -T $data/staging $pgdata"
  run "$node"
}

up() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  password=$(openssl rand -hex 16)
  docker network create "$network" >/dev/null &
  certificates
  for node in $(nodes); do configuration "$node" & done
  wait
  run "$prefix-1"
  until docker exec "$prefix-1" pg_isready --quiet --host 127.0.0.1; do sleep 0.02; done
  {
    echo "CREATE ROLE repuser LOGIN REPLICATION CONNECTION LIMIT 10 PASSWORD '$password';"
    echo "CREATE ROLE app LOGIN PASSWORD '$password';"
    echo "CREATE DATABASE app OWNER app;"
    for node in $(nodes | tail -n +2); do
      echo "SELECT pg_create_physical_replication_slot('$(slot "$node")', true);"
    done
  } | sql >/dev/null
  for node in $(nodes | tail -n +2); do base_backup "$node" & done
  wait
  until [ "$(echo "SELECT count(*) FROM pg_stat_replication JOIN pg_stat_ssl USING (pid) WHERE state = 'streaming' AND ssl" | sql)" = "$standbys" ]; do
    sleep 0.02
  done
}

"$action"
