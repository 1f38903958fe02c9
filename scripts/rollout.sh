#!/bin/bash
# rollout 1|2|3|4: puts in force what is staged, in the order that never makes two masters. ARCHITECTURE.md has the table.
# A node whose keepalived configuration changes is either the only one that runs keepalived, or does not run it.

set -u
export LC_ALL=C
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
# What was staged is what was proven; a newer upload has to be staged first.
data_in_force="$node_data"
node_data="$staged_dir/root${node_data#"$root"}"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=data.sh
. "$lib/data.sh"
load_data "$node_data"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$lib/report.sh"
# shellcheck source-path=SCRIPTDIR source=files.sh
. "$lib/files.sh"
# shellcheck source-path=SCRIPTDIR source=mounts.sh
. "$lib/mounts.sh"
# shellcheck source-path=SCRIPTDIR source=removals.sh
. "$lib/removals.sh"
# shellcheck source-path=SCRIPTDIR source=peers.sh
. "$lib/peers.sh"
# shellcheck source-path=SCRIPTDIR source=apply.sh
. "$lib/apply.sh"
# shellcheck source-path=SCRIPTDIR source=pause.sh
. "$lib/pause.sh"
# shellcheck source-path=SCRIPTDIR source=settle.sh
. "$lib/settle.sh"
# shellcheck source-path=SCRIPTDIR source=processes.sh
. "$lib/processes.sh"
# shellcheck source-path=SCRIPTDIR source=fencing.sh
. "$lib/fencing.sh"

storage() {
  NIM_HA_NODE_DATA="$node_data" bash "$lib/storage.sh" "$@"
}

check_peer() {
  local notes
  compare_identity "$nms_mount"
  end_on_problems
  mapfile -t notes < <(removal_notes "$nms_mount")
  rm -f "${notes[@]}" "$var_dir/removal-noted"
}

# change_standby leave|start: the other node is active, or this one is not of the pair yet, so it can be changed while quiet.
change_standby() {
  look_for_due
  if is_as_deployed; then
    finish
    say "nothing to do: standby, as deployed"
    return
  fi
  if [[ -n $conf_due || -n $mounts_due ]] || ! keepalived_runs; then
    [[ -z $conf_due ]] || rm -f "$applied_file"
    step_aside
    [[ $1 != leave ]] || remember_in_force
    apply
    mount_shares
    take_note_back # of a share that was not mounted before
    if [[ $1 == leave ]]; then
      say "keepalived is stopped here until the other node is as it should be, over reboots too"
      return
    fi
    check_peer
    start_keepalived
    wait_for_standby "${NIM_HA_STANDBY_LIMIT:-120}"
  else
    apply # nothing that keepalived or the mounts would notice
    gather_services stop
  fi
  finish
}

# instance_key FILE: by these keepalived knows an instance again when it reads its file anew.
instance_key() {
  sed -n 's/^[[:space:]]*\(interface\|virtual_router_id\)[[:space:]]*\([^[:space:]]*\).*/\1 \2/p' "$1"
}

# change_active [WHY]: why keepalived starts anew, whatever has changed.
change_active() {
  local new="$staged_dir/root$conf_path" restart="${1-}"
  look_for_due
  if [[ -z $restart ]] && is_as_deployed; then
    finish
    say "nothing to do: active, as deployed"
    return
  fi
  if [[ -n $mounts_due ]]; then
    check_new_share
    check_users
  fi
  if [[ -n $restart ]]; then
    : # the first reason is enough
  elif [[ -e $new && "$(instance_key "$new")" != "$(instance_key "$keepalived_conf")" ]]; then
    restart="another interface or router id"
  elif [[ -n $mounts_due ]]; then
    restart="the share has to be mounted anew ($mounts_due)"
  elif [[ "$(fencing_in "$data_in_force")" != "$(fencing_in "$node_data")" ]]; then
    # What holds the lock has begun without it, and has left no mark.
    restart="another fencing"
  elif ! keepalived_runs; then
    restart="keepalived does not run"
  fi
  [[ -z $conf_due && -z $restart ]] || check_aside
  [[ -z $conf_due ]] || rm -f "$applied_file"
  remember_in_force
  if [[ -n $restart ]]; then
    say "$restart: the services stop for this change"
    step_aside
  fi
  apply
  mount_shares
  if [[ -n $restart ]]; then
    start_keepalived
    wait_for_either "${NIM_HA_START_LIMIT:-300}"
  else
    gather_services restart
    [[ -z $conf_due ]] || reload_keepalived
    [[ ! -e $todo_dir/nms ]] || restart_nms
    wait_for_serving
    ! is_holder_older || say "what holds the lock goes on with the scripts that it has begun with, until the next hand-over: nim-ha switchover, when it suits"
  fi
  finish
}

# After apply: whether other scripts lie now where the lock holder has read its own.
# shellcheck disable=SC2016 # $lib as it stands there
is_holder_older() {
  local name
  while IFS= read -r name; do
    ! is_due "${lib_dir#"$root"}/$name" || return 0
  done < <(echo lock-holder.sh && sed -n 's|^\. "$lib/\(.*\)"$|\1|p' "$lib_dir/lock-holder.sh")
  return 1
}

# With the names, for the mark on the share and the key on the server are of a name.
fencing_in() {
  ! grep -q '^FENCE_SERVER=.' "$1" 2>/dev/null || grep -E '^(FENCE_[A-Z_]+|NAME|PEER_NAME)=' "$1" | sort
}

# A pair that counts on fences and gets none would wait for the lease, and nobody would know.
check_fencing() {
  local answer
  [[ -n "${data[FENCE_SERVER]}" ]] || return 0
  read_fencing
  answer="$(ask_server status)" || answer="$(no_answer)"
  case "$answer" in
    # The agent need not ask once more when it starts for the first time.
    free) : >"$booted_file" ;;
    fenced\ *)
      refuse rollout/fenced "this node" "fenced at the share as ${answer#fenced }" "a node that the NFS server lets in" \
        "run on it: nim-ha rejoin; then deploy again"
      ;;
    *)
      refuse rollout/fencing "the NFS server's answer to this node" "$answer" "free" \
        "try on this node: ssh -i $fence_key -p $fence_port $fence_user@$fence_server status; on the server see: journalctl -t nim-ha-fence"
      ;;
  esac
}

share_in() {
  grep -E '^NFS_(SERVER|EXPORT_PATH)=' "$1" | sort
}

# Where this deploy names another share, the active node still has its lock on the one that is in force. A share that does not answer any
# more is no news; what is said then is not this step's to report. A holder that writes no heartbeat is one, too: its share may be full.
is_held_in_force() {
  local quiet="$NIM_HA_JOB/in-force" in_force="$data_in_force"
  [[ ! -r $left_data ]] || in_force="$left_data"
  [[ -r $in_force && "$(share_in "$in_force")" != "$(share_in "$node_data")" ]] && mkdir -p "$quiet" &&
    [[ "$(NIM_HA_JOB="$quiet" NIM_HA_NODE_DATA="$in_force" timeout -s KILL 90 bash "$lib/storage.sh" holder)" == @(beating|held) ]]
}

# Before this node has another share or virtual IP on record: a deploy that is interrupted here has to find the active node again, and the next
# one, which may take the change back, the address that is still the pair's.
remember_in_force() {
  [[ -r $data_in_force && ! -e $left_data ]] || return 0
  (umask 077 && keep "$left_data" <"$data_in_force") || cannot_keep "$left_data"
}

# Another pair may serve from the share that the active node is to change to. One of this pair does not, for the standby has stepped aside.
check_new_share() {
  local stranger
  stranger="$(storage stranger)" || {
    printf '%s\n' "$stranger" # the report of a failure
    exit "$exit_failed"
  }
  [[ -z $stranger ]] || refuse storage/other-pair "the lock on ${source_of[nms]}" "held by $stranger" "a free one, for this node is the active one of its pair" \
    "correct nfsShare in the program; or, if the share moves there, stop what has the lock"
}

# While the services still run: what keeps the share busy would keep it mounted when they have stopped.
check_users() {
  local outsiders
  wait_until "${NIM_HA_UNMOUNT_LIMIT:-30}" "other processes to leave the share" is_ours_alone || refuse storage/unmount \
    "${clickhouse_mount#"$root"} and ${nms_mount#"$root"}, to be mounted anew" "in use by ${outsiders% }" "no users but the pair's services" "end what uses it"
}

# free, beating or held: a lock without a heartbeat may be a dead node's, which the server keeps for the lease. own, where this node has got it
# meanwhile: the heartbeat may be its own then.
ask_for_holder() {
  local begin=$SECONDS
  while holder="$(storage holder)"; do
    [[ ! -e $lock_held ]] || holder=own
    if [[ $holder == free ]] && keepalived_runs && vrrp_is BACKUP && ((SECONDS - begin < ${NIM_HA_LOCK_LIMIT:-30})); then
      # This node hears a master: one that is on its way to the lock, most likely.
      pause "${NIM_HA_POLL:-2}"
      continue
    fi
    [[ $holder == held ]] || return 0
    ((SECONDS - begin < ${NIM_HA_LEASE_LIMIT:-240})) || break
    say "the lock is held, but nobody writes its heartbeat: by a node that is letting go, or by a dead one until its lease ends; waiting, $((SECONDS - begin)) s"
  done
  [[ $holder != held ]] || fail rollout/lock "the lock on the share" "held without a heartbeat for ${NIM_HA_LEASE_LIMIT:-240} s" \
    "free, or the heartbeat of the active node" "see on the other node: nim-ha status"
  printf '%s\n' "$holder" # the report of a failure
  exit "$exit_failed"
}

# Where the roles have changed since the secondary's turn: the primary asks, which has its own after that.
check_aside() {
  [[ $role == secondary ]] || peer_is_aside || refuse rollout/role-moved "the active node" "not ${data[PEER_NAME]} any more, which was that at its turn just now, and has not stepped aside" \
    "the same one in all turns" "run the deploy again: it begins with ${data[PEER_NAME]}"
}

# The node of the lock, with services that have failed or are let go of: its peer, where keepalived runs there, takes over when this one's stops.
restart_holder() {
  change_active "this node has the lock, and does not serve ($phase)"
}

# The primary of a pair of which no node is active: it carries the data, and becomes the active one.
become_first() {
  check_aside
  say "no node is active: this one becomes it"
  rm -f "$applied_file"
  step_aside
  storage import || exit
  look_for_due
  apply
  mount_shares
  check_peer
  start_keepalived
  wait_for_serving alone
  finish
}

# Under the address of this deploy, or under the one in force.
answers_for_pair() {
  local file address
  ! holds_virtual_ip || return 0
  for file in "$data_in_force" "$left_data"; do
    address="$(node_value VIRTUAL_IP "$file" 2>/dev/null)" && has_address "$address" && return
  done
  return 1
}

# The agent looks once a second.
lock_is_seen() {
  phase_now
  [[ ! -e $lock_held || $phase != @(WAITING|STANDBY|UNKNOWN) ]]
}

# A node that has just got the lock is on its way to serve, and becomes the active one when its agent has looked.
wait_for_agent() {
  ! lock_is_seen || return 0
  [[ $phase != UNKNOWN ]] || systemctl start nim-ha-agent.service
  wait_until 20 "nim-ha-agent" lock_is_seen
}

# The role of a node is what it is now, not what the program calls it. Somebody has to have written it down, though, and a
# node that answers for the virtual IP must be on its way to the lock.
look_at_masters() {
  [[ -e $lock_held ]] || ! answers_for_pair || wait_until "${NIM_HA_LOCK_LIMIT:-30}" "the lock" test -e "$lock_held" || refuse_if_two_masters
  wait_for_agent
}

refuse_if_two_masters() {
  ask_for_holder
  [[ $holder != beating ]] || ! answers_for_pair || refuse rollout/two-masters "this node" "the virtual IP, while another node has the lock" \
    "one master" "$(ask_whether_heard)"
}

[[ -e $staged_dir/manifest && -e $node_data ]] || refuse node/staged "$staged_dir" "nothing staged" "the step stage before this" \
  "run the step stage again: terraform apply -replace of this node's stage"
cmp -s "$node_data" "$NIM_HA_JOB/node.data" || refuse node/staged "$node_data" "another than this deploy has uploaded" \
  "the same" "run the step stage again: terraform apply -replace of this node's stage"
role="${data[ROLE]}"
case "${1-}" in 1 | 2) check_fencing ;; esac
look_at_masters
# Of this node as a secondary, if it was one: a primary leaves none.
take_note_back
case "$role ${1-}" in
  "secondary 1")
    if is_active_node; then
      look_for_due
      is_as_deployed || note_not_aside
      say "active node: its turn comes after the other's"
    else
      change_standby leave
    fi
    ;;
  "primary 2")
    holder=beating
    [[ -e $lock_held ]] || is_held_in_force || ask_for_holder
    wait_for_agent # it may have got the lock meanwhile
    if is_active_node; then
      change_active
    elif [[ -e $lock_held ]]; then
      restart_holder
    elif [[ $holder == free ]]; then
      become_first
    else
      change_standby leave
    fi
    ;;
  "secondary 3" | "primary 4")
    if is_active_node; then change_active; else change_standby start; fi
    rm -f "$changed_file"
    ;;
  *)
    printf 'rollout: no step %s for the %s\n' "${1-}" "$role" >&2
    exit "$exit_usage"
    ;;
esac
