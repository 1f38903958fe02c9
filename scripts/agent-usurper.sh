# shellcheck shell=bash disable=SC2034,SC2154
# Part of the agent: a master that waits for a lock whose holder is alive is one master too many. It stops its keepalived, and
# starts it again when the holder's heartbeat stands still, so that staying away costs a takeover no more than that. Otherwise after a
# while: only two that run can tell whether they hear each other again. Each such try takes clients away from the holder when they do
# not, so the next one comes much later. Needs paths.sh, log.sh, agent-probes.sh.
#
# It stays able until then, and is given the time: a holder that gives way says so with a dash, which a busy node may need some seconds for, and a network
# that is mended within a few is for VRRP to settle. A check that fails earlier ends no mastership without another one to be heard, and with one the two would swap.

# Seconds, all of them.
usurper_after=10 # waiting while the heartbeat advances
still_after=10   # without a heartbeat, the holder is gone or about to be
gone_after=10    # keepalived, once asked to stop
away_at_first=60 # five times as long when the next time comes soon after the return
away_at_most=3600
soon=60

heartbeat_seen="$run_dir/heartbeat-seen"
holder_beats_since=0 holder_beat_at=0 holder_size='' holder_probe='' share_read_at=0 away_for=0 back_at=0

# The holder's heartbeat is the size of the lock file, and its last byte a dash where the holder's services have failed. Reading it may
# hang with the server, so one child at a time does; what cannot be read is no news.
watch_holder() {
  local size last
  forget_ended holder_probe
  if [[ ($phase != WAITING || -n $letting_go_why) && ! -e $stepped_down_file ]]; then
    holder_beats_since=0 holder_size='' share_read_at="$now"
    return
  fi
  if [[ -z $holder_probe ]]; then
    (
      # shellcheck disable=SC2016 # $1 is for the inner shell
      seen="$(timeout -s KILL 5 bash -c 'wc -c <"$1" && tail -c 1 "$1"' _ "$share_lock" 2>/dev/null)" &&
        printf '%s\n' "${seen//$'\n'/ }" >"$heartbeat_seen"
    ) &
    holder_probe=$!
  fi
  [[ -s $heartbeat_seen ]] && read -r size last <"$heartbeat_seen"
  [[ -n ${size-} ]] || return
  : >"$heartbeat_seen"
  share_read_at="$now"
  if [[ -n $holder_size && $size != "$holder_size" && $last != - ]]; then
    holder_beat_at="$now"
    ((holder_beats_since)) || holder_beats_since="$now"
  elif ((holder_beats_since && now - holder_beat_at > still_after)); then
    holder_beats_since=0
  fi
  holder_size="$size"
}

is_beating() {
  ((holder_beats_since && holder_beat_at > holder_beats_since && now - holder_beat_at <= still_after))
}

# An agent that was restarted has yet to see whether the heartbeat stands still.
recall_holder() {
  [[ ! -e $stepped_down_file ]] || holder_beats_since="$now" holder_beat_at="$now"
}

step_down_or_return() {
  local at
  if [[ ! -e $stepped_down_file ]]; then
    [[ $phase == WAITING ]] && is_beating && ((now - holder_beats_since >= usurper_after)) || return
    if ((back_at && now - back_at < soon)); then
      away_for=$((5 * away_for < away_at_most ? 5 * away_for : away_at_most))
    else
      away_for=$away_at_first
    fi
    note "master without the lock, and its holder is alive: stepping down for at most $away_for s"
    printf '%s %s\n' "$now" "$away_for" >"$stepped_down_file"
    systemctl --no-block stop keepalived.service
    return
  fi
  read -r at away_for <"$stepped_down_file"
  # Or it was started by hand, by somebody who has mended the network.
  ((now - at >= away_for || (!holder_beats_since && now - at >= still_after))) ||
    { [[ $vrrp != STOP ]] && ((now - at >= gone_after)); } || return
  # First the start: an agent that dies in between must not leave a keepalived that nobody starts.
  systemctl --no-block start keepalived.service || return
  note "stepped down $((now - at)) s ago: back"
  rm -f "$stepped_down_file"
  back_at="$now"
}
