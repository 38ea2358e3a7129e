# shellcheck shell=bash
# What belongs to this clone alone: links to the tools that set-up chose, the local state, its passphrase.

private=$clone/.pulumi-local
tools=$private/bin

# use_tool NAME FILE: `toolchain/run` has $tools first on PATH.
use_tool() { link "$2" "$tools/$1"; }

# link TARGET LINK: replaces a former link in one step, since another command may be running through it.
link() {
	[ "$(readlink "$2")" != "$1" ] || return 0
	mkdir -p "$(dirname "$2")"
	ln -sfn "$1" "$2.$BASHPID"
	mv -fT "$2.$BASHPID" "$2"
}

# The user's PATH, without this clone's own tools and without npm's, which hold a stand-in for `pulumi`.
users_path() {
	local folder result=
	while IFS= read -r -d : folder; do
		case $folder in
			"$tools" | */node_modules/.bin) ;;
			*) result+=:$folder ;;
		esac
	done <<<"$PATH:"
	echo "${result#:}"
}

# version_at_least HAVE WANTED, with or without a leading v.
version_at_least() {
	[ "$(printf '%s\n' "${2#v}" "${1#v}" | sort --version-sort | head -n 1)" = "${2#v}" ]
}
