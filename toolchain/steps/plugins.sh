# shellcheck shell=bash
# The provider plugins: in the user's PULUMI_HOME if they are there or can be downloaded.
# Where one has to be built, all go into a PULUMI_HOME of our own, so that no stand-in ends up among the user's.

plugins_step() {
	begin_step plugins
	local what="docker $docker_plugin_version, command $command_plugin_version"
	provide_plugin docker "$docker_plugin_version"
	provide_plugin command "$command_plugin_version"
	if has_own_plugin docker "$docker_plugin_version" && has_own_plugin command "$command_plugin_version"; then
		rm -f "$private/pulumi-home"
		end_step "$what"
	else
		use_home_of_our_own
		end_step "$what (built from Go modules)"
	fi
}

provide_plugin() {
	local name=$1 version=$2 entry
	! has_own_plugin "$name" "$version" || return 0
	entry=$(built_plugin "$name")
	[ ! -e "$entry" ] || return 0
	if download_server_answers && download_plugin "$name" "$version" && has_own_plugin "$name" "$version"; then return; fi
	announce "building $name $version from Go modules, which takes some minutes"
	make_entry "$entry" build_plugin "$name" "$version"
}

own_plugin() { echo "${PULUMI_HOME:-$HOME/.pulumi}/plugins/resource-$1-v$2"; }

# Pulumi marks a plugin whose installation did not end as partial.
has_own_plugin() { [ -e "$(own_plugin "$@")" ] && [ ! -e "$(own_plugin "$@").partial" ]; }

built_plugin() { echo "$cache/plugin-$1-$(key_of "toolchain/plugin-$1")"; }

download_plugin() {
	"$tools/pulumi" plugin install resource "$1" "$2" >"$(log_of "plugin-$1-download")" 2>&1
}

build_plugin() {
	local name=$1 version=$2 folder=$3
	build_go "plugin-$name" "$folder/resource-$name-v$version/pulumi-resource-$name" .
}

use_home_of_our_own() {
	local cli docker command home
	cli=$(dirname "$(readlink -f "$tools/pulumi")")
	docker=$(plugin_folder docker "$docker_plugin_version")
	command=$(plugin_folder command "$command_plugin_version")
	home=$cache/pulumi-home-$(sha256sum <<<"$cli $docker $command" | cut -c 1-16)
	[ -e "$home" ] || make_entry "$home" make_home "$cli" "$docker" "$command"
	link "$home" "$private/pulumi-home"
}

plugin_folder() {
	if has_own_plugin "$@"; then
		own_plugin "$@"
	else
		echo "$(built_plugin "$1")/resource-$1-v$2"
	fi
}

# The npm package `pulumi` looks for the CLI in the PULUMI_HOME as well, hence versions/. Where logs/ is a file, the CLI
# keeps no log of every call with all properties, which takes a tenth of the time of a preview.
make_home() {
	local cli=$1 docker=$2 command=$3 home=$4
	mkdir -p "$home/plugins" "$home/versions/$pulumi_version" &&
		copy "$docker" "$command" "$home/plugins" &&
		copy "$cli" "$home/versions/$pulumi_version/bin" &&
		: >"$home/logs"
}

# Hard links where the file system allows them: the binaries are large.
copy() { cp -a --link "$@" 2>/dev/null || cp -a "$@"; }
