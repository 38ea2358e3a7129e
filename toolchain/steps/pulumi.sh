# shellcheck shell=bash
# The Pulumi CLI with its Node language host: the user's own, the official download, or built from Go modules.

pulumi_step() {
	begin_step pulumi
	local own downloaded built
	downloaded=$cache/pulumi-$pulumi_version-download
	built=$cache/pulumi-$pulumi_version-$(key_of toolchain/pulumi toolchain/language-nodejs)
	if own=$(command -v pulumi) && usable_pulumi "$own"; then
		use_tool pulumi "$own"
		end_step "${own_version#v} (yours)"
	elif [ -e "$downloaded" ]; then
		use_pulumi "$downloaded/bin/pulumi" 'official download'
	elif [ -e "$built" ]; then
		use_pulumi "$built/bin/pulumi" 'built from Go modules'
	elif download_server_answers && (make_entry "$downloaded" download_pulumi); then
		use_pulumi "$downloaded/bin/pulumi" 'official download'
	else
		announce "building $pulumi_version from Go modules, which takes some minutes"
		fetch_go_modules plugin-docker plugin-command
		make_entry "$built" build_pulumi
		use_pulumi "$built/bin/pulumi" 'built from Go modules'
	fi
}

use_pulumi() {
	use_tool pulumi "$1"
	end_step "$pulumi_version ($2)"
}

# Without the Node language host beside it, or on PATH, a CLI cannot run this program.
usable_pulumi() {
	own_version=$(timeout 10 "$1" version 2>/dev/null) || return
	version_at_least "$own_version" "$pulumi_version" || return
	[ -x "$(dirname "$(readlink -f "$1")")/pulumi-language-nodejs" ] || command -v pulumi-language-nodejs >/dev/null
}

# Asked once.
download_server_answers() {
	: "${download_server:=$(
		curl --head --silent --connect-timeout 2 --max-time 5 https://get.pulumi.com/install.sh >/dev/null 2>&1 && echo up || echo down
	)}"
	[ "$download_server" = up ]
}

download_pulumi() {
	local folder=$1 log
	log=$(log_of pulumi-download)
	{
		curl --fail --silent --show-error --location --output "$folder/install.sh" https://get.pulumi.com/install.sh &&
			sh "$folder/install.sh" --no-edit-path --install-root "$folder" --version "$pulumi_version" &&
			[ -x "$folder/bin/pulumi" ]
	} >"$log" 2>&1
}

build_pulumi() {
	local folder=$1
	build_go pulumi "$folder/bin/pulumi" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi \
		-X "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$pulumi_version"
	build_go language-nodejs "$folder/bin/nodejs-host" github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs
	cp -p "$clone/toolchain/language-nodejs/pulumi-language-nodejs" "$folder/bin/"
}
