# shellcheck shell=bash
# A cache by content outside the clone: an entry is there in whole or not at all.

cache=${PG_TOPOLOGY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pg-topology}

# key_of FILE-OR-FOLDER...: changes with any file's path or content, and with the processor.
key_of() {
	(cd "$clone" && { uname -m; find "$@" -type f -print0 | sort -z | xargs -0 sha256sum; }) | sha256sum | cut -c 1-16
}

# with_lock NAME COMMAND...: one set-up of this user at a time. A lock ends with its process at the latest.
with_lock() {
	local file=$cache/lock/$1 lock
	shift
	mkdir -p "$cache/lock"
	exec {lock}>"$file"
	flock "$lock"
	"$@"
	exec {lock}>&-
}

# make_entry ENTRY COMMAND...: runs COMMAND with an empty folder as its last argument, and makes that the entry.
# What a killed run left behind is removed by the next one.
make_entry() { with_lock "$(basename "$1")" make_entry_alone "$@"; }

make_entry_alone() {
	local entry=$1 part=$1.part
	shift
	[ ! -e "$entry" ] || return 0
	rm -rf "$part"
	mkdir -p "$part"
	("$@" "$part") || { rm -rf "$part"; exit 1; }
	mv -T "$part" "$entry"
}
