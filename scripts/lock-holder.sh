#!/bin/bash
# Main process of nim-ha-lock.service: takes the lock on the share, says so, and holds it until no process of the
# services lives. The lock is on an open file, and the file is shared with a keeper process, so that neither one's death
# frees the lock while services still write. A third process reboots the node when all else has failed to let go of the
# share before the lease ends. Where no process can be started any more, all three go on to the end.

set -u
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
# shellcheck source-path=SCRIPTDIR source=pause.sh
. "$lib/pause.sh"
# shellcheck source-path=SCRIPTDIR source=log.sh
. "$lib/log.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=lease.sh
. "$lib/lease.sh"
# shellcheck source-path=SCRIPTDIR source=heartbeat.sh
. "$lib/heartbeat.sh"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=fencing.sh
. "$lib/fencing.sh"
# shellcheck source-path=SCRIPTDIR source=lock-fencing.sh
. "$lib/lock-fencing.sh"

stop_grace=20 # seconds that services get after systemd has stopped them

stopping=
trap 'stopping="${stopping:-asked}"' TERM INT
trap 'stopping=lost' USR1

# Ends at once on a signal, as only in POSIX mode a read does.
nap() {
  set -o posix
  pause "$1"
  set +o posix
}

acquire() {
  local rc told=
  until timeout -s KILL 20 flock -n 9; do
    rc=$?
    [[ -z $stopping && -e $want_master ]] || return 1
    if [[ $told != "$rc" ]]; then
      case "$rc" in
        1) note "waiting for the lock on the share" ;;
        137) note "no answer to flock on the share; asking again" ;;
        *)
          # The open file is of no use any more. The agent starts this anew.
          note "flock on the share ended with $rc"
          return 1
          ;;
      esac
      told="$rc"
    fi
    ask_for_silent || return 1
    nap 1
  done
}

# A node that has died may have a delegation of the file from the server, which then answers nobody who opens it for writing before that node is fenced or its
# lease has ended: what opens it first is a process that is not waited for. The server is not asked at once, for a node that lives gives its delegation back.
can_open() {
  local opener patience=30
  (mkdir -p "$share_dir" && : >>"$share_lock") 2>/dev/null &
  opener=$!
  while kill -0 "$opener" 2>/dev/null; do
    if [[ -n $stopping || ! -e $want_master ]] || { ((patience-- <= 0)) && ! ask_for_silent; }; then
      kill -KILL "$opener" 2>/dev/null
      return 1
    fi
    nap 0.1
  done
}

# Sets `spoken`. A node that was away while its pair was upgraded has the scripts of before.
speaks_protocol() {
  spoken=
  [[ ! -e $share_protocol ]] || { spoken="$(timeout -s KILL 20 cat "$share_protocol")" && [[ $spoken == "$lock_protocol" ]]; }
}

# Reads "released" from main, or end of file when main died. Holds the lock until then, and until the slice is empty. What ends
# this in between must not free the lock while somebody writes; it comes to that when no process can be started.
keeper() {
  local word=
  trap '' TERM INT USR1
  trap 'reboot_now "the lock holder and its keeper came to an end before the services did"' EXIT
  read -r word
  if [[ $word != released ]]; then
    echo "the lock holder died" >"$letting_go"
    empty_slice 10
    note "the lock holder died: killed the services before the lock can go"
    systemctl --no-block stop nim-ha.target 7>&- 9>&- & # not waited for, for it may hang, too
    leave_nothing
    rm -f "$lock_held"
    release
    rm -f "$letting_go"
  fi
  trap - EXIT
}

# Returns when nobody lives who could write, and nothing that they wrote is still on its way: a process that is killed leaves
# that to the kernel. Until then `lock-held` stays, and with it the watch over the lease.
leave_nothing() {
  local left=yes
  while [[ $left == yes ]]; do
    until empty_slice 10; do
      note "a process of the services cannot be killed; the lock stays held"
    done
    until is_written "$clickhouse_mount" && is_written "$nms_mount"; do
      note "the share does not take what was written last; the lock stays held"
      pause 1
    done
    # Or what was started meanwhile would go on.
    slice_populated || left=no
  done
  [[ -z $fence_server ]] || take_mark_back || note "the share does not give this node's mark back: the peer will fence it"
}

# Whether the share has taken all that was written at MOUNT_POINT. On one that has gone stale nothing can arrive any more.
is_written() {
  timeout -s KILL 20 sync -f "$1" 2>/dev/null || is_stale "$1"
}

# The server's file system is another than the one that was mounted, put back from a copy, say. A question that the server has to answer, and
# that sends nothing of what is pending. What the kernel says goes into a file, for nothing here may wait for a process that hangs.
is_stale() {
  ! LC_ALL=C timeout -s KILL 5 stat -f "$1" >/dev/null 2>"$run_dir/stale" && [[ "$(<"$run_dir/stale")" == *"Stale file handle"* ]]
}

# Frees the lock for good, even if a heartbeat still hangs in the kernel with the file open.
release() {
  timeout -s KILL 10 flock -u 9
  note "let go of the lock on the share"
}

drain() {
  local tries=$((5 * stop_grace))
  if [[ $stopping == asked ]]; then
    while [[ $stopping == asked ]] && slice_populated && ((tries-- > 0)); do pause 0.2; done
  fi
  # A lock that is lost, or denied, may be another's by now: what is pending must not be hurried there.
  if [[ $stopping == @(lost|denied) ]]; then
    until empty_slice 10; do note "a process of the services cannot be killed"; done
  else
    leave_nothing
  fi
}

# Without the keeper's pipe, or the keeper would never read its end.
start_heartbeat() {
  heartbeat 7>&- &
  heartbeat_pid=$!
}

start_watch() {
  watch_lease 7>&- 9>&- &
  lease_watch_pid=$!
}

another_holds() {
  local pid
  while read -r pid; do
    [[ $pid == "$$" ]] || return 0
  done 2>/dev/null <"$lock_cgroup/cgroup.procs"
  return 1
}

# Of those that held the lock some are left, and wait for the share; or none, and what the services left cannot be killed. A lock now
# would say that this is over, and end the watch over the lease.
if [[ -e $lock_held ]] && { slice_populated || another_holds; }; then
  note "another lock has not come to its end here: no lock"
  exit 1
fi
# What is left of one that was killed to the last process would keep the agent from starting the services.
rm -f "$lock_held" "$letting_go" "$at_large_file"
read_fencing
if [[ $? == 2 && -e $fence_key ]]; then
  note "cannot read whether the pair has fencing: no lock"
  exit 1
fi
if [[ -n $fence_server && -e $fenced_file ]]; then
  note "fenced at the share, or yet to ask whether it is: no lock"
  exit 0
fi
# A lock on what lies below an unmounted mount point keeps nobody out.
if ! is_share_mounted; then
  note "the share is not mounted on both mount points: no lock"
  exit 1
fi
mkdir -p "$run_dir"
for point in "$clickhouse_mount" "$nms_mount"; do
  # The agent has it mounted anew when this has failed a few times.
  if is_stale "$point"; then
    note "the mount at ${point#"$root"} has gone stale: no lock"
    exit 1
  fi
done
{ can_open && [[ -z $stopping ]]; } || {
  stop_asking
  exit 0
}
exec 9>>"$share_lock" || exit 1
acquire || {
  stop_asking
  exit 0
}

# Nor would one below the mount point keep anybody out, where the share was taken off meanwhile.
{ is_share_mounted && is_locked_file; } || {
  note "what was locked is not ${share_lock#"$root"} on the share: no lock"
  exit 1
}
if ! speaks_protocol; then
  note "the share is of another version: its nodes lock in way $spoken, this one in way $lock_protocol: no lock"
  exit 1
fi
: >"$share_lock"
printf '%s %s\n' "$(uname -n)" "$(cat /proc/sys/kernel/random/boot_id)" >"$share_holder.new"
mv -f "$share_holder.new" "$share_holder"
confirm_lock || {
  note "the share has not confirmed the lock"
  exit 1
}

# By this the agent and the watch over the lease know that there is a lock: without it nothing would end the services of a node that is cut off.
: >"$lock_held" || {
  note "cannot write ${lock_held#"$root"}: no lock"
  exit 1
}
list_devices 2>/dev/null >"$devices_file"
# Only main has the writing end, so the keeper reads end of file the moment main dies.
exec 7> >(keeper)
keeper_pid=$!
start_heartbeat
start_watch
note "holds the lock on the share"
[[ -z $fence_server ]] || exclude_peer || stopping="${stopping:-denied}"
[[ -n $stopping ]] || systemd-notify --ready --status="holds the lock on the share"

while [[ -z $stopping ]]; do
  nap 1
  kill -0 "$keeper_pid" 2>/dev/null || stopping="${stopping:-keeper-died}"
  kill -0 "$heartbeat_pid" 2>/dev/null || start_heartbeat
  kill -0 "$lease_watch_pid" 2>/dev/null || start_watch
  ask_on || stopping="${stopping:-denied}"
  disown -a # or bash keeps every child that has ended on its list, for nobody asks for them
done
stop_asking

[[ $stopping == asked ]] || {
  echo "lock holder ends: $stopping" >"$letting_go"
  note "lock holder ends: $stopping; killing the services"
  systemctl --no-block stop nim-ha.target 7>&- 9>&- &
}
drain
rm -f "$lock_held"
[[ $stopping == @(lost|denied) ]] || rm -f "$devices_file"
kill "$heartbeat_pid" "$lease_watch_pid" 2>/dev/null
[[ $stopping == keeper-died ]] || echo released >&7
exec 7>&-
release
exec 9>&-
# When this unit is stopped nobody has the share open any more: it may be unmounted next. What hangs in the kernel is not
# waited for.
tries=100
while kill -0 "$keeper_pid" "$heartbeat_pid" 2>/dev/null && ((tries-- > 0)); do pause 0.1; done
rm -f "$letting_go"
[[ $stopping == asked ]]
