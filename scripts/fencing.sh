# shellcheck shell=bash disable=SC2034,SC2154
# What this node asks of the NFS server about fences, with a key that can do nothing else there: docs/decisions/0009-fencing.md. And the
# node's mark on the share. Needs paths.sh, node-data.sh.

fence_limit="${NIM_HA_FENCE_LIMIT:-45}" # seconds: the server gives the peer's clients 20 for their end

fence_server=''

# Sets fence_server, empty where the pair has no fencing; own_name, peer_name, fence_port. Returns 2 where that cannot be read just now, and leaves
# what was known. Without a process where there is no fencing, for the agent comes here all the time.
read_fencing() {
  local line lines=() found='' server own peer port
  mapfile -t lines 2>/dev/null <"$node_data"
  ((${#lines[@]})) || return 2
  for line in "${lines[@]}"; do
    [[ $line != FENCE_SERVER=?* ]] || found=yes
  done
  if [[ -z $found ]]; then
    fence_server=''
    return 1
  fi
  server="$(node_value FENCE_SERVER)" && own="$(node_value NAME)" && peer="$(node_value PEER_NAME)" && port="$(node_value FENCE_PORT)" || return 2
  fence_server="$server" own_name="$own" peer_name="$peer" fence_port="$port"
  [[ -n $fence_server ]]
}

# ask_server REQUEST: prints the answer, one line; 1 where none came. Its caller may hold the lock, and what hangs here must not.
ask_server() {
  local hosts="$run_dir/fence-hosts.$BASHPID" line
  # One name for all addresses of the server: what is known of it is its key.
  while IFS= read -r line; do printf 'nfs-server %s\n' "$line"; done <<<"$(node_value FENCE_HOST_KEYS)" >"$hosts"
  line="$(timeout --foreground -s KILL "$fence_limit" ssh -F /dev/null -p "${fence_port:-22}" -i "$fence_key" -o IdentitiesOnly=yes -o BatchMode=yes \
    -o StrictHostKeyChecking=yes -o HostKeyAlias=nfs-server -o UserKnownHostsFile="$hosts" -o GlobalKnownHostsFile=/dev/null \
    -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o LogLevel=ERROR -T \
    "$fence_user@$fence_server" "$1" </dev/null 2>"$run_dir/fence-error" | head -c 300)"
  rm -f "$hosts"
  [[ $line =~ ^(fenced\ [0-9a-f-]{36}|free|back|refused:\ [[:print:]]+)$ ]] || return 1
  printf '%s\n' "$line"
}

# A question that is under way has said nothing yet.
no_answer() {
  local why
  why="$(head -n 1 "$run_dir/fence-error" 2>/dev/null)"
  printf 'no answer from the NFS server: %s\n' "${why:-not yet}"
}

# The mark says: this node may have written, and has not ended in order. Whole and on the share when this returns. Made anew each time,
# for only a change of the directory makes sure that what this client knows of it is not old.
put_mark() {
  # shellcheck disable=SC2016 # for the inner shell
  timeout -s KILL 20 bash -c 'mkdir -p "$1" && : >"$1/$2.new" && sync "$1/$2.new" && mv -f "$1/$2.new" "$1/$2" && sync "$1"' _ "$marks_dir" "$own_name"
}

# Whether the peer has left its mark, or may have: an error is no "no".
may_be_marked() {
  local error
  error="$(LC_ALL=C timeout -s KILL 20 stat -c '' "$marks_dir/$peer_name" 2>&1)" || [[ $error != *"No such file or directory"* ]]
}

# Only where nothing that this node wrote can still be on its way.
take_mark_back() {
  timeout -s KILL 20 rm -f "$marks_dir/$own_name"
}
