# shellcheck shell=bash disable=SC2034,SC2154
# Part of the agent: may this node be, or become, the active one, and what is there to tell a person? Needs paths.sh, services.sh, agent-fencing.sh.
# A reason stands in Terraform's plans, so it stays the same as long as the case does: no seconds that pass, no numbers of processes.

decide_able() {
  able=yes
  case "$phase" in
    ACTIVE)
      # It serves on, but may not hear that another node is to take over.
      if [[ $notify_works == no ]]; then say_notify_broken; elif [[ -e $at_large_file ]]; then say_at_large; fi
      return
      ;;
    STARTING)
      reason="services not active yet: ${down_service:-${changing_service:-no answer from systemd}}"
      return
      ;;
    FAILED | ISOLATED | FENCED | MAINTENANCE)
      able=no
      return
      ;;
    DRAINING)
      if ((now - phase_at >= slow_drain)); then
        able=no
        reason="letting go for more than $slow_drain s, by force after $stuck_drain; waiting for $(what_drains)"
        return
      fi
      ;;
  esac
  if [[ $phase == WAITING && -n $letting_go_why ]]; then
    reason="letting go of the last lock, then another one is asked for: $letting_go_why"
    ((now - phase_at < slow_drain)) || able=no reason+="; for more than $slow_drain s, by force after $stuck_drain; waiting for $(what_drains)"
  elif [[ $phase == WAITING ]] && ((lock_failures >= 3)); then
    able=no reason="the lock on the share cannot be asked for; see: systemctl status nim-ha-lock"
  elif [[ $notify_works == no ]]; then
    able=no
    say_notify_broken
  elif [[ $check_works == no ]]; then
    able=no reason="the check script does not run: $scripts_dir/nms-check-keepalived.sh"
  elif [[ $phase != WAITING && -n $hold_down_reason ]]; then
    able=no reason="hold-down after a failure: $hold_down_reason"
  elif [[ $mounted == no ]] && has_fallen_back; then
    able=no reason="the share is mounted with NFS version 3, whose locks have no lease; mounting it anew"
  elif [[ $mounted == no ]]; then
    able=no reason="the share is not mounted on both mount points"
  elif [[ -n $other_share ]]; then
    able=no reason="another share than the pair's is mounted: $other_share"
  elif [[ $nfs_answers == no ]]; then
    able=no reason="the NFS server does not answer on port 2049"
  elif [[ -e $stepped_down_file ]]; then
    reason="stepped down: another node has the lock and was not heard (VRRP is IP protocol 112 to 224.0.0.18); back when that node is gone, at the latest $away_for s after; at once with: systemctl start keepalived"
  elif [[ $phase == STANDBY && $vrrp == STOP ]]; then
    reason="keepalived does not run"
  elif [[ $phase == STANDBY && $vrrp == FAULT ]]; then
    reason="keepalived keeps out of the election (VRRP state FAULT): the interface is down, or its check has failed"
  elif [[ $phase == WAITING ]] && ((now - share_read_at > lease + unread_for)); then
    able=no reason="the share does not answer this node, though its server does on port 2049"
  elif ((unwanted_since)) && [[ $phase == STANDBY ]]; then
    reason="master without the wish to serve; keepalived is restarted after $unwanted_for s"
  elif [[ $phase == WAITING ]]; then
    reason="waits for the lock on the share: the other node has it, or the NFS server keeps it for a dead one, for up to $lease s"
  elif is_unheard; then
    reason="no fence to be had, so a takeover would wait for the lease: $unheard_why"
  fi
}

say_at_large() {
  local why=''
  read -r why 2>/dev/null <"$at_large_file"
  reason="the other node has not ended in order and is not fenced, so it may write when it wakes up: ${why:-asking the NFS server}"
}

say_notify_broken() {
  reason="the notify script does not run: $scripts_dir/nms-notify-keepalived.sh"
}

what_drains() {
  if slice_populated; then
    printf 'processes that do not end: %s' "$(slice_names)"
  else
    printf 'the share to take what was written last'
  fi
}
