#!/bin/bash
# nim-ha: for the person at the machine, and for the deploy that reads what nodes say of themselves.

set -u
lib="$(dirname "$(readlink -f "$0")")"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=fencing.sh
. "$lib/fencing.sh"
# shellcheck source-path=SCRIPTDIR source=status.sh
. "$lib/status.sh"
# shellcheck source-path=SCRIPTDIR source=keepalived-proof.sh
. "$lib/keepalived-proof.sh"
# shellcheck source-path=SCRIPTDIR source=verify.sh
. "$lib/verify.sh"

drain_limit="${NIM_HA_DRAIN_LIMIT:-300}" # seconds

usage() {
  cat <<'TEXT'
usage: nim-ha status [--json]      what this node is and holds
       nim-ha verify               the guide's checks of mounts, keepalived and the virtual IP, judged
       nim-ha switchover           active node only: hand over to the peer, services first, then the virtual IP
       nim-ha maintenance on|off   keep this node out of the pair, over reboots too
       nim-ha rejoin               with fencing: bring this node back to the share now, if it is fenced
       nim-ha generation           number of the roll-out; when files differ from it, one more, with a 0 before it
TEXT
}

die() {
  printf 'nim-ha: %s\n' "$*" >&2
  exit 1
}

must_be_root() {
  ((EUID == 0)) || die "$1 changes the node; run it as root, for example: sudo nim-ha $1"
}

# A deploy stops and starts keepalived in an order of its own, and this must not come in between.
must_not_meet_deploy() {
  ! step_runs ||
    die "a step of a deploy is at work on this node; nothing was changed: run $1 when the deploy has ended"
}

# wait_for SECONDS COMMAND...
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

handed_over() {
  [[ ! -e $lock_held ]] && ! slice_populated
}

elected() {
  [[ -e $want_master ]]
}

# Whoever takes the lock next writes its name there.
is_taken_over() {
  local name=
  read -r name _ < <(timeout -s KILL 5 cat "$share_holder" 2>/dev/null)
  [[ -n $name && $name != "$(uname -n)" ]]
}

# The same, and it writes its heartbeat: a name alone may be that of a node that has died since.
beats_before=''
is_another_at_it() {
  local before="$beats_before"
  is_taken_over && beats_before="$(timeout -s KILL 5 wc -c "$share_lock" 2>/dev/null)" && [[ -n $before && $beats_before != "$before" ]]
}

switchover() {
  [[ ! -e $pending_file ]] || die "nothing was changed: $pending_means"
  gather
  [[ $phase == ACTIVE ]] || die "this node is $phase; run switchover on the active node"
  printf 'stopping the services\n'
  # Without the wish nothing here starts them again; the lock goes when the last process has gone.
  rm -f "$want_master"
  systemctl --no-block stop nim-ha.target nim-ha-lock.service
  wait_for "$drain_limit" handed_over || die "the services did not stop within $drain_limit s; see: systemctl status nimha.slice"
  printf 'services stopped and lock let go after %s s; handing over the virtual IP\n' "$SECONDS"
  # Not one that a deploy has stopped meanwhile.
  { systemctl try-restart keepalived.service && systemctl --quiet is-active keepalived.service; } ||
    die "keepalived did not start again; see: systemctl status keepalived"
  # A peer that is there takes over within a second; without one, this node is elected again after four, and with the
  # hardened profile's delay at the start after nine.
  if wait_for "$([[ "$(node_value PROFILE)" == hardened ]] && echo 15 || echo 8)" elected; then
    die "no peer took over, so this node has the virtual IP again; is the other node up, and what does its nim-ha status say?"
  fi
  wait_for "${NIM_HA_TAKEOVER_LIMIT:-60}" is_taken_over ||
    die "this node has let go, and was not elected again, but no other node has taken the lock on the share yet; see on both nodes: nim-ha status"
  printf 'the peer has the lock and starts its services; this node is standby; see there: nim-ha status\n'
}

maintenance() {
  local new='' stood_by='' still="maintenance is on all the same, until: nim-ha maintenance off"
  case "$1" in
    on)
      [[ -e $maintenance_file || -e $lock_held ]] || elected || stood_by=yes
      # On the disk before anything happens: it has to outlive a power cut, too.
      [[ -e $maintenance_file ]] || new=yes
      { mkdir -p "$var_dir" && : >"$maintenance_file" && sync "$maintenance_file"; } || {
        [[ -z $new ]] || rm -f "$maintenance_file"
        die "$maintenance_file cannot be written; nothing was changed"
      }
      systemctl stop keepalived.service || die "keepalived does not stop; see: systemctl status keepalived; $still"
      wait_for "$drain_limit" handed_over || die "the services did not stop within $drain_limit s; see: systemctl status nimha.slice; $still"
      # One that stood by leaves another one that serves.
      if [[ -z $stood_by ]]; then
        is_share_mounted || die "maintenance is on; whether another node serves cannot be seen from here, for the share is not mounted; see there: nim-ha status"
        wait_for "${NIM_HA_TAKEOVER_LIMIT:-60}" is_another_at_it ||
          die "maintenance is on, and no other node has taken the lock: nobody serves; nim-ha maintenance off brings this one back"
      fi
      printf 'this node is out of the pair, over reboots too, until: nim-ha maintenance off\n'
      ;;
    off)
      rm -f "$maintenance_file" 2>/dev/null || die "$maintenance_file cannot be removed; nothing was changed"
      sync "$var_dir" || die "$maintenance_file is removed, but a power cut may bring it back: $var_dir cannot be written; mend that, then run maintenance off again"
      # systemctl start would succeed without a start.
      [[ ! -e $pending_file ]] || die "maintenance is off, but $pending_means"
      systemctl start keepalived.service || die "keepalived does not start; see: systemctl status keepalived"
      printf 'this node is of the pair again; see: nim-ha status\n'
      ;;
  esac
}

# What the agent does by itself, at once, and with its outcome.
rejoin() {
  local answer why=''
  read_fencing || die "this pair has no fencing (nfsShare.fencing), so this node cannot be fenced"
  answer="$(ask_server status)" || die "$(no_answer); the agent goes on asking"
  if [[ $answer == "fenced "* ]]; then
    printf '%s\n' "${answer#fenced }" >"$fenced_file"
    printf 'fenced as %s: letting go of everything, and asking the server to come back\n' "${answer#fenced }"
  elif [[ $answer == free && -e $fenced_file ]]; then
    printf 'the NFS server has this node not fenced: coming back\n'
  else
    die "this node is not fenced; the NFS server says: $answer"
  fi
  { systemctl start nim-ha-rejoin.service && [[ ! -e $fenced_file ]]; } || {
    read -r why 2>/dev/null <"$rejoin_why_file"
    die "not back yet${why:+: $why}; see: journalctl -t nim-ha -n 20. The agent goes on trying"
  }
  printf 'this node is back at the share; see: nim-ha status\n'
}

# A number may be the other node's, too, and two that are the same are no reason to deploy: the 0 says that this one is not as deployed.
generation() {
  local number=0
  [[ -r $var_dir/generation ]] && read -r number <"$var_dir/generation"
  [[ $number =~ ^(0|[1-9][0-9]{0,8})$ ]] || number=0
  look_at_drift
  [[ $config_in_sync == true ]] || number="0$((number + 1))"
  printf '%s\n' "$number"
}

# Where everything else takes all of the processor, who asks why still gets an answer.
((EUID)) || renice -n -10 -p $$ >/dev/null 2>&1

case "${1-} ${2-}" in
  "status ") gather && print_page ;;
  "status --json") gather && print_json ;;
  "verify ") verify ;;
  "switchover ")
    must_be_root switchover
    must_not_meet_deploy switchover
    switchover
    ;;
  "maintenance on" | "maintenance off")
    must_be_root "maintenance $2"
    must_not_meet_deploy "maintenance $2"
    maintenance "$2"
    ;;
  "rejoin ")
    must_be_root rejoin
    must_not_meet_deploy rejoin
    rejoin
    ;;
  "generation ") generation ;;
  "help " | "--help " | "-h ") usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
