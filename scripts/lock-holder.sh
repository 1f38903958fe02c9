#!/bin/bash
# Main process of nim-ha-lock.service: takes the lock on the share, says so, and holds it until no process of the
# services lives. The lock is on an open file, and the file is shared with a keeper process, so that neither one's death
# frees the lock while services still write.

set -u
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"

heartbeat_interval="${NIM_HA_HEARTBEAT:-2}" # seconds
stop_grace=20                               # seconds that services get after systemd has stopped them

stopping=
trap 'stopping=asked' TERM INT
trap 'stopping=lost' USR1

# Unlike sleep, wait ends at once on a signal. The sleep must not outlive this with the share open: it could not be unmounted.
nap() {
  sleep "$1" 7>&- 9>&- &
  wait $! || kill $! 2>/dev/null
}

acquire() {
  local rc told=
  until timeout -s KILL 20 flock -n 9; do
    rc=$?
    [[ -z $stopping && -e $want_master ]] || return 1
    if [[ $told != "$rc" ]]; then
      case "$rc" in
        1) logger -t nim-ha "waiting for the lock on the share" ;;
        137) logger -t nim-ha "no answer to flock on the share; asking again" ;;
        *)
          # The open file is of no use any more. The agent starts this anew.
          logger -t nim-ha "flock on the share ended with $rc"
          return 1
          ;;
      esac
      told="$rc"
    fi
    nap 1
  done
}

# One byte through the locked file: only there does the kernel say that the lock was lost. A dash where the services have failed: the
# other node must not take this one for a holder that serves. Nothing without the wish, when it only asks. Any answer shows that
# the lease was renewed, and the agent acts on the time of the last one.
heartbeat() {
  local main="$1" error now nothing byte
  trap - INT USR1
  trap exit TERM        # after the write that may be under way
  exec {nothing}<> <(:) # nobody ever writes there: reading from it with a limit is a sleep without a process
  while ! read -rt "$heartbeat_interval" -u "$nothing" && kill -0 "$main" 2>/dev/null; do
    read_uptime
    if [[ -e $want_master ]]; then
      byte=+
      [[ ! -e $failed_file ]] || byte=-
      LC_ALL=C dd status=none conv=notrunc,fsync count=1 bs=1 2>"$run_dir/heartbeat" >&9 <<<"$byte"
    else
      LC_ALL=C dd status=none iflag=direct count=1 if="$share_lock" of=/dev/null 2>"$run_dir/heartbeat"
    fi || {
      error="$(<"$run_dir/heartbeat")"
      case "$error" in
        *"Input/output error"* | *"Stale file handle"* | *"Bad file descriptor"* | *"Permission denied"* | *"Operation not permitted"*)
          logger -t nim-ha "heartbeat: $error"
          kill -USR1 "$main"
          return
          ;;
      esac
    }
    printf '%s\n' "$now" >"$beat_file"
  done
}

# Reads "released" from main, or end of file when main died. Holds the lock until then, and until the slice is empty.
keeper() {
  trap '' TERM INT USR1
  local word=
  read -r word
  [[ $word == released ]] && return
  logger -t nim-ha "the lock holder died; killing the services before the lock can go"
  systemctl --no-block stop nim-ha.target
  leave_nothing
  rm -f "$lock_held"
  release
}

# Returns when nobody lives who could write, and nothing that they wrote is still on its way: a process that is killed leaves
# that to the kernel. Until then `lock-held` stays, and with it the agent's watch over the lease.
leave_nothing() {
  until empty_slice 10; do
    logger -t nim-ha "a process of the services cannot be killed; the lock stays held"
  done
  until timeout -s KILL 20 sync -f "$clickhouse_mount" "$nms_mount"; do
    logger -t nim-ha "the share does not take what was written last; the lock stays held"
    sleep 1
  done
}

# Frees the lock for good, even if a heartbeat still hangs in the kernel with the file open.
release() {
  timeout -s KILL 10 flock -u 9
  logger -t nim-ha "let go of the lock on the share"
}

drain() {
  local tries=$((5 * stop_grace))
  if [[ $stopping == asked ]]; then
    while slice_populated && ((tries-- > 0)); do sleep 0.2; done
  fi
  # A lock that is lost may be another's by now: what is pending must not be hurried there.
  if [[ $stopping == lost ]]; then
    until empty_slice 10; do logger -t nim-ha "a process of the services cannot be killed"; done
  else
    leave_nothing
  fi
}

# Without the keeper's pipe, or the keeper would never read its end.
start_heartbeat() {
  heartbeat $$ 7>&- &
  heartbeat_pid=$!
}

rm -f "$lock_held"
# A lock on what lies below an unmounted mount point keeps nobody out.
if ! is_share_mounted; then
  logger -t nim-ha "the share is not mounted on both mount points: no lock"
  exit 1
fi
mkdir -p "$run_dir" "$share_dir"
exec 9>>"$share_lock" || exit 1
acquire || exit 0

: >"$share_lock"
printf '%s %s\n' "$(uname -n)" "$(cat /proc/sys/kernel/random/boot_id)" >"$share_holder.new"
mv -f "$share_holder.new" "$share_holder"

# Only main has the writing end, so the keeper reads end of file the moment main dies.
exec 7> >(keeper)
keeper_pid=$!
start_heartbeat
uptime_seconds >"$beat_file"
: >"$lock_held"
systemd-notify --ready --status="holds the lock on the share"
logger -t nim-ha "holds the lock on the share"

while [[ -z $stopping ]]; do
  nap 5
  kill -0 "$keeper_pid" 2>/dev/null || stopping="${stopping:-keeper-died}"
  kill -0 "$heartbeat_pid" 2>/dev/null || start_heartbeat
done

[[ $stopping == asked ]] || {
  logger -t nim-ha "lock holder ends: $stopping; killing the services"
  systemctl --no-block stop nim-ha.target
}
drain
rm -f "$lock_held"
kill "$heartbeat_pid" 2>/dev/null
[[ $stopping == keeper-died ]] || echo released >&7
exec 7>&-
release
exec 9>&-
# When this unit is stopped nobody has the share open any more: it may be unmounted next. What hangs in the kernel is not
# waited for.
tries=100
while kill -0 "$keeper_pid" "$heartbeat_pid" 2>/dev/null && ((tries-- > 0)); do sleep 0.1; done
[[ $stopping == asked ]]
