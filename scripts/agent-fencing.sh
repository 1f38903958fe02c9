# shellcheck shell=bash disable=SC2034,SC2154
# Part of the agent: is this node fenced at the share? Whoever has the lock learns it from the share itself, all others ask the server, for a
# standby that is fenced could not take over. Needs paths.sh, fencing.sh, agent-probes.sh.

fence_every=60    # seconds between two questions
unheard_after=180 # seconds without an answer of which a person is told
heard_after=10    # a BACKUP for so long has heard its master: unheard, it would be one itself after nine, the hardened profile's delay included
next_fence=0 fence_probe='' backup_since=0 unheard_why=''

# A node that has just booted asks before anything else.
begin_fencing() {
  [[ ! -e $booted_file ]] || return
  : >"$booted_file"
  [[ -z $fence_server || -e $lock_held ]] || slice_populated || printf '? %s\n' "$now" >"$fenced_file"
}

# What cannot be read just now is no word of a pair without fencing.
look_for_fencing() {
  read_fencing
  [[ $? == 1 ]] || return 0
  [[ ! -e $fenced_file ]] || rm -f "$fenced_file" "$rejoin_why_file"
  [[ ! -e $unheard_file ]] || rm -f "$unheard_file"
}

look_at_fence() {
  local answer name
  fenced=no
  if [[ -z $fence_server ]]; then
    [[ ! -e $fenced_file ]] || fenced=yes
    return
  fi
  forget_ended fence_probe
  # What was asked before this node had the lock says nothing about one that has.
  if [[ -e $lock_held ]]; then
    [[ ! -e $run_dir/fence-status ]] || rm -f "$run_dir/fence-status"
    [[ ! -e $unheard_file ]] || rm -f "$unheard_file"
  elif [[ -s $run_dir/fence-status ]] && read -r answer name <"$run_dir/fence-status"; then
    rm -f "$run_dir/fence-status"
    [[ $answer != fenced || -e $fenced_file ]] || printf '%s\n' "$name" >"$fenced_file"
    note_answer "$answer" "$name"
  fi
  if [[ -e $fenced_file ]]; then
    fenced=yes
    forget_peer
    [[ $nfs_answers != no ]] || wait_for_server
  elif [[ ! -e $lock_held ]] && ((now >= next_fence)) && [[ -z $fence_probe ]]; then
    next_fence=$((now + fence_every))
    ({ ask_server status || no_answer; } >"$run_dir/fence-status.new" && mv -f "$run_dir/fence-status.new" "$run_dir/fence-status") &
    fence_probe=$!
  fi
}

# note_answer FIRST_WORD REST: a server that answers nobody, or cannot tell, would fence nobody, and a standby notices in nothing else.
note_answer() {
  local since=''
  if [[ $1 == @(free|fenced) ]]; then
    [[ ! -e $unheard_file ]] || rm -f "$unheard_file"
    return
  fi
  read -r since _ 2>/dev/null <"$unheard_file"
  [[ $since =~ ^[0-9]+$ ]] || since="$now"
  printf '%s %s\n' "$since" "$*" 2>/dev/null >"$unheard_file"
}

# Sets unheard_why.
is_unheard() {
  local since=''
  [[ -n $fence_server && -e $unheard_file ]] && read -r since unheard_why <"$unheard_file" && ((now - since >= unheard_after))
}

# After a boot: how long the question has gone unheard counts from when the server is there.
wait_for_server() {
  local name=''
  read -r name _ 2>/dev/null <"$fenced_file"
  [[ $name != '?' ]] || printf '? %s\n' "$now" >"$fenced_file"
}

forget_peer() {
  backup_since=0
  [[ ! -e $heard_file ]] || rm -f "$heard_file"
}

# Whether this node has heard its peer, since it came back or keepalived began.
look_for_peer() {
  [[ -n $fence_server ]] || return 0
  if [[ $vrrp == STOP ]]; then
    forget_peer
  elif [[ $vrrp != BACKUP ]]; then
    backup_since=0
  elif ((!backup_since)); then
    backup_since="$now"
  elif ((now - backup_since >= heard_after)) && [[ ! -e $heard_file ]]; then
    : >"$heard_file"
  fi
}

say_why_fenced() {
  local name='' why=''
  read -r name _ 2>/dev/null <"$fenced_file"
  read -r why 2>/dev/null <"$rejoin_why_file"
  if [[ $name == '?' && $nfs_answers == no ]]; then
    reason="after the boot: waiting for the NFS server, to ask it whether this node is fenced"
  elif [[ $name == '?' ]]; then
    reason="after the boot: asking the NFS server whether this node is fenced"
  elif [[ $name == back ]]; then
    reason="not fenced at the share any more, and not back there yet: ${why:-mounting it}"
  else
    reason="fenced at the share as $name: the other node has taken over; this one comes back by itself, as soon as it holds nothing of the share any more"
  fi
  [[ -z $why || $name == back ]] || reason+="; not back yet: $why"
}
