# shellcheck shell=bash disable=SC2034,SC2154
# Part of the agent: does the NFS server answer, is this node cut off, does keepalived run its check? Whatever may hang runs in a child that nobody waits for. Needs paths.sh, node-data.sh, log.sh, services.sh, lease.sh.

# forget_ended NAME: empties the variable, which has the number of a child, when that has ended. Asked once a second, for later the number may be
# another's.
forget_ended() {
  [[ -z ${!1} ]] || kill -0 "${!1}" 2>/dev/null || printf -v "$1" ''
}

# In a child that nobody waits for: one that has not connected in time gets no answer, and is killed. Until then the last answer counts.
probe_nfs_server() {
  local answer
  forget_ended nfs_probe
  ((now >= next_probe)) || return
  if [[ -n $nfs_probe ]]; then
    ((now - probed_at >= probe_limit)) || return
    kill -KILL "$nfs_probe" 2>/dev/null
    nfs_answers=no
  elif [[ -s $run_dir/nfs-answers ]] && read -r answer <"$run_dir/nfs-answers"; then
    nfs_answers="$answer"
  fi
  next_probe=$((now + probe_every)) probed_at="$now"
  (
    answer=no
    exec 3<>"/dev/tcp/$(nfs_address)/2049" && answer=yes
    echo "$answer" >"$run_dir/nfs-answers"
  ) 2>/dev/null &
  nfs_probe=$!
}

# Of the server that is mounted, for its name is nothing that the mount needs any more; without a mount, what the deploy was given.
nfs_address() {
  local mount_line pattern='[ ,]addr=([^ ,]+)'
  if find_mount "$nms_mount" && [[ $mount_line =~ $pattern ]]; then
    printf '%s' "${BASH_REMATCH[1]}"
  else
    printf '%s' "$nfs_server"
  fi
}

# Another share than the pair's, mounted by hand or by somebody else's line, has another lock.
look_for_other_share() {
  local path
  other_share=''
  [[ -n $nfs_server ]] && path="$(node_value NFS_EXPORT_PATH 2>/dev/null)" || return
  share="$(source_on "$nfs_server" "$path" '')"
  find_other_share "$share"
}

# The lock holder notes each heartbeat that the server has answered. Half of the lease is for noticing, the other half for
# getting rid of what could still write.
look_at_heartbeat() {
  cut_off=no
  if [[ $1 == no ]]; then
    beat=''
  else
    [[ -n $beat ]] || beat="$now"
    read_beat
  fi
  [[ ! -e $isolating_file ]] && ! is_silent || cut_off=yes
}

is_silent() {
  [[ -n $beat ]] && ((now - beat >= lease / 2))
}

# keepalived runs the check every ten seconds. One that has stopped doing so still holds the virtual IP, and nothing else tells.
# Killed, it gives the address up on its way out, and systemd starts it again.
watch_keepalived() {
  local checked=0
  if [[ $vrrp == STOP ]]; then
    keepalived_since="$now" check_works=yes
    return
  fi
  [[ -r $checked_file ]] && read -r checked <"$checked_file"
  if [[ $checked =~ ^[0-9]+$ ]] && ((checked > keepalived_since)); then
    keepalived_since="$checked" check_works=yes
  fi
  ((now - keepalived_since > stuck_after)) || return
  keepalived_since="$now"
  # A check that does not work is another fault, and no reason to kill keepalived.
  try_check
  [[ $check_works == yes ]] || return
  note "keepalived has run no check for $stuck_after s: killing it"
  systemctl --no-block kill --kill-who=all --signal=KILL keepalived.service
}

# A switchover that was interrupted leaves a master that nobody wants to serve, and so does a notify that could not run just then: only
# the address tells of that one. Or it leaves a wish, and with it the lock, where another node is master. VRRP has to elect anew.
watch_wish() {
  local what=''
  if is_unwanted_master; then
    what="master for $unwanted_for s without the wish to serve"
  elif is_wish_left; then
    what="without the virtual IP for $unwanted_for s, and the wish to serve is still there"
  fi
  if [[ -z $what ]]; then
    unwanted_since=0
  elif ((!unwanted_since)); then
    unwanted_since="$now"
  elif ((now - unwanted_since > unwanted_for)); then
    unwanted_since=0
    note "$what: restarting keepalived"
    systemctl --no-block try-restart keepalived.service
  fi
}

# What serves keeps its lock from whoever has the address now, who gives way to it. A deploy may be changing the address.
is_wish_left() {
  [[ -e $want_master && $phase != ACTIVE && $vrrp != STOP && -n $virtual_ip ]] && ! has_address "$virtual_ip" && ! step_runs
}

is_unwanted_master() {
  [[ $phase == STANDBY && $vrrp != STOP ]] && { [[ $vrrp == MASTER ]] || holds_virtual_ip; }
}

holds_virtual_ip() {
  [[ -n $virtual_ip ]] && has_address "$virtual_ip"
}

# keepalived lets go of a notify script that it cannot run when it starts, and does not ask for it again when it is mended.
watch_notify() {
  if [[ $vrrp != STOP || $notify_works == no ]] || ! systemctl --quiet is-active keepalived.service; then
    deaf_since="$now"
  elif ((now - deaf_since > stuck_after)); then
    deaf_since="$now"
    note "keepalived has said nothing for $stuck_after s: restarting it"
    systemctl --no-block try-restart keepalived.service
  fi
}

# Asks for nothing but that the file can be run and writes down when.
try_check() {
  local checked=0
  check_works=no
  timeout -s KILL 5 "$scripts_dir/nms-check-keepalived.sh" >/dev/null 2>&1
  [[ -r $checked_file ]] && read -r checked <"$checked_file"
  ((now - checked >= 5)) || check_works=yes
}
