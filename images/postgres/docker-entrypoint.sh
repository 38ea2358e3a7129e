#!/usr/bin/env bash
# Entrypoint of the stand-in image. It keeps the contract of the official postgres image: the same variables,
# function names, order of steps and exit behaviour, so that scripts that source the official one work here too.
set -Eeo pipefail

# file_env VARIABLE [DEFAULT]: takes VARIABLE from the environment, or from the file that VARIABLE_FILE names.
file_env() {
	local variable=$1 file_variable=$1_FILE value=${2:-}
	if [ -n "${!variable:-}" ] && [ -n "${!file_variable:-}" ]; then
		echo "error: both $variable and $file_variable are set (but are exclusive)" >&2
		exit 1
	fi
	if [ -n "${!variable:-}" ]; then
		value=${!variable}
	elif [ -n "${!file_variable:-}" ]; then
		value=$(<"${!file_variable}")
	fi
	export "$variable=$value"
	unset "$file_variable"
}

_is_sourced() {
	[ "${#FUNCNAME[@]}" -ge 2 ] && [ "${FUNCNAME[0]}" = _is_sourced ] && [ "${FUNCNAME[1]}" = source ]
}

# Reads the variables, and whether there is a database already. Comes before all other functions.
docker_setup_env() {
	file_env POSTGRES_PASSWORD
	file_env POSTGRES_USER postgres
	file_env POSTGRES_DB "$POSTGRES_USER"
	file_env POSTGRES_INITDB_ARGS
	POSTGRES_HOST_AUTH_METHOD=${POSTGRES_HOST_AUTH_METHOD:-}

	declare -g DATABASE_ALREADY_EXISTS=${DATABASE_ALREADY_EXISTS:-}
	declare -ag OLD_DATABASES=()
	if [ -s "$PGDATA/PG_VERSION" ]; then
		DATABASE_ALREADY_EXISTS=true
	elif [ "$PGDATA" = "/var/lib/postgresql/$PG_MAJOR/docker" ]; then
		_find_old_databases
	fi
}

# From 18 on each major has a directory of its own: data elsewhere is of an older image.
_find_old_databases() {
	local directory
	for directory in /var/lib/postgresql /var/lib/postgresql/data /var/lib/postgresql/*/docker; do
		[ ! -s "$directory/PG_VERSION" ] || OLD_DATABASES+=("$directory")
	done
	if [ "${#OLD_DATABASES[@]}" -eq 0 ] && [ "$PG_MAJOR" -ge 18 ] && mountpoint -q /var/lib/postgresql/data; then
		OLD_DATABASES+=('/var/lib/postgresql/data (unused mount/volume)')
	fi
}

docker_error_old_databases() {
	[ "${#OLD_DATABASES[@]}" -gt 0 ] || return 0
	cat >&2 <<-EOF
		Error: there appears to be PostgreSQL data of an older image in: ${OLD_DATABASES[*]}
		       From 18 on the data is in $PGDATA: mount a volume at /var/lib/postgresql,
		       and bring older data over with pg_upgrade.
	EOF
	exit 1
}

# Makes the directories; as root also gives them to the postgres user. Modes are best effort, as on some
# mounts they cannot be changed, and PostgreSQL itself complains where it matters.
docker_create_db_directories() {
	local user; user=$(id -u)

	mkdir -p "$PGDATA"
	chmod 00700 "$PGDATA" || :
	mkdir -p /var/run/postgresql || :
	chmod 03775 /var/run/postgresql || :

	local directories=("$PGDATA" /var/run/postgresql)
	if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
		mkdir -p "$POSTGRES_INITDB_WALDIR"
		directories+=("$POSTGRES_INITDB_WALDIR")
	fi
	[ "$user" != 0 ] || find "${directories[@]}" ! -user postgres -exec chown postgres {} +
	[ -z "${POSTGRES_INITDB_WALDIR:-}" ] || chmod 700 "$POSTGRES_INITDB_WALDIR"
}

docker_verify_minimum_env() {
	if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
		cat >&2 <<-'EOF'
			Error: Database is uninitialized and superuser password is not specified.
			       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser
			       (or POSTGRES_PASSWORD_FILE). POSTGRES_HOST_AUTH_METHOD=trust allows all
			       connections without a password, which is not recommended.
		EOF
		exit 1
	fi
	if [ "$POSTGRES_HOST_AUTH_METHOD" = trust ]; then
		echo 'WARNING: POSTGRES_HOST_AUTH_METHOD is "trust": anyone who reaches the port has access without a password.' >&2
	fi
}

# docker_init_database_dir [INITDB-ARGUMENT...]
docker_init_database_dir() {
	_pretend_to_have_a_name
	if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
		set -- --waldir "$POSTGRES_INITDB_WALDIR" "$@"
	fi
	# POSTGRES_INITDB_ARGS is shell text by contract (it may hold quotes), hence eval. initdb refuses an
	# empty password file, hence the line feed.
	eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"' "$@"'
	_stop_pretending
}

# initdb wants a user name for its own uid: with --user and an unknown uid, nss_wrapper supplies one.
_pretend_to_have_a_name() {
	local uid gid wrapper
	uid=$(id -u) gid=$(id -g)
	! getent passwd "$uid" >/dev/null || return 0
	for wrapper in {/usr,}/lib{/*,}/libnss_wrapper.so; do
		[ -s "$wrapper" ] || continue
		NSS_WRAPPER_PASSWD=$(mktemp)
		NSS_WRAPPER_GROUP=$(mktemp)
		export LD_PRELOAD=$wrapper NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
		echo "postgres:x:$uid:$gid:PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
		echo "postgres:x:$gid:" >"$NSS_WRAPPER_GROUP"
		return
	done
}

_stop_pretending() {
	[[ ${LD_PRELOAD:-} == */libnss_wrapper.so ]] || return 0
	rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
	unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

# pg_setup_hba_conf [postgres] [ARGUMENT...]: lets all hosts in by the method asked for, or the server's own.
pg_setup_hba_conf() {
	[ "$1" != postgres ] || shift
	local method; method=$(postgres -C password_encryption "$@")
	: "${POSTGRES_HOST_AUTH_METHOD:=$method}"
	printf '\nhost all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
}

# docker_temp_server_start [postgres] [ARGUMENT...]: a server on the socket only, for the first set-up.
docker_temp_server_start() {
	[ "$1" != postgres ] || shift
	set -- "$@" -c listen_addresses='' -p "${PGPORT:-5432}"
	# A process supervisor must not take this server's readiness for the real one's.
	NOTIFY_SOCKET='' PGUSER=${PGUSER:-$POSTGRES_USER} pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@")" -w start
}

docker_temp_server_stop() {
	PGUSER=${PGUSER:-postgres} pg_ctl -D "$PGDATA" -m fast -w stop
}

# docker_process_sql [PSQL-ARGUMENT...]: SQL from standard input, or from -f FILE.
docker_process_sql() {
	local psql_command=(psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc)
	[ -z "$POSTGRES_DB" ] || psql_command+=(--dbname "$POSTGRES_DB")
	PGHOST='' PGHOSTADDR='' "${psql_command[@]}" "$@"
}

docker_setup_db() {
	local database=$POSTGRES_DB exists
	exists=$(POSTGRES_DB='' docker_process_sql --dbname postgres --set db="$database" --tuples-only \
		<<<"SELECT 1 FROM pg_database WHERE datname = :'db';")
	[ -z "$exists" ] || return 0
	POSTGRES_DB='' docker_process_sql --dbname postgres --set db="$database" <<<'CREATE DATABASE :"db";'
}

# docker_process_init_files FILE...
docker_process_init_files() {
	# Sourced scripts use this array.
	# shellcheck disable=SC2034
	psql=(docker_process_sql)
	local f
	echo
	for f; do
		case $f in
			*.sh) _run_or_source "$f" ;;
			*.sql) echo "$0: running $f"; docker_process_sql -f "$f" ;;
			*.sql.gz) echo "$0: running $f"; gunzip -c "$f" | docker_process_sql ;;
			*.sql.xz) echo "$0: running $f"; xzcat "$f" | docker_process_sql ;;
			*.sql.zst) echo "$0: running $f"; zstd -dc "$f" | docker_process_sql ;;
			*) echo "$0: ignoring $f" ;;
		esac
		echo
	done
}

_run_or_source() {
	if [ -x "$1" ]; then
		echo "$0: running $1"
		"$1"
	else
		echo "$0: sourcing $1"
		# shellcheck disable=SC1090
		. "$1"
	fi
}

# Options with which postgres only prints something and ends.
_pg_want_help() {
	local argument
	for argument; do
		case $argument in
			-'?' | --help | --describe-config | -V | --version) return 0 ;;
		esac
	done
	return 1
}

_initialize() {
	docker_verify_minimum_env
	docker_error_old_databases
	# Unreadable init scripts are found before there is half a database.
	ls /docker-entrypoint-initdb.d/ >/dev/null

	docker_init_database_dir
	pg_setup_hba_conf "$@"

	# initdb may have been asked for password authentication on the socket.
	export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
	docker_temp_server_start "$@"
	docker_setup_db
	docker_process_init_files /docker-entrypoint-initdb.d/*
	docker_temp_server_stop
	unset PGPASSWORD

	printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

_main() {
	if [ "${1:0:1}" = - ]; then
		set -- postgres "$@"
	fi
	if [ "$1" = postgres ] && ! _pg_want_help "$@"; then
		docker_setup_env
		docker_create_db_directories
		if [ "$(id -u)" = 0 ]; then
			exec gosu postgres "${BASH_SOURCE[0]}" "$@"
		fi
		if [ -n "$DATABASE_ALREADY_EXISTS" ]; then
			printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
		else
			_initialize "$@"
		fi
	fi
	exec "$@"
}

if ! _is_sourced; then
	_main "$@"
fi
