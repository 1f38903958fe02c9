#!/bin/bash
# nim-ha-rejoin.service: brings a node back to the share that is fenced there, or that has just booted and may be. It asks to come back only
# when the kernel holds nothing of the share any more: what was not written by then never is. Then it mounts, and takes its old mark back. Where
# any of this does not come to its end, the agent starts it anew.

set -u
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=log.sh
. "$lib/log.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=fencing.sh
. "$lib/fencing.sh"

unheard_for=90 # seconds: a boot must not wait for a server that answers nobody, then the lease decides

stay() {
  printf '%s\n' "$1" >"$rejoin_why_file"
  note "not back at the share yet: $1"
  exit 1
}

holds_something() {
  slice_populated || is_populated "$lock_cgroup" || is_nfs_mounted "$clickhouse_mount" || is_nfs_mounted "$nms_mount" ||
    held_by_kernel "$(cat "$devices_file" 2>/dev/null)"
}

come_back() { # NAME
  printf '%s\n' "$1" >"$fenced_file"
  note "fenced at the share as $1: letting go of everything"
  # After a boot there is nothing to let go of, and an isolation that takes its time beside all else would reboot the node again.
  if holds_something || [[ -e $isolating_file ]]; then
    { systemctl start nim-ha-isolate.service && [[ ! -e $isolating_file ]]; } || stay "the isolation did not come to its end"
  fi
  ! holds_something || stay "something of the share is held here"
  answer="$(ask_server "rejoin $1")" || stay "$(no_answer)"
  [[ $answer == back || $answer == free ]] || stay "$answer"
  note "the NFS server has this node back"
}

read_known() {
  known='' since=''
  read -r known since <"$fenced_file"
  read_uptime
  [[ ${since:-} =~ ^[0-9]+$ ]] || since="$now"
}

[[ -e $fenced_file ]] || exit 0
read_fencing
case $? in
  0) ;;
  1)
    rm -f "$fenced_file" "$rejoin_why_file"
    exit 0
    ;;
  *) stay "node.data cannot be read" ;;
esac
read_known
# After a boot a server that cannot tell (its disk is read-only, say) is one that does not answer.
if answer="$(ask_server status)" && [[ $known != '?' || $answer == free || $answer == fenced\ * ]]; then
  case "$answer" in
    fenced\ *) come_back "${answer#fenced }" ;;
    free) ;;
    *) stay "$answer" ;;
  esac
elif [[ $known != '?' ]]; then
  stay "$(no_answer)"
elif ((now - since < unheard_for)); then
  printf '? %s\n' "$since" >"$fenced_file"
  exit 1
else
  note "after the boot: ${answer:-$(no_answer)}; the lease decides"
  answer=''
fi
if [[ -e $lock_held ]]; then
  note "this node has the lock, and is not fenced"
elif [[ -n $answer ]]; then
  # For who asks why; the server is asked again all the same, should any of this fail.
  [[ $known == '?' ]] || printf 'back\n' >"$fenced_file"
  mount_units start
  ! has_fallen_back || mount_units restart
  is_share_mounted || stay "the share cannot be mounted"
  # No new one begins while this node counts as fenced, so nobody puts a mark there that is taken away here.
  ! is_populated "$lock_cgroup" || stay "a lock holder waits for its end"
  # Nothing that this node wrote can still be on its way.
  take_mark_back || note "the share does not give this node's old mark back: the peer may fence it once more"
fi
rm -f "$fenced_file" "$rejoin_why_file"
