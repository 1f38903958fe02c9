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
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=phase.sh
. "$lib/phase.sh"
# shellcheck source-path=SCRIPTDIR source=agent-services.sh
. "$lib/agent-services.sh"
# shellcheck source-path=SCRIPTDIR source=agent-probes.sh
. "$lib/agent-probes.sh"
# shellcheck source-path=SCRIPTDIR source=agent-usurper.sh
. "$lib/agent-usurper.sh"
# shellcheck source-path=SCRIPTDIR source=metrics.sh
. "$lib/metrics.sh"

# Seconds, all of them.
start_deadline="${NIM_HA_START_DEADLINE:-240}"
hold_down="${NIM_HA_HOLD_DOWN:-120}"
retry_every=5
probe_every=5
write_every=3
stuck_after=30  # without a check of keepalived's
unwanted_for=15 # master, and nobody wants the services here
steady_after=60 # active without a break: only then have the services started

nfs_answers=unknown next_probe=0 next_retry=0 next_question=0 next_write=0 written=''
starting_since=0 steady_since=0 services=() nfs_server='' lease=90 cut_off=no notify_works=no check_works=yes
keepalived_since=0 unwanted_since=0 deaf_since=0 lock_failures=0
phase=STANDBY since='' reason='' now=0 phase_changes=0

# A restarted agent goes on from where the last one was; otherwise an ACTIVE node would look like a STARTING one.
recall() {
  local key value
  [[ -r $state_file ]] || return
  while IFS='=' read -r key value; do
    case "$key" in
      phase) phase="$value" ;;
      since) since="$value" ;;
      starting_since) [[ $value =~ ^[0-9]+$ ]] && starting_since="$value" ;;
      steady_since) [[ $value =~ ^[0-9]+$ ]] && steady_since="$value" ;;
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

look() {
  local wish=no lock populated=no maintenance=no previous="$phase" from
  mounted=no vrrp=STOP
  read_uptime
  [[ ! -r $vrrp_file ]] || read -r vrrp <"$vrrp_file"
  if ((!${#services[@]} || now >= next_retry)); then
    read_services
    nfs_server="$(node_value NFS_SERVER 2>/dev/null)"
    read_lease
  fi
  [[ ! -e $want_master ]] || wish=yes
  look_at_lock
  [[ ! -e $maintenance_file ]] || maintenance=yes
  ! slice_populated || populated=yes
  ! is_share_mounted || mounted=yes
  [[ -z $nfs_server ]] || probe_nfs_server
  services_are=down down_service=''
  [[ $wish == yes && $lock == yes ]] && look_at_services
  from="$phase"
  look_at_heartbeat "$lock"
  look_at_hold_down
  look_at_fault
  # No peer took over, and the hold-down has passed: start once more.
  if [[ $fault == over ]]; then
    rm -f "$failed_file"
    starting_since="$now"
    fault=none
    [[ $phase == FAILED ]] && from=STARTING
  fi
  look_at_start "$wish" "$lock"

  next_phase "$from" "$wish" "$lock" "$populated" "$services_are" "$fault" "$maintenance" \
    $((now - starting_since)) "$start_deadline" "$cut_off"
  reason=''
  if [[ $phase == FAILED ]]; then
    [[ -e $failed_file ]] || fail "${down_service:-services not active after $start_deadline s}"
    reason="$hold_down_reason"
  fi
  [[ $phase != ISOLATED ]] || reason="no answer from the share for half of its lease of $lease s"
  [[ $phase == "$previous" && -n $since ]] || changed "$previous"
  watch_holder
  decide_able
}

changed() {
  phase_changes=$((phase_changes + 1))
  next_retry=0 # what the new phase asks for is asked for now
  lock_failures=0
  since="$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  logger -t nim-ha "$1 -> $phase${reason:+: $reason}"
}

decide_able() {
  able=yes
  case "$phase" in
    ACTIVE | STARTING) return ;;
    FAILED | ISOLATED | MAINTENANCE)
      able=no
      return
      ;;
  esac
  if ((lock_failures >= 3)); then
    able=no reason="the lock on the share cannot be asked for; see: systemctl status nim-ha-lock"
  elif [[ $notify_works == no ]]; then
    able=no reason="the notify script does not run: $scripts_dir/nms-notify-keepalived.sh"
  elif [[ $check_works == no ]]; then
    able=no reason="the check script does not run: $scripts_dir/nms-check-keepalived.sh"
  elif [[ $phase != WAITING && -n $hold_down_reason ]]; then
    able=no reason="hold-down after a failure: $hold_down_reason"
  elif [[ $mounted == no ]]; then
    able=no reason="the share is not mounted on both mount points"
  elif [[ $nfs_answers == no ]]; then
    able=no reason="the NFS server does not answer on port 2049"
  elif [[ -e $stepped_down_file ]]; then
    reason="stepped down: another node has the lock and was not heard (VRRP is IP protocol 112 to 224.0.0.18); back when that node is gone, at the latest $away_for s after; at once with: systemctl start keepalived"
  elif [[ $phase == STANDBY && $vrrp == STOP ]]; then
    reason="keepalived does not run"
  fi
}

# At every change, and often enough to be believed.
write_state() {
  local what="$phase $able $reason"
  [[ $what != "$written" ]] || ((now >= next_write)) || return
  written="$what" next_write=$((now + write_every))
  printf '%s\n' "phase=$phase" "able=$able" "reason=$reason" "since=$since" "updated=$now" \
    "starting_since=$starting_since" "steady_since=$steady_since" "services=${services[*]}" >"$state_file.new"
  mv -f "$state_file.new" "$state_file"
  write_metrics
}

# Not while the server is away: a mount that was begun then notices late that the server is back. Nor while a step of a deploy
# is at work, which mounts by itself.
mount_again() {
  local unit
  [[ $nfs_answers != no && $mounted == no ]] || return
  systemctl --quiet is-active nim-ha-step.service && return
  for unit in "$clickhouse_mount" "$nms_mount"; do
    if ! is_nfs_mounted "$unit" && grep -q " $unit nfs" "$fstab"; then
      systemctl --no-block start "$(mount_unit "${unit#"$root"}")"
    fi
  done
}

# Waiting for another node's lock may take long; not being able to ask for it is this node's own trouble, and the peer may have none.
count_lock_failures() {
  if systemctl --quiet is-failed nim-ha-lock.service; then
    lock_failures=$((lock_failures + 1))
  else
    lock_failures=0
  fi
}

# What should be there and is not is asked for again; every request is idle talk to a systemd that is at it already.
reconcile() {
  ((now >= next_retry)) || return
  next_retry=$((now + retry_every))
  watch_keepalived
  watch_wish
  watch_notify
  [[ $phase == ISOLATED ]] || mount_again
  case "$phase" in
    ISOLATED) systemctl --no-block start nim-ha-isolate.service ;;
    WAITING) count_lock_failures ;;&
    WAITING | STARTING) [[ $mounted == no ]] || systemctl --no-block start nim-ha.target "${services[@]/%/.service}" ;;
    DRAINING) systemctl --no-block stop nim-ha.target nim-ha-lock.service ;;
    # A check that is not there, or is no script, counts as a success with keepalived.
    FAILED) [[ $check_works == yes ]] || systemctl --no-block restart keepalived.service ;;
  esac
}

mkdir -p "$run_dir"
recall
read_uptime
keepalived_since="$now" deaf_since="$now"
recall_holder
exec {nothing}<> <(:) # nobody ever writes there: reading from it with a limit is a sleep without a process
while :; do
  look
  write_state
  reconcile
  step_down_or_return
  [[ ${1-} == once ]] && break
  read -rt "${NIM_HA_TICK:-1}" -u "$nothing"
done
