# shellcheck shell=bash disable=SC2154
# Part of the lock holder: with fencing, what comes before the lock, before the services, and while they run. A question to the server may hang, so
# nothing here waits for one but what must not go on without its answer. Needs paths.sh, log.sh, fencing.sh, heartbeat.sh; of the lock holder `stopping`
# and nap.

ask_every=3   # seconds, at first
ask_seldom=60 # while the services run: each question makes the server go through all of its exports
insist_for=20 # seconds in which the server is asked again before the services start beside a peer that may be frozen
asking=''     # the process that asks
at_large=''   # why: the services run, and the peer may still be able to write
next_asked=0

# begin_asking REQUEST: in a process group of its own, so that all of it can be ended.
begin_asking() {
  # One that was not waited for still writes to its own.
  rm -f "$run_dir/fence-answer"
  set -m
  ask_server "$1" >"$run_dir/fence-answer" 7>&- 9>&- &
  asking=$!
  set +m
  disown -a # as in the main loop
}

# Whether the question has come to its end; sets `answer`, empty where none came.
is_answered() {
  [[ -n $asking ]] && ! kill -0 "$asking" 2>/dev/null || return 1
  asking='' answer=''
  read -r answer <"$run_dir/fence-answer"
  read_uptime
  next_asked=$((now + ask_every))
}

stop_asking() {
  [[ -z $asking ]] || kill -KILL -- "-$asking" 2>/dev/null
  asking=''
}

# ask_beside REQUEST: asks now and then, and returns 0 when there is an answer.
ask_beside() {
  ! is_answered || return 0
  [[ -n $asking ]] || ! is_time_to_ask || begin_asking "$1"
  return 1
}

is_time_to_ask() {
  read_uptime
  ((now >= next_asked))
}

# note_at_large [WHY]: for the agent, which tells a person.
note_at_large() {
  at_large="${1-}"
  if [[ -n $at_large ]]; then
    printf '%s\n' "$at_large" 2>/dev/null >"$at_large_file"
  else
    rm -f "$at_large_file"
  fi
}

# While another one has the lock: the server knows best whether that one shows life. Not by a node that has heard no peer since it came
# back: the peer may be about to. Returns 1 when this node is fenced itself.
ask_for_silent() {
  [[ ! -e $fenced_file ]] || return 1
  [[ -n $fence_server && -e $heard_file ]] && ask_beside fence-silent || return 0
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
  stop_asking
  put_mark || {
    note "the share does not take this node's mark"
    return 1
  }
  ! may_be_marked || fence_peer || return 1
  [[ -z $stopping ]] || return 0
  # What was learned meanwhile: the way back from a fence takes the mark away.
  [[ ! -e $fenced_file ]] || {
    note "fenced at the share, or yet to ask whether it is: no lock"
    return 1
  }
  confirm_lock || {
    note "the share has not confirmed the lock"
    return 1
  }
}

# Where the server cannot be asked, or cannot do it, the lease has decided, as without fencing; but the server is asked on, for a peer that was frozen
# for longer than the lease is as dangerous an hour later.
fence_peer() {
  local until
  note "$peer_name has not ended in order: asking the NFS server to fence it"
  read_uptime
  until=$((now + insist_for)) next_asked=0
  while [[ -z $stopping ]]; do
    if ask_beside fence; then
      case "$answer" in
        fenced\ *)
          note "the NFS server has fenced $peer_name"
          return 0
          ;;
      esac
      ! is_fenced || return 1
    fi
    read_uptime
    ((now < until)) || break
    nap 0.2
  done
  [[ -z $stopping ]] || return 0
  note_at_large "${answer:-$(no_answer)}"
  note "$peer_name is not fenced, and only the lease has ended its lock; asking on while this node serves: $at_large"
}

# While the services run beside a peer that is not fenced, until it is, or has taken its mark back. Returns 1 when this node must not serve.
ask_on() {
  [[ -n $at_large ]] || return 0
  # A server that is back answers the peer as well: one that has come back in order meanwhile is not fenced for it.
  if [[ -z $asking ]] && is_time_to_ask && ! may_be_marked; then
    note_at_large
    return 0
  fi
  ask_beside fence || return 0
  case "$answer" in
    fenced\ *)
      note_at_large
      note "the NFS server has fenced $peer_name"
      ;;
    *)
      ! is_fenced || return 1
      if may_be_marked; then note_at_large "${answer:-$(no_answer)}"; else note_at_large; fi
      ask_every=$((2 * ask_every < ask_seldom ? 2 * ask_every : ask_seldom))
      ;;
  esac
}
