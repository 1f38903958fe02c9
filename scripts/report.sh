# shellcheck shell=bash disable=SC2034,SC2154
# The lines that a step prints, and the list of what it has changed. Needs paths.sh and data.sh.
#
#   nim-ha <node>: <step>: <text>
#   nim-ha <node>: <step>: FAILED [<check id>]: <what>, got <x>, expected <y>; <what to do>
#   nim-ha <node>: <step>: changed so far: <list or nothing>

# The one list of exit codes of a step.
exit_failed=1  # failed; what was changed is in the report, and running the deploy again goes on from there
exit_usage=2   # wrong arguments
exit_refused=3 # refused before this step changed anything
exit_limit=4   # the time limit of the step has passed
exit_busy=5    # another step did not end in time, so this one did not begin

step_dir="$run_dir/step"
job_dir="${NIM_HA_JOB:-$step_dir}"
problems_file="$job_dir/problems"
# Of the whole deploy, not of one step: a person asks what is different from before.
changed_file="$step_dir/changed"

step_name="${NIM_HA_STEP:-${0##*/}}"
node_name="${data[NAME]-}"
[[ -n $node_name ]] || node_name="$(uname -n)"
[[ -d $step_dir ]] || mkdir -p "$step_dir" 2>/dev/null

# Some of the words are those of files of this node: no terminal of an operator acts on them.
say() {
  local text="$*"
  text="${text//[[:cntrl:]]/?}"
  # The same in UTF-8, where the scripts see bytes: U+0080 to U+009F.
  printf 'nim-ha %s: %s: %s\n' "$node_name" "$step_name" "${text//$'\xc2'[$'\x80'-$'\x9f']/?}"
}

changed() {
  printf '%s\n' "$*" >>"$changed_file"
  say "changed: $*"
}

# problem ID WHAT GOT EXPECTED TODO: one line of the report that ends the step. In a file, for children report too; where that cannot
# be written, at once.
unwritten=
problem() {
  local line
  printf -v line 'FAILED [%s]: %s, got %s, expected %s; %s' "$@"
  line="${line//$'\n'/ }"
  { printf '%s\n' "$line" >>"$problems_file"; } 2>/dev/null || {
    unwritten=yes
    say "$line"
  }
}

# Prints the report and ends with $1, if there is any problem.
end_on_problems() {
  local line
  local -a all=()
  [[ -s $problems_file || -n $unwritten ]] || return 0
  [[ ! -s $problems_file ]] || while IFS= read -r line; do
    say "$line"
  done <"$problems_file"
  rm -f "$problems_file"
  [[ ! -e $pending_file ]] || say "keepalived does not start here, over reboots too, until a deploy has come to its end"
  [[ ! -s $changed_file ]] || mapfile -t all <"$changed_file"
  line=
  ((${#all[@]} == 0)) || line="$(printf '%s; ' "${all[@]}")" # one without any is an error to a bash before 4.4
  line="${line%; }"
  say "changed so far: ${line:-nothing}"
  exit "${1:-$exit_failed}"
}

# Both end the shell that they are called in: never in a pipe, nor in $(...), which are shells of their own.
fail() {
  problem "$@"
  end_on_problems "$exit_failed"
}

refuse() {
  problem "$@"
  end_on_problems "$exit_refused"
}
