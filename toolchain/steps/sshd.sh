# shellcheck shell=bash
# The server of OpenSSH, for tests of hosts that are reached by ssh. They start one of their own: nothing more is wanted.

sshd_step() {
	begin_step sshd
	if ! command -v sshd >/dev/null; then
		[ "$(id -u)" = 0 ] ||
			fail 'tests of hosts behind ssh need sshd, and installing it needs root. Run this, then run the set-up again:' \
				'sudo apt-get install -y openssh-server'
		announce 'installing openssh-server'
		with_lock sshd install_sshd
		command -v sshd >/dev/null || fail 'openssh-server was installed, and sshd is not on PATH: put /usr/sbin there, then run this again.'
	fi
	end_step "$(command -v sshd)"
}

# Debian starts what it installs: nobody asked for a door to this machine.
install_sshd() {
	if ! systemd_runs; then
		install_debian_packages openssh-server
		return
	fi
	local log
	log=$(log_of sshd)
	systemctl mask --runtime ssh.service ssh.socket >"$log" 2>&1 || fail "systemd could not be told to leave ssh alone: $(last_line "$log")"
	install_debian_packages openssh-server
	systemctl unmask --runtime ssh.service ssh.socket >>"$log" 2>&1 || true
	systemctl disable ssh.service ssh.socket >>"$log" 2>&1 || true
}
