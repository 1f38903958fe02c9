#!/bin/bash
# nim-ha-agent.service: once a second, looks at what is the case, writes /run/nim-ha/state for the check and the person,
# and asks systemd again for what should be there and is not. It never touches a mount itself: whatever may hang runs in a
# child that nobody waits for. With "once" it does this one time.

set -u
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=pause.sh
. "$lib/pause.sh"
# shellcheck source-path=SCRIPTDIR source=log.sh
. "$lib/log.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=lease.sh
. "$lib/lease.sh"
# shellcheck source-path=SCRIPTDIR source=fencing.sh
. "$lib/fencing.sh"
# shellcheck source-path=SCRIPTDIR source=phase.sh
. "$lib/phase.sh"
# shellcheck source-path=SCRIPTDIR source=agent-services.sh
. "$lib/agent-services.sh"
# shellcheck source-path=SCRIPTDIR source=agent-probes.sh
. "$lib/agent-probes.sh"
# shellcheck source-path=SCRIPTDIR source=agent-fencing.sh
. "$lib/agent-fencing.sh"
# shellcheck source-path=SCRIPTDIR source=agent-usurper.sh
. "$lib/agent-usurper.sh"
# shellcheck source-path=SCRIPTDIR source=agent-able.sh
. "$lib/agent-able.sh"
# shellcheck source-path=SCRIPTDIR source=agent-requests.sh
. "$lib/agent-requests.sh"
# shellcheck source-path=SCRIPTDIR source=metrics.sh
. "$lib/metrics.sh"

# Seconds, all of them.
usual_start_deadline="${NIM_HA_START_DEADLINE:-240}"
longest_start=3600
hold_down="${NIM_HA_HOLD_DOWN:-120}"
retry_every=5
read_every=10 # what a deploy, or somebody, may have changed
probe_every=5
probe_limit=15 # a name needs five before the second nameserver is asked
write_every=3
metrics_every=15
remount_after=5  # tries to ask for the lock
stuck_after=30   # without a check of keepalived's
unwanted_for=15  # master, and nobody wants the services here
steady_after=60  # active without a break: only then have the services started
unread_for=60    # more than the lease: one that waits for a lock has not been able to read the share
max_gap=10       # between two looks; more, and the machine stood still
slow_drain=60    # letting go for so long is told, and no standby to count on
stuck_drain=300  # and then done by force
unforced_for=120 # once that was asked for; more, and there is nobody who would do it

nfs_answers=unknown nfs_probe='' next_probe=0 next_retry=0 next_read=0 next_question=0 next_write=0 next_metrics=0 written=''
starting_since=0 steady_since=0 services=() nfs_server='' virtual_ip='' share='' other_share='' lease=90 beat='' cut_off=no notify_works=no check_works=yes
keepalived_since=0 unwanted_since=0 deaf_since=0 lock_failures=0 looked_at=0 letting_go_why='' force_asked=0
phase=STANDBY interrupted=no since='' phase_at=0 reason='' now=0 phase_changes=0 able=no start_deadline="$usual_start_deadline"

# A restarted agent goes on from where the last one was; otherwise an ACTIVE node would look like a STARTING one.
recall() {
  local key value
  [[ ! -s $start_deadline_file ]] || read -r start_deadline <"$start_deadline_file"
  [[ -r $state_file ]] || return
  while IFS='=' read -r key value; do
    case "$key" in
      phase) phase="$value" ;;
      able) able="$value" ;;
      since) since="$value" ;;
      phase_at) [[ $value =~ ^[0-9]+$ ]] && phase_at="$value" ;;
      starting_since) [[ $value =~ ^[0-9]+$ ]] && starting_since="$value" ;;
      steady_since) [[ $value =~ ^[0-9]+$ ]] && steady_since="$value" ;;
      interrupted) [[ $value == yes ]] && interrupted=yes ;;
      services) read -r -a services <<<"$value" ;;
    esac
  done <"$state_file"
}

# The hold-down counts from the failure by the clock since boot; a reboot ends it. Sets hold_down_reason while it lasts.
look_at_hold_down() {
  local at
  hold_down_reason=''
  [[ -r $hold_down_file ]] || return
  read -r at hold_down_reason <"$hold_down_file"
  ((now - at < hold_down)) && return
  rm -f "$hold_down_file"
  hold_down_reason=''
}

# A node that failed stays so until the peer takes over, or, if none does, until the hold-down has passed.
look_at_fault() {
  if [[ ! -e $failed_file ]]; then
    fault=none
  elif [[ -n $hold_down_reason ]]; then
    fault=hold-down
  else
    fault=over
  fi
}

fail() {
  printf '%s %s\n' "$now" "$1" >"$hold_down_file"
  : >"$failed_file"
  hold_down_reason="$1"
}

fail_now() {
  if [[ -n $down_service ]]; then
    fail "$down_service"
  else
    fail "services not active after $start_deadline s: ${changing_service:-no answer from systemd}"
    allow_longer
  fi
}

# A machine that stood still knows nothing of that time: what it knew before is no older than its last look, and keepalived has not
# missed a check.
look_at_gap() {
  if ((now - looked_at > max_gap)); then
    keepalived_since="$now" next_write=0
    write_state
  fi
  looked_at="$now"
}

look() {
  local wish=no lock populated=no maintenance=no previous="$phase" from
  mounted=no vrrp=STOP
  read_uptime
  look_at_gap
  [[ ! -r $vrrp_file ]] || read -r vrrp <"$vrrp_file"
  if ((!${#services[@]} || now >= next_read)); then
    next_read=$((now + read_every))
    read_services
    nfs_server="$(node_value NFS_SERVER 2>/dev/null)"
    virtual_ip="$(node_value VIRTUAL_IP 2>/dev/null)"
    look_for_other_share
    read_lease
    look_for_fencing
  fi
  [[ ! -e $want_master ]] || wish=yes
  look_at_lock
  look_whether_letting_go
  [[ ! -e $maintenance_file ]] || maintenance=yes
  ! slice_populated || populated=yes
  ! is_share_mounted || mounted=yes
  # A deploy mounts it anew after it has named another one.
  [[ -z $other_share ]] || find_other_share "$share"
  [[ -z $nfs_server ]] || probe_nfs_server
  services_are=down down_service='' changing_service=''
  from="$phase"
  look_at_heartbeat "$lock"
  leave_ending_lock
  [[ $wish == yes && $lock == yes ]] && look_at_services
  [[ -z $down_service ]] || look_whether_killed
  look_at_hold_down
  look_at_fault
  look_at_fence
  look_for_peer
  # No peer took over, and the hold-down has passed: start once more.
  if [[ $fault == over ]]; then
    rm -f "$failed_file"
    starting_since="$now"
    fault=none
    [[ $phase == FAILED ]] && from=STARTING
  fi
  look_at_start "$wish" "$lock"

  # One that was being stopped when this node was last looked at, and is down now, has failed: a start is none of an active node's business.
  [[ $interrupted == no || $services_are != down ]] || from=ACTIVE
  next_phase "$from" "$wish" "$lock" "$populated" "$services_are" "$fault" "$maintenance" \
    $((now - starting_since)) "$start_deadline" "$cut_off" "$fenced"
  if [[ $phase != STARTING ]]; then
    interrupted=no
  elif [[ $from == ACTIVE ]]; then
    interrupted=yes
  fi
  reason=''
  if [[ $phase == FAILED ]]; then
    [[ -e $failed_file ]] || fail_now
    reason="$hold_down_reason"
  fi
  if [[ $phase == ISOLATED ]]; then
    if is_silent; then
      reason="no answer from the share for half of its lease of $lease s"
    else
      reason="letting go of the share by force"
    fi
  fi
  [[ $phase != FENCED ]] || say_why_fenced
  [[ $phase == "$previous" && -n $since ]] || changed "$previous"
  watch_holder
  decide_able
}

changed() {
  phase_changes=$((phase_changes + 1)) force_asked=0
  next_retry=0 next_read=0 next_fence=0 # what the new phase asks for is asked for now
  # Over an election that came to nothing it counts on, or the two nodes could take turns for ever.
  [[ $phase != @(STARTING|ACTIVE) ]] || lock_failures=0
  phase_at="$now"
  since="$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  note "$1 -> $phase${reason:+: $reason}"
}

# At every change, and often enough to be believed.
write_state() {
  local what="$phase $able $reason"
  [[ $what == "$written" ]] || next_write=0 next_metrics=0
  ((now >= next_write)) || return
  written="$what" next_write=$((now + write_every))
  printf '%s\n' "phase=$phase" "able=$able" "reason=$reason" "since=$since" "phase_at=$phase_at" "updated=$now" \
    "starting_since=$starting_since" "steady_since=$steady_since" "interrupted=$interrupted" "services=${services[*]}" >"$state_file.new" &&
    mv -f "$state_file.new" "$state_file"
  ((now >= next_metrics)) || return
  next_metrics=$((now + metrics_every))
  write_metrics
}

mkdir -p "$run_dir"
read_uptime
keepalived_since="$now" deaf_since="$now" phase_at="$now" looked_at="$now" share_read_at="$now"
recall
recall_holder
read_fencing
begin_fencing
# What came before may have taken its time: this machine did not stand still.
read_uptime
looked_at="$now"
while :; do
  look
  write_state
  reconcile
  step_down_or_return
  disown -a # or bash keeps every child that has ended on its list, for nobody asks for them
  [[ ${1-} == once ]] && break
  pause "${NIM_HA_TICK:-1}"
done
