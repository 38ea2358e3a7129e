# shellcheck shell=bash

# fetch_go_modules MODULE...: in the background, what builds of toolchain/MODULE will need. Downloads wait for the
# network and builds for the processors, so they go well together.
fetch_go_modules() {
	local module
	for module; do (cd "$clone/toolchain/$module" && go list -deps .) >"$(log_of "$module-modules")" 2>&1 & done
}

# build_go MODULE BINARY PACKAGE [LINKER-FLAG...]: builds a package of toolchain/MODULE, stripped.
build_go() {
	local module=$1 binary=$2 package=$3 log
	shift 3
	log=$(log_of "$module")
	command -v go >/dev/null ||
		fail "it could not be downloaded, and there is no Go to build it with: install Pulumi $pulumi_version or Go 1.26, then run this again."
	(cd "$clone/toolchain/$module" && go build -trimpath -ldflags "-s -w $*" -o "$binary" "$package") >"$log" 2>&1 ||
		fail "it could not be downloaded, and the build from Go modules failed (is there a network?): $(last_line "$log") (all of it: $log)"
}
