#!/bin/bash
# nim-ha-isolate.service: this node gets no answer from the share though it holds the lock, or cannot let go of it in order. When
# the server's lease ends another node may write; what is still pending here would land on top of that. So before then nothing
# here may be able to write any more: the services are killed and the mounts forced off until the kernel holds nothing of them, or the
# node reboots.

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

holds_nothing() {
  ! slice_populated && ! is_nfs_mounted "$clickhouse_mount" && ! is_nfs_mounted "$nms_mount" && ! held_by_kernel "$noted"
}

# One of an earlier lock says nothing.
read_beat_of_lock() {
  [[ ! -e $lock_held ]] || read_beat
}

# The share does not answer, or has nothing more to take: a forced unmount loses nothing that could still be saved.
may_force() {
  read_uptime
  read_beat_of_lock
  [[ -n $flushed ]] || ((now - beat >= lease / 2))
}

# Also somebody's shell in a directory of the share: with it the mount stays, and with the mount what is pending. Not the
# lock holder: it goes last.
kill_users() {
  local pid point
  local -A of_lock=()
  while read -r pid; do of_lock[$pid]=yes; done 2>/dev/null <"$lock_cgroup/cgroup.procs"
  for point in "$clickhouse_mount" "$nms_mount"; do
    while read -r pid; do
      [[ -n ${of_lock[$pid]-} || $pid == "${flush_pid-}" ]] || kill -KILL "$pid" 2>/dev/null
    done < <(pids_of "$point")
  done
}

# What the killed have left in the kernel: written if the server answers by now, for the lock is still held, or else given up when
# a forced unmount aborts it. Only then may the lock go.
flush() {
  if [[ -z ${flush_pid-} ]]; then
    sync -f "$clickhouse_mount" "$nms_mount" 2>/dev/null &
    flush_pid=$!
  fi
  ! kill -0 "$flush_pid" 2>/dev/null
}

kill_lock_holder() {
  systemctl kill --kill-who=all --signal=KILL nim-ha-lock.service 2>/dev/null
}

# Of its own, for any step below may hang in the kernel. A share that answers may take its time with what was written; processes that
# cannot be killed may not.
watch_deadline() {
  while read_uptime && ((now < deadline)); do
    pause 0.5
    slice_populated || { read_beat_of_lock && lease_deadline; }
  done
  reboot_now "isolation: the share could not be let go of in time"
}

# In memory, too, for /run may be full.
noted="$(cat "$isolating_file" 2>/dev/null)"
if [[ ! $noted =~ ^lease\ ([1-9][0-9]*) ]]; then
  read_lease
  noted="lease $lease"$'\n'"$(list_devices && cat "$devices_file" 2>/dev/null)"
  printf '%s\n' "$noted" >"$isolating_file"
else
  lease="${BASH_REMATCH[1]}"
fi
flushed=
read_uptime
beat=$((now - lease / 2)) # when the agent acts, if nobody could write it down
read_beat_of_lock
lease_deadline
watch_deadline &
watchdog=$!
note "isolation: the share answered $((now - beat)) s ago, and its lease is $lease s; killing the services"
# Or systemd would start them again; not waited for, for it may hang, too.
systemctl --no-block stop nim-ha.target &
until
  # One pass each time, for what waits for the server dies only when its calls are aborted below.
  if empty_slice 0; then
    kill_users
    ! flush || { flushed=yes && kill_lock_holder; }
  fi
  for point in "$nms_mount" "$clickhouse_mount"; do
    # It says "busy" while calls are pending, and aborts them all the same.
    ! is_nfs_mounted "$point" || ! may_force || timeout -s KILL 5 umount -f "$point" 2>/dev/null
  done
  holds_nothing
do
  pause 0.5
done
kill "$watchdog"
kill_lock_holder
rm -f "$lock_held" "$isolating_file" "$devices_file"
read_uptime
note "isolation: nothing of the share is held here any more, after $((now - beat)) s of $lease"
wait "$!" || true # what still runs at the end of a unit is killed with it, a line on its way to the journal, too
