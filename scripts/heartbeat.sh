# shellcheck shell=bash disable=SC2154
# Part of the lock holder: what it hears of the share, and what becomes of this node when it hears nothing. The locked file is open as 9.
# Needs paths.sh, pause.sh, log.sh, services.sh, lease.sh; heartbeat and watch_lease also keeper_pid.

heartbeat_interval="${NIM_HA_HEARTBEAT:-2}" # seconds
heard_error="$run_dir/confirm"              # what the kernel says; the heartbeat, which asks beside the lock holder, has a file of its own

# One byte through the locked file: only there does the kernel say that the lock was lost. A dash where the services have failed, or are let go
# of: the other node must not take this one for a holder that serves. Also without the wish, for services that stop in order write, too. Where the
# share takes no byte (it is full), it only asks, for any answer shows that the lease was renewed, and the agent acts on the time of the last one.
# With fencing a full share gets a new time for the file instead, for by that the server sees life; it needs no room.
# Returns 2 when the lock is lost, 1 when there is no news. The time is that of the question; it is written in place, which works in a full
# /run, too.
ask_share() {
  local byte=+ now
  read_uptime
  [[ -e $want_master && ! -e $failed_file && ! -e $letting_go ]] && kill -0 $$ 2>/dev/null || byte=-
  if printf '%s' "$byte" | LC_ALL=C dd status=none conv=notrunc,fsync count=1 bs=1 2>"$heard_error" >&9; then
    printf '%s\n' "$now" 1<>"$beat_file"
    return
  fi
  # What could not be written down, in a full /run, may be that the lock is lost.
  [[ -s $heard_error ]] || return 1
  ! is_lost || return 2
  [[ -z ${fence_server-} ]] || timeout -s KILL 20 touch -c "/proc/$BASHPID/fd/9" 2>/dev/null
  if LC_ALL=C dd status=none iflag=direct count=1 if="$share_lock" of=/dev/null 2>"$heard_error"; then
    printf '%s\n' "$now" 1<>"$beat_file"
    return
  fi
  ! is_lost || return 2
  return 1
}

# Whether the lock is on the file that another node would open: somebody may have taken that away, or put another there, as a copy of the share that is
# brought back does, and the server frees no lock for it.
is_locked_file() {
  [[ $share_lock -ef /proc/$BASHPID/fd/9 ]]
}

is_lost() {
  local error
  error="$(<"$heard_error")"
  case "$error" in
    *"Input/output error"* | *"Stale file handle"* | *"Bad file descriptor"* | *"Permission denied"* | *"Operation not permitted"*)
      note "heartbeat: $error"
      ;;
    *) return 1 ;;
  esac
}

# As long as somebody holds the lock: a keeper that still waits for the share to take what was written is not cut off from it.
heartbeat() {
  local other=0
  heard_error="$run_dir/heartbeat"
  trap - INT USR1
  trap exit TERM # after the write that may be under way
  while ! pause "$heartbeat_interval" && kill -0 $$ "$keeper_pid" 2>/dev/null; do
    ask_share
    [[ $? != 2 ]] || {
      kill -USR1 $$ 2>/dev/null
      return
    }
    # Twice, for a look may fail as anything may.
    if is_locked_file; then
      other=0
    elif ((other++)); then
      note "heartbeat: ${share_lock#"$root"} is not the file any more that this node has locked"
      kill -USR1 $$ 2>/dev/null
      return
    fi
  done
}

# An answer that came at once: taking the lock, or the answer itself, may have taken longer than the lease.
confirm_lock() {
  local now asked tries=3
  read_lease
  while ((tries-- > 0)); do
    read_uptime
    asked="$now"
    ask_share || return
    read_uptime
    ((now - asked > lease / 4)) || return 0
  done
  return 1
}

# The agent isolates this node when half of the lease is over. But an agent, a journal or a systemd that hangs, or a script of ours that
# does not run, must not leave this node writing to what may be another's.
watch_lease() {
  local beat now deadline lease
  trap - TERM INT USR1
  read_uptime
  beat="$now"
  read_lease
  while [[ -e $lock_held ]] && kill -0 $$ "$keeper_pid" 2>/dev/null; do
    read_uptime
    read_beat
    # Now and then, for it costs more than the rest; and nothing tells it without the mounts.
    ((now % 5)) || ! is_share_mounted || read_lease
    lease_deadline
    ((now < deadline)) || reboot_now "the share answered $((now - beat)) s ago, its lease is $lease s, and it was not let go of"
    pause 1
  done
}
