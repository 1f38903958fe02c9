# shellcheck shell=bash disable=SC2154
# Part of the lock holder: with fencing, what comes before the lock and before the services. Needs paths.sh, log.sh, fencing.sh, heartbeat.sh;
# of the lock holder `stopping` and nap.

ask_every=3 # seconds

# ask REQUEST: sets `answer`; 1 where none came, or the lock is not wanted any more.
ask() {
  local asking
  answer=''
  # One that was not waited for still writes to its own.
  rm -f "$run_dir/fence-answer"
  ask_server "$1" >"$run_dir/fence-answer" 7>&- 9>&- &
  asking=$!
  while [[ -z $stopping ]] && kill -0 "$asking" 2>/dev/null; do nap 0.2; done
  [[ -z $stopping ]] || return 1
  read -r answer <"$run_dir/fence-answer"
}

# While another one has the lock: the server knows best whether that one shows life. Not by a node that has heard no peer since it came
# back: the peer may be about to.
ask_for_silent() {
  [[ -n $fence_server && -e $heard_file ]] || return 0
  read_uptime
  ((now >= next_asked)) || return 0
  ask fence-silent
  read_uptime
  next_asked=$((now + ask_every))
  case "$answer" in
    fenced\ *) note "the NFS server has fenced the silent holder of the lock" ;;
    *) ! is_fenced ;;
  esac
}

# The server says so to nobody else.
is_fenced() {
  [[ $answer == "refused: fenced itself, as "* ]] || return 1
  printf '%s\n' "${answer##* }" >"$fenced_file"
  note "this node is fenced at the share: no lock"
}

# With the lock: a peer that has left its mark may be frozen, and wake up to write. Returns 1 when this node must not serve. Only an answer
# to a question that was asked with this lock counts, so the lock is confirmed last.
exclude_peer() {
  put_mark || {
    note "the share does not take this node's mark"
    return 1
  }
  [[ ! -e $marks_dir/$peer_name ]] || fence_peer || return 1
  [[ -z $stopping ]] || return 0
  confirm_lock || {
    note "the share has not confirmed the lock"
    return 1
  }
}

# Where the server cannot be asked, or cannot do it, the lease has decided, as without fencing.
fence_peer() {
  note "$peer_name has not ended in order: asking the NFS server to fence it"
  ask fence
  [[ -z $stopping ]] || return 0
  case "$answer" in
    fenced\ *) note "the NFS server has fenced $peer_name" ;;
    *)
      ! is_fenced || return 1
      note "$peer_name is not fenced, and only the lease has ended its lock: ${answer:-$(no_answer)}"
      ;;
  esac
}
