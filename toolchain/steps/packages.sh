# shellcheck shell=bash
# node_modules, as package-lock.json has it.

packages_step() {
	begin_step packages
	[ -e "$clone/package-lock.json" ] || return 0
	local stamp=$clone/node_modules/.installed-from hash log
	hash=$(sha256sum <"$clone/package-lock.json")
	if [ "$(cat "$stamp" 2>/dev/null)" != "$hash" ]; then
		# npm would empty the folder that the link leads to: another clone's.
		[ ! -L "$clone/node_modules" ] ||
			fail 'node_modules is a link to packages of another package-lock.json: remove the link, then run this again.'
		log=$(log_of packages)
		command -v npm >/dev/null || fail 'there is no npm to install node_modules with: install npm, then run this again.'
		(cd "$clone" && PATH=$tools:$PATH npm ci --no-audit --no-fund) >"$log" 2>&1 ||
			fail "npm ci failed ($(npm_error "$log")): see $log"
		echo "$hash" >"$stamp"
	fi
	end_step 'node_modules as in package-lock.json'
}

# npm's word for what happened: ENOTFOUND without a network, EUSAGE for a lock file that does not fit.
npm_error() { sed -n 's/^npm error code //p' "$1" | head -n 1; }
