# shellcheck shell=bash
# Where Pulumi keeps its state: the user's choice, in each of the ways to make it; else a folder of this clone.

user_chose_backend() {
	[ -n "${PULUMI_BACKEND_URL:-}" ] || [ -n "${PULUMI_ACCESS_TOKEN:-}" ] || project_names_backend || user_is_logged_in
}

project_names_backend() {
	[ -e "$clone/Pulumi.yaml" ] && [[ $'\n'$(<"$clone/Pulumi.yaml") == *$'\nbackend:'* ]]
}

# Newer CLIs keep the file encrypted while there is a login.
user_is_logged_in() {
	local file=${PULUMI_CREDENTIALS_PATH:-${PULUMI_HOME:-$HOME/.pulumi}}/credentials.json content
	[ -e "$file" ] || return 1
	content=$(<"$file")
	[[ $content =~ \"current\":[[:space:]]*\"[^\"]+\" || $content == *\"\$pulumiSecureStore\"* ]]
}

use_local_backend() {
	mkdir -p "$private/state"
	# Attributes of files would be written in two steps: a CLI killed in between leaves a backend that it cannot read.
	export PULUMI_BACKEND_URL="file://$private/state?metadata=skip"
	if [ -z "${PULUMI_CONFIG_PASSPHRASE+set}" ] && [ -z "${PULUMI_CONFIG_PASSPHRASE_FILE:-}" ]; then
		[ -s "$private/passphrase" ] || make_passphrase
		export PULUMI_CONFIG_PASSPHRASE_FILE=$private/passphrase
	fi
}

# A hard link fails where the file exists: of two first runs at once, one passphrase wins.
make_passphrase() {
	local draft=$private/passphrase.$$
	(umask 077 && head -c 24 /dev/urandom | base64 >"$draft")
	ln "$draft" "$private/passphrase" 2>/dev/null || true
	rm "$draft"
}
