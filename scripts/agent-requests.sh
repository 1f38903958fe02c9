# shellcheck shell=bash disable=SC2034,SC2154
# Part of the agent: what it asks systemd for. Every request is made again as long as it is not fulfilled, and waits for nothing. Needs
# paths.sh, services.sh, log.sh, lease.sh, agent-probes.sh.

# Not while the server is away: a mount that was begun then notices late that the server is back. Nor while a step of a deploy
# is at work, which mounts by itself.
mount_again() {
  local unit
  [[ $nfs_answers != no && $mounted == no && $phase != FENCED ]] || return
  ! step_runs || return
  if has_fallen_back; then
    slice_populated || mount_units restart --no-block
    return
  fi
  for unit in "$clickhouse_mount" "$nms_mount"; do
    if ! is_nfs_mounted "$unit" && is_in_fstab "$unit"; then
      systemctl --no-block start "$(mount_unit "${unit#"$root"}")"
    fi
  done
}

is_in_fstab() { # MOUNT_POINT
  local device point type
  while read -r device point type _ || [[ -n $device ]]; do
    [[ $device == "#"* || $point != "$1" || $type != nfs* ]] || return 0
  done <"$fstab"
  return 1
}

# Waiting for another node's lock may take long; not being able to ask for it is this node's own trouble, and the peer may have none.
# A mount that has gone stale (the server's file system was put back from a copy) stays so until it is mounted anew.
count_lock_failures() {
  if ! systemctl --quiet is-failed nim-ha-lock.service; then
    lock_failures=0
    return
  fi
  lock_failures=$((lock_failures + 1)) next_fence=0
  ((lock_failures % remount_after == 0)) && [[ $mounted == yes && $nfs_answers != no ]] || return
  slice_populated || step_runs || mount_anew
}

mount_anew() {
  note "the lock cannot be asked for: mounting the share anew"
  mount_units restart --no-block
}

# With a systemd that does not answer nothing would ever end here, and the other node wait for the lock for ever. An isolation that is under way is another
# phase, or, where it could not write that down, has a process.
isolate() {
  # One that has come to its end meanwhile is not begun anew.
  [[ -e $lock_held || -e $isolating_file ]] || slice_populated || {
    force_asked=0
    return
  }
  if [[ $phase == ISOLATED ]] || is_populated "$isolate_cgroup"; then
    force_asked=0
  elif ((!force_asked)); then
    force_asked="$now"
  elif ((now - force_asked >= unforced_for)); then
    reboot_now "the share could not be let go of: its isolation, asked for $((now - force_asked)) s ago, has not begun"
  fi
  systemctl --no-block start nim-ha-isolate.service
}

# What should be there and is not is asked for again; every request is idle talk to a systemd that is at it already.
reconcile() {
  ((now >= next_retry)) || return
  next_retry=$((now + retry_every))
  # Before anything else that may hang.
  if [[ $phase == ISOLATED ]] || { [[ $phase == DRAINING || ($phase == WAITING && -n $letting_go_why) ]] && ((now - phase_at >= stuck_drain)); }; then
    isolate
    return
  fi
  force_asked=0
  # Without the server there is nobody to ask, and a boot needs its processor to bring up the network.
  [[ $phase != FENCED || $nfs_answers == no ]] || systemctl --no-block start nim-ha-rejoin.service
  watch_keepalived
  watch_wish
  watch_notify
  mount_again
  case "$phase" in
    WAITING) [[ -n $letting_go_why ]] || count_lock_failures ;;&
    # Not over somebody's stop: that service is to fail.
    WAITING | STARTING) [[ $mounted == no || $interrupted == yes || -n $letting_go_why ]] || systemctl --no-block start nim-ha.target "${services[@]/%/.service}" ;;
    DRAINING) systemctl --no-block stop nim-ha.target nim-ha-lock.service ;;
    # A check that is not there, or is no script, counts as a success with keepalived.
    FAILED) [[ $check_works == yes ]] || systemctl --no-block try-restart keepalived.service ;;
  esac
}
