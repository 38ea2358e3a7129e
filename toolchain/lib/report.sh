# shellcheck shell=bash
# What the user sees: one line a step, and one sentence where a step cannot go on.

begin_step() {
	step=$1
	step_began=${EPOCHREALTIME/./}
}

# end_step RESULT: the step's line, with its duration.
end_step() {
	local elapsed=$((${EPOCHREALTIME/./} - step_began))
	printf '%-12s%-66s%4d.%d s\n' "$step" "$1" $((elapsed / 1000000)) $((elapsed / 100000 % 10))
}

# announce WORK: for work that takes long enough to wonder about.
announce() { printf '%-12s%s ...\n' "$step" "$1"; }

# fail SENTENCE [COMMAND...]: what is missing and what to do; the commands are for the user to run.
fail() {
	{
		printf '%s: %s\n' "$step" "$1"
		shift
		[ $# -eq 0 ] || printf '    %s\n' "$@"
	} >&2
	exit 1
}

# log_of NAME: where the output of long work goes.
log_of() {
	mkdir -p "$cache/log"
	echo "$cache/log/$1.log"
}

last_line() { grep -v '^[[:space:]]*$' "$1" | tail -n 1; }
