#!/usr/bin/env bash
# Initializes the database and ends: as docker-ensure-initdb.sh it is content with one that is there already,
# as docker-enforce-initdb.sh it is not.
set -Eeuo pipefail

# shellcheck source=images/postgres/docker-entrypoint.sh
. /usr/local/bin/docker-entrypoint.sh

[ "${1:-}" = postgres ] || set -- postgres "$@"

docker_setup_env
docker_create_db_directories
if [ "$(id -u)" = 0 ]; then
	exec gosu postgres "$0" "$@"
fi
if [ -z "$DATABASE_ALREADY_EXISTS" ]; then
	_initialize "$@"
elif [ "$(basename "$0")" = docker-enforce-initdb.sh ]; then
	echo "$0: error: there is a database in '$PGDATA' already" >&2
	exit 1
else
	echo "$0: note: the database in '$PGDATA' is initialized already" >&2
fi
