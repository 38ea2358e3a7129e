# shellcheck shell=bash
# Node: the user's own if it is new enough, else the binary that npm serves as a package.

node_step() {
	begin_step node
	local version entry=$cache/node-$node_version
	version=$(node --version 2>/dev/null) || version=v0
	if version_at_least "$version" "$node_minimum"; then
		rm -f "$tools/node"
		end_step "$version (yours)"
		return
	fi
	[ -e "$entry" ] || make_entry "$entry" fetch_node
	use_tool node "$entry/bin/node"
	end_step "v$node_version"
}

fetch_node() {
	local folder=$1 log package
	log=$(log_of node)
	command -v npm >/dev/null ||
		fail "Node $node_minimum or newer is needed, and there is no npm to fetch it with: install Node.js 24, then run this again."
	package=node-linux-$(npm_architecture)
	(cd "$folder" && npm install --prefix . --no-save --no-audit --no-fund --ignore-scripts "$package@$node_version") >"$log" 2>&1 ||
		fail "Node $node_minimum or newer is needed, and npm could not fetch it ($(npm_error "$log")): see $log"
	mkdir "$folder/bin" && mv "$folder/node_modules/$package/bin/node" "$folder/bin/node" && rm -r "$folder/node_modules"
}

npm_architecture() {
	case $(uname -m) in
		x86_64) echo x64 ;;
		aarch64) echo arm64 ;;
		*) uname -m ;;
	esac
}
