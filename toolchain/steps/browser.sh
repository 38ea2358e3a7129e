# shellcheck shell=bash
# A browser, for the tests of pages: the one of this machine, else Debian's Chromium.

browser_step() {
	begin_step browser
	local found
	if ! found=$(browser_of_machine); then
		[ "$(id -u)" = 0 ] ||
			fail 'tests of pages need Chromium, and installing it needs root. Run this, then run the set-up again:' \
				'sudo apt-get install -y chromium'
		announce 'installing chromium'
		install_debian_packages chromium
		found=$(browser_of_machine) || fail 'chromium was installed, and is not on PATH: put it there, then run this again.'
	fi
	use_tool chromium "$found"
	end_step "$found"
}

browser_of_machine() { command -v chromium || command -v google-chrome || command -v chromium-browser; }
