#!/bin/bash
# run-step.sh STEP [ARGUMENT]: one step of a deploy on this node, as the unit nim-ha-step.service.
#
# The unit outlives the connection that started it. While one runs, a second call shows its log, waits for it, and then
# runs its own step: every step decides by itself whether anything is left to do. Exit codes: report.sh.

set -u
export LC_ALL=C
umask 022 # sudo keeps the one of the upload
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$here/paths.sh"
# shellcheck source-path=SCRIPTDIR source=pause.sh
. "$here/pause.sh"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$here/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$here/services.sh"
# shellcheck source-path=SCRIPTDIR source=data.sh
. "$here/data.sh"
# shellcheck source-path=SCRIPTDIR source=sudo.sh
. "$here/sudo.sh"

wait_limit="${NIM_HA_WAIT_LIMIT:-30000}" # seconds; more than the longest step may take
poll="${NIM_HA_POLL:-0.5}"

# Uploaded, the scripts lie beside the data of this deploy; installed, the data is where the last deploy left it.
inbox="${here%/*}"
[[ ! -e $inbox/node.data ]] || node_data="$inbox/node.data"
[[ ${1-} != --inside ]] || node_data="$2/node.data"
NIM_HA_STEP="${*:1:2}"
load_data "$node_data"
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$here/report.sh"

usage() {
  printf 'usage: %s preflight | stage | rollout 1|2|3|4 | remove restore|retain\n' "${0##*/}" >&2
  exit "$exit_usage"
}

time_limit() {
  case "$*" in
    preflight) echo 300 ;;
    stage) echo 1500 ;;
    "rollout 2") echo 28800 ;; # carries the data to the share
    rollout\ [134]) echo 1800 ;;
    "remove restore" | "remove retain") echo 1800 ;;
    *) return 1 ;;
  esac
}

# Runs in the unit, from the copy in the job's directory.
inside() {
  local job="$1" rc stopped=
  shift
  exec >>"$job/log" 2>&1 </dev/null
  step_name="$*"
  trap 'stopped=yes' TERM
  NIM_HA_JOB="$job" NIM_HA_STEP="$*" bash "$job/scripts/$1.sh" "${@:2}" &
  wait $!
  rc=$?
  if [[ -n $stopped ]]; then
    wait # systemd has told the step, too
    problem step/time-limit "$*" "stopped before its end, by its time limit or by somebody" "an end within $(time_limit "$@") s" \
      "look at the lines above for what it waited for, then run the deploy again: it goes on from there"
    rc=$exit_limit
    (end_on_problems)
  fi
  rm -f "$job/secret"
  printf '%s\n' "$rc" >"$job/rc.new"
  mv -f "$job/rc.new" "$job/rc"
}

become_root() {
  local said what expected todo
  take_sudo_password "${HOME-}/.nim-ha/secret/sudo" # also where it is root that was given one
  if [[ "$(id -u)" == 0 ]]; then
    exec </dev/null # where sudo did not ask for the password, that is what is left to read
    return
  fi
  said="$(offer_password && "${sudo[@]}" true 2>&1)" || {
    [[ ! -e $inbox/secret ]] || : >"$inbox/secret/auth_pass"
    run_dir="$(mktemp -d)" # /run/nim-ha is not ours to write
    problems_file="$run_dir/problems"
    trap 'rmdir "$run_dir"' EXIT
    command -v sudo >/dev/null || said="no command sudo"
    what="sudo without a password" expected="rc 0 of: sudo -n true" todo="allow it in sudoers (NOPASSWD: ALL), give ssh.sudoPassword"
    [[ -z $sudo_password ]] || what="sudo with ssh.sudoPassword" expected="that it takes it" todo="correct the password"
    refuse node/sudo "$what for $(id -un)" "${said##*$'\n'}" "$expected" "$todo, or let the deploy log in as root"
  }
  offer_password
  exec "${sudo[@]}" bash "$here/run-step.sh" "$@"
}

# A copy that only root can change, made before any waiting: the next deploy may overwrite the upload meanwhile. The secret
# is moved, not copied, so that from here on it lies on no disk but in keepalived.conf.
take_in() {
  # Held as long as this call lives: a removal before it leaves the directory to it.
  mkdir -p "$step_dir" && chmod 0700 "$step_dir" && exec 9>"$step_dir/calls" && flock -s 9 && mkdir -p "$step_dir" && job="$(mktemp -d "$step_dir/job.XXXXXX")" || exit "$exit_failed"
  trap forget_job EXIT
  mkdir "$job/scripts"
  if ! cp -- "$here"/*.sh "$job/scripts/" || ! cp -- "$node_data" "$job/node.data"; then
    refuse step/upload "the uploaded files in $inbox" "incomplete" "scripts and node.data" \
      "run the preflight again, which uploads them: terraform apply -replace of this node's preflight"
  fi
  [[ ! -d $here/units ]] || cp -R -- "$here/units" "$job/scripts/"
  if [[ $1 == stage && -s $inbox/secret/auth_pass ]]; then
    install -m 0600 "$inbox/secret/auth_pass" "$job/secret"
    : >"$inbox/secret/auth_pass" # stays, empty and 0600: the next password is written into it
  fi
  : >"$job/log"
  printf '%s\n' "$*" >"$job/step"
}

# systemd may have started it, however long it took to say so.
# shellcheck disable=SC2317 # by the trap
forget_job() {
  if [[ "$(readlink "$step_dir/current")" != "$job" ]] || ! step_runs; then rm -rf "$job"; fi
}

# Shows the log of the job $1 until it has a result, or its unit is gone without one.
follow() {
  local line over='' part='' looks=0
  exec 7<"$1/log"
  while :; do
    looks=$((looks + 1))
    if [[ -e $1/rc ]] || { ((looks % 8 == 0)) && ! step_runs; }; then over=yes; fi
    while IFS= read -r -u 7 line; do
      printf '%s\n' "$part$line" || exit "$exit_failed"
      part=
    done
    part+="$line" # the end of a line that is still being written
    [[ -z $over ]] || break
    pause "$poll"
  done
  exec 7<&-
  [[ -z $part ]] || printf '%s\n' "$part"
}

wait_for_running_step() {
  local other deadline=$((SECONDS + wait_limit))
  exec 8>"$step_dir/queue"
  flock -n 8 || {
    say "another call waits to start its step; waiting behind it"
    flock -w "$wait_limit" 8 || busy
  }
  while step_runs; do
    other="$(readlink "$step_dir/current")"
    if [[ -e $other/log && ! -e $other/rc ]]; then
      say "waiting for the step '$(cat "$other/step")' that an earlier call started; its log:"
      follow "$other"
    else
      pause "$poll"
    fi
    ((SECONDS < deadline)) || busy
  done
}

busy() {
  problem step/busy "$step_unit" "still running after $wait_limit s" "an end" \
    "see: $step_dir/current/log; end it with: systemctl stop $step_unit"
  end_on_problems "$exit_busy"
}

start_unit() {
  local attempt old
  ln -sfn "$job" "$step_dir/current"
  for old in "$step_dir"/job.*; do
    [[ $old == "$job" || ! -e $old/rc ]] || rm -rf "$old"
  done
  for attempt in 1 2 3; do
    systemctl reset-failed "$step_unit" 2>/dev/null
    timeout 60 systemd-run --quiet --collect --unit="$step_unit" --description="nim-ha: $*" \
      --property=Type=exec --property=RuntimeMaxSec="$(time_limit "$@")" --property=TimeoutStopSec=60 \
      bash "$job/scripts/run-step.sh" --inside "$job" "$@" </dev/null 8>&- 9>&- 2>"$job/systemd-run" && trap - EXIT && return 0
    sleep "$attempt"
  done
  refuse step/systemd-run "systemd-run for $step_unit" "$(head -n 1 "$job/systemd-run")" "a started unit" \
    "see: systemctl status $step_unit"
}

remember_upload() {
  [[ $inbox == */.nim-ha ]] && ! grep -qxsF -- "$inbox" "$uploads_file" || return 0
  printf '%s\n' "$inbox" >>"$uploads_file"
}

# What deploys have uploaded: into the home of the user who calls, and of others.
forget_uploads() {
  local each
  uploads+=("$(getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6)/.nim-ha")
  for each in "${uploads[@]}"; do
    [[ $each != */.nim-ha || ! -e $each/scripts/run-step.sh || $here == "$each"/* ]] || rm -rf "$each"
  done
}

# The directory goes with the last call that is there: another one has its job in it, or has yet to read there how this one has ended.
leave_nothing() {
  exec 8>&-
  # An agent that runs has its own files there.
  systemctl --quiet is-active nim-ha-agent.service || ! flock -w "${NIM_HA_LEAVE_LIMIT:-10}" 9 || rm -rf "$run_dir"
  forget_uploads
}

# Ends this call where there is nothing to remove. Without the records, but with what they are the records of, nobody knows what was here before.
end_without_records() {
  local trace
  [[ $1 == remove && ! -d $var_dir ]] || return 0
  for trace in "$lib_dir/remove.sh" "$units_dir/keepalived.service.d/50-nim-ha.conf"; do
    [[ -e $trace ]] || continue
    [[ $2 == restore ]] || return 0 # retain leaves it, and says so
    refuse remove/records "${var_dir#"$root"}" "nothing, while ${trace#"$root"} is there" "the records of what this node was before the pair" \
      "put the directory back, or take the pair off by hand, as docs/troubleshooting.md says; to keep the node in the pair, deploy with takeOver"
  done
  say "nim-ha is not on this node: nothing to remove"
  [[ $2 != restore || -z ${3-} ]] || leave_nothing
  exit 0
}

if [[ ${1-} == --inside ]]; then
  inside "${@:2}"
  exit
fi
time_limit "$@" >/dev/null || usage
become_root "$@"
if [[ $1 == remove && ! -e $node_data ]]; then
  end_without_records "$@"
  node_data=/dev/null
fi
[[ -e $node_data ]] || {
  refuse step/upload "node.data" "no such file in $inbox" "the data of this node" \
    "run the preflight again, which uploads it: terraform apply -replace of this node's preflight"
}
take_in "$@"
uploads=()
[[ $1 != remove || ! -r $uploads_file ]] || mapfile -t uploads <"$uploads_file"
wait_for_running_step
# The step that it has waited for may have been the same, whose call was cut off.
end_without_records "$@" leave
# A call whose connection has died meanwhile ends at this line and leaves the node to the one after it.
say "begins" || exit "$exit_failed"
start_unit "$@"
exec 8>&-
follow "$job"
read -r rc 2>/dev/null <"$job/rc" || {
  problem step/no-result "$step_unit" "an end without a result" "an exit code" "it was killed; see: journalctl -u $step_unit"
  end_on_problems "$exit_failed"
}
# A step that refuses changes nothing, not even this.
[[ $1 != rollout || $rc != 0 ]] || remember_upload
# What is run next is not to find a step at work.
tries=100
while step_runs && ((tries-- > 0)); do pause 0.05; done
if [[ "$*" == "remove restore" && $rc == 0 ]]; then
  leave_nothing
fi
exit "$rc"
