# shellcheck shell=bash disable=SC2034
# The state machine of a node, as one function of what is the case. ARCHITECTURE.md, "On a node: states".

# Sets `phase`.
# next_phase PREVIOUS WISH LOCK POPULATED SERVICES FAULT MAINTENANCE STARTING_FOR START_DEADLINE CUT_OFF FENCED
#   WISH LOCK POPULATED MAINTENANCE  yes|no
#   SERVICES      active | changing (systemd is at work on one) | down (one is inactive or failed)
#   FAULT         none | hold-down | over (the hold-down has passed)
#   CUT_OFF       yes|no: the share has not answered the holder of the lock for half its lease
#   FENCED        yes|no: the NFS server denies this node the share, or has yet to say whether
#   STARTING_FOR  seconds since the node holds the lock without every service being active
next_phase() {
  local previous="$1" wish="$2" lock="$3" populated="$4" services="$5" fault="$6" maintenance="$7" starting_for="$8" \
    start_deadline="$9" cut_off="${10}" fenced="${11}"

  # Without the lock, it is the way back from a fence that isolates this node, and what then mounts the share must not be isolated again.
  if [[ $cut_off == yes && ($fenced == no || $lock == yes) ]]; then
    phase=ISOLATED
  elif [[ $fenced == yes ]]; then
    phase=FENCED
  elif [[ $wish == no ]]; then
    if [[ $lock == yes || $populated == yes ]]; then
      phase=DRAINING
    elif [[ $maintenance == yes ]]; then
      phase=MAINTENANCE
    else
      phase=STANDBY
    fi
  elif [[ $fault == hold-down ]]; then
    phase=FAILED
  elif [[ $lock == no ]]; then
    phase=WAITING
  elif [[ $services == active ]]; then
    phase=ACTIVE
  elif [[ $previous == ACTIVE && $services == down ]]; then
    phase=FAILED
  elif ((starting_for > start_deadline)); then
    phase=FAILED
  else
    phase=STARTING
  fi
}
