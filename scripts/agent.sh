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

# Seconds, all of them.
start_deadline="${NIM_HA_START_DEADLINE:-240}"
hold_down="${NIM_HA_HOLD_DOWN:-120}"
retry_every=5
probe_every=5
write_every=3
usurper_after=10 # waiting for a lock whose holder's heartbeat advances
stepped_down_for=60

nfs_answers=unknown next_probe=0 next_retry=0 next_question=0 next_write=0 written=''
starting_since=0 holder_beats_since=0 holder_size='' services=() nfs_server=''
phase=STANDBY since='' reason='' now=0

# A restarted agent goes on from where the last one was; otherwise an ACTIVE node would look like a STARTING one.
recall() {
  local key value
  [[ -r $state_file ]] || return
  while IFS='=' read -r key value; do
    case "$key" in
      phase) phase="$value" ;;
      since) since="$value" ;;
      starting_since) [[ $value =~ ^[0-9]+$ ]] && starting_since="$value" ;;
    esac
  done <"$state_file"
}

# Sets services_are to active, changing or down, and down_service to the first that is down. While all run, their
# control groups tell, and systemd is asked only now and then.
look_at_services() {
  local service
  if [[ $phase == ACTIVE ]] && ((now < next_question)); then
    services_are=active
    for service in "${services[@]}"; do
      is_populated "$slice_cgroup/$service.service" || services_are=unknown
    done
    [[ $services_are == active ]] && return
  fi
  next_question=$((now + retry_every))
  ask_about_services
}

# One call to systemd for all of them. A unit with a job queued is being restarted by somebody: that is not down yet.
ask_about_services() {
  local key value name='' state='' job='' worst=active
  while IFS='=' read -r key value; do
    case "$key" in
      Id) name="$value" ;;
      ActiveState) state="$value" ;;
      Job) job="$value" ;;
      "")
        [[ -n $name ]] && judge_service
        name='' state='' job=''
        ;;
    esac
  done < <(
    timeout 5 systemctl show --property=Id,ActiveState,Job "${services[@]/%/.service}" 2>/dev/null
    echo
  )
  services_are="$worst"
}

judge_service() {
  case "$state" in
    active | reloading) ;;
    activating | deactivating) [[ $worst == active ]] && worst=changing ;;
    *)
      if [[ -n $job && $job != 0 ]]; then
        [[ $worst == active ]] && worst=changing
      else
        worst=down
        [[ -n $down_service ]] || down_service="$name is $state"
      fi
      ;;
  esac
}

# In a child that nobody waits for: one that has not connected by the next probe gets no answer, and is killed.
probe_nfs_server() {
  local answer
  ((now >= next_probe)) || return
  next_probe=$((now + probe_every))
  if kill -KILL "${nfs_probe:-}" 2>/dev/null; then
    nfs_answers=no
  elif [[ -s $run_dir/nfs-answers ]] && read -r answer <"$run_dir/nfs-answers"; then
    nfs_answers="$answer"
  fi
  (
    answer=no
    exec 3<>"/dev/tcp/$nfs_server/2049" && answer=yes
    echo "$answer" >"$run_dir/nfs-answers"
  ) 2>/dev/null &
  nfs_probe=$!
}

# The holder's heartbeat is the size of the lock file. Reading it may hang with the server, so one child at a time does.
watch_holder() {
  local size
  if [[ $phase != WAITING ]]; then
    holder_beats_since=0 holder_size=''
    return
  fi
  if ! kill -0 "${holder_probe:-}" 2>/dev/null; then
    (
      timeout -s KILL 5 wc -c "$share_lock" >"$run_dir/holder-size.new" 2>/dev/null &&
        mv -f "$run_dir/holder-size.new" "$run_dir/holder-size"
    ) &
    holder_probe=$!
  fi
  [[ -r $run_dir/holder-size ]] && read -r size _ <"$run_dir/holder-size" || return
  if [[ -n $holder_size && $size != "$holder_size" ]]; then
    holder_beat_at="$now"
    ((holder_beats_since)) || holder_beats_since="$now"
  elif ((holder_beats_since && now - holder_beat_at > usurper_after)); then
    holder_beats_since=0
  fi
  holder_size="$size"
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
  local wish=no lock=no populated=no maintenance=no mounted=no previous="$phase" from="$phase"
  read_uptime
  if ((!${#services[@]} || now >= next_retry)); then
    mapfile -t services < <(monitored_services)
    nfs_server="$(node_value NFS_SERVER 2>/dev/null)"
  fi
  [[ ! -e $want_master ]] || wish=yes
  [[ ! -e $lock_held ]] || lock=yes
  [[ ! -e $maintenance_file ]] || maintenance=yes
  ! slice_populated || populated=yes
  if is_nfs_mounted "$clickhouse_mount" && is_nfs_mounted "$nms_mount"; then mounted=yes; fi
  [[ -z $nfs_server ]] || probe_nfs_server
  services_are=down down_service=''
  [[ $wish == yes && $lock == yes ]] && look_at_services
  look_at_hold_down
  look_at_fault
  # No peer took over, and the hold-down has passed: start once more.
  if [[ $fault == over ]]; then
    rm -f "$failed_file"
    starting_since="$now"
    fault=none
    [[ $phase == FAILED ]] && from=STARTING
  fi
  [[ $wish == yes && $lock == yes && $services_are != active && $starting_since != 0 ]] || starting_since="$now"

  next_phase "$from" "$wish" "$lock" "$populated" "$services_are" "$fault" "$maintenance" \
    $((now - starting_since)) "$start_deadline"
  reason=''
  if [[ $phase == FAILED ]]; then
    [[ -e $failed_file ]] || fail "${down_service:-services not active after $start_deadline s}"
    reason="$hold_down_reason"
  fi
  [[ $phase == "$previous" && -n $since ]] || changed "$previous"
  watch_holder
  decide_able "$mounted"
}

changed() {
  since="$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  logger -t nim-ha "$1 -> $phase${reason:+: $reason}"
}

decide_able() {
  local mounted="$1"
  able=yes
  case "$phase" in
    ACTIVE | STARTING) return ;;
    FAILED | MAINTENANCE)
      able=no
      return
      ;;
  esac
  if [[ $phase != WAITING && -n $hold_down_reason ]]; then
    able=no reason="hold-down after a failure: $hold_down_reason"
  elif [[ $mounted == no ]]; then
    able=no reason="the share is not mounted on both mount points"
  elif [[ $nfs_answers == no ]]; then
    able=no reason="the NFS server does not answer on port 2049"
  fi
}

# At every change, and often enough to be believed.
write_state() {
  local what="$phase $able $reason"
  [[ $what != "$written" ]] || ((now >= next_write)) || return
  written="$what" next_write=$((now + write_every))
  printf '%s\n' "phase=$phase" "able=$able" "reason=$reason" "since=$since" "updated=$now" \
    "starting_since=$starting_since" >"$state_file.new"
  mv -f "$state_file.new" "$state_file"
}

# What should be there and is not is asked for again; every request is idle talk to a systemd that is at it already.
reconcile() {
  local unit at
  ((now >= next_retry)) || return
  next_retry=$((now + retry_every))
  for unit in "$clickhouse_mount" "$nms_mount"; do
    if ! is_nfs_mounted "$unit" && grep -q " $unit nfs" "$fstab"; then
      systemctl --no-block start "$(mount_unit "${unit#"$root"}")"
    fi
  done
  case "$phase" in
    WAITING | STARTING) systemctl --no-block start nim-ha.target "${services[@]/%/.service}" ;;
    DRAINING) systemctl --no-block stop nim-ha.target nim-ha-lock.service ;;
  esac
  if [[ $phase == WAITING ]] && ((holder_beats_since && now - holder_beats_since >= usurper_after)); then
    logger -t nim-ha "master without the lock, and its holder is alive: stepping down for $stepped_down_for s"
    printf '%s\n' "$now" >"$run_dir/stepped-down"
    systemctl --no-block stop keepalived.service
  fi
  if [[ -r $run_dir/stepped-down ]]; then
    read -r at <"$run_dir/stepped-down"
    if ((now - at >= stepped_down_for)); then
      rm -f "$run_dir/stepped-down"
      systemctl --no-block start keepalived.service
    fi
  fi
}

mkdir -p "$run_dir"
recall
exec {nothing}<> <(:) # nobody ever writes there: reading from it with a limit is a sleep without a process
while :; do
  look
  write_state
  reconcile
  [[ ${1-} == once ]] && break
  read -rt 1 -u "$nothing"
done
