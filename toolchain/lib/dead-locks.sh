# shellcheck shell=bash
# A CLI that was killed leaves its lock in a file backend, and every later run would be refused.

# remove_dead_locks STATE: removes locks of processes of this host that are gone.
remove_dead_locks() {
	local file
	shopt -s globstar nullglob
	for file in "$1"/.pulumi/locks/**/*.json; do
		! is_dead "$file" || remove_lock "$file"
	done
	shopt -u globstar nullglob
}

# The process id may belong to another program by now.
is_dead() {
	local content pid host
	content=$(<"$1")
	[[ $content =~ \"pid\":[[:space:]]*([0-9]+) ]] && pid=${BASH_REMATCH[1]} || return 1
	[[ $content =~ \"hostname\":[[:space:]]*\"([^\"]*)\" ]] && host=${BASH_REMATCH[1]} || return 1
	[ "$host" = "$HOSTNAME" ] || return 1
	[[ $(cat "/proc/$pid/comm" 2>/dev/null) != pulumi* ]]
}

remove_lock() {
	rm -f "$1"
	echo "toolchain/run: removed a lock that a killed Pulumi left behind (${1##*/})." >&2
}
