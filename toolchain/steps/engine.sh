# shellcheck shell=bash
# The Docker engine: the one that answers, else the one that is installed and down, else Debian's.

engine_step() {
	begin_step engine
	local how=
	if ! engine_answers; then
		refuse_what_we_cannot_start
		with_lock engine start_engine
		how=', started'
	fi
	end_step "docker $engine_version$how"
}

engine_answers() {
	engine_version=$(timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null) && [ -n "$engine_version" ]
}

refuse_what_we_cannot_start() {
	if [ -n "${DOCKER_HOST:-}" ]; then
		fail "the Docker engine at DOCKER_HOST=$DOCKER_HOST does not answer: start it, or unset DOCKER_HOST."
	fi
	[ "$(id -u)" != 0 ] || return 0
	if runs dockerd; then
		fail 'a Docker engine runs, but you may not use it: have yourself added to the group docker, log in again, then run this again.' \
			"sudo usermod -aG docker $(id -un)"
	elif command -v dockerd >/dev/null; then
		fail 'the Docker engine is down, and starting it needs root. Run this, then run the set-up again:' \
			'sudo systemctl start docker'
	else
		fail 'there is no Docker engine, and installing one needs root. Run this, log in again, then run the set-up again:' \
			'sudo apt-get install -y docker.io iptables' "sudo usermod -aG docker $(id -un)"
	fi
}

start_engine() {
	! engine_answers || return 0
	if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
		announce 'installing docker.io'
		install_debian_packages docker.io iptables
	fi
	if systemd_runs; then
		systemctl start docker || fail 'systemd could not start Docker: see journalctl -u docker'
	elif ! runs dockerd; then
		start_dockerd
	fi
	wait_for_engine
}

systemd_runs() {
	case $(systemctl is-system-running 2>/dev/null) in
		running | degraded | starting) return 0 ;;
		*) return 1 ;;
	esac
}

# In a session of its own, so that it outlives this one.
start_dockerd() {
	local log
	log=$(log_of dockerd)
	remove_stale_pid_file /var/run/docker.pid dockerd
	remove_stale_pid_file /var/run/docker/containerd/containerd.pid containerd
	{
		close_inherited_files
		exec setsid dockerd
	} >"$log" 2>&1 </dev/null &
	dockerd_process=$!
}

# After a power cut the process of that number may be another program, which an engine would take for its own.
remove_stale_pid_file() {
	local file=$1 program=$2
	[ ! -e "$file" ] || [ "$(cat "/proc/$(<"$file")/comm" 2>/dev/null)" = "$program" ] || rm -f "$file"
}

# Our locks among them: a daemon would hold them for ever.
close_inherited_files() {
	local file
	for file in "/proc/$BASHPID/fd"/*; do
		file=${file##*/}
		[ "$file" -le 2 ] || exec {file}>&-
	done
}

wait_for_engine() {
	local log alive=yes deadline=$((SECONDS + 60))
	log=$(log_of dockerd)
	until engine_answers; do
		if [ "$SECONDS" -ge "$deadline" ] || [ "$alive" = no ]; then
			[ -n "${dockerd_process:-}" ] || fail 'the Docker engine runs, but does not answer: see its log (journalctl -u docker).'
			tail -n 5 "$log" >&2
			fail "the Docker engine did not start; its last words are above (all of them: $log)"
		fi
		sleep 0.1
		# Asked before the engine is asked once more: it may have answered and gone in between.
		[ -z "${dockerd_process:-}" ] || kill -0 "$dockerd_process" 2>/dev/null || alive=no
	done
}

runs() { pidof "$1" >/dev/null; }

# install_debian_packages PACKAGE...: as root. An update that fails for one of the user's sources is no obstacle.
install_debian_packages() { with_lock apt install_debian_packages_alone "$@"; }

install_debian_packages_alone() {
	local log
	log=$(log_of apt)
	command -v apt-get >/dev/null || fail "$* must be installed, and there is no apt-get: install it, then run this again."
	{
		apt-get update || true
		DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
	} >"$log" 2>&1 || fail "apt-get could not install $* (is there a network?): $(last_line "$log") (all of it: $log)"
}
