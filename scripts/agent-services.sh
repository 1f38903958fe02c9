# shellcheck shell=bash disable=SC2034,SC2154
# Part of the agent: how the monitored services are. Needs services.sh, log.sh.

# The guide's array may have been changed by a deploy: whoever was active with the old one has to start the new one. A script that
# does not run says nothing; a node that serves goes on with what it knows, and another one cannot become active without it.
read_services() {
  local before="${services[*]}" listed=()
  mapfile -t listed < <(monitored_services)
  notify_works=no
  ((${#listed[@]})) || return
  notify_works=yes
  services=("${listed[@]}")
  [[ -n $before && "${services[*]}" != "$before" && $phase == ACTIVE ]] || return
  phase=STARTING starting_since="$now"
}

# Sets services_are to active, changing or down, and down_service and changing_service to the first of each. While all run, their
# control groups tell, and systemd is asked only now and then.
look_at_services() {
  if [[ $phase == ACTIVE ]] && ((now < next_question)) && all_populated; then
    services_are=active
    return
  fi
  next_question=$((now + retry_every))
  ask_about_services
  [[ $services_are == down && $phase == ACTIVE ]] || return
  read_services
  [[ $phase == ACTIVE ]] || ask_about_services
}

all_populated() {
  local service
  for service in "${services[@]}"; do
    is_populated "$slice_cgroup/$service.service" || return 1
  done
}

# Services that are still at it when the deadline is over may need longer here, on the peer too (a table that is loaded, a recovery);
# without more time they would begin anew on one node and the other for ever. Those that are down get no more.
allow_longer() {
  start_deadline=$((2 * start_deadline < longest_start ? 2 * start_deadline : longest_start))
  printf '%s\n' "$start_deadline" >"$start_deadline_file"
}

# The start deadline goes on counting until they have been active for a while: a service that dies and is restarted again and again
# has not started.
look_at_start() {
  if [[ $services_are != active ]]; then
    steady_since=0
  elif ((!steady_since)); then
    steady_since="$now"
  elif ((now - steady_since >= steady_after)) && [[ -e $start_deadline_file ]]; then
    rm -f "$start_deadline_file"
    start_deadline="$usual_start_deadline"
  fi
  if [[ $1 == no || $2 == no ]] || ((!starting_since || (steady_since && now - steady_since >= steady_after))); then
    starting_since="$now"
  fi
}

# Sets `lock`. When all processes that held it were killed it is anybody's, and what still runs here must not write; the mark stays,
# and with it the watch over the lease, while something does. Without the mark nothing may run, be it what was started while a lock came to its end.
look_at_lock() {
  lock=no
  if [[ ! -e $lock_held ]]; then
    if slice_populated && ! is_populated "$lock_cgroup"; then
      note "services run here without the lock: killing $(slice_processes)"
      empty_slice 1
    fi
    return
  fi
  lock=yes
  is_populated "$lock_cgroup" && return
  if [[ -e $lock_held ]]; then # it did not end in order just now
    empty_slice 1
    note "nobody here holds the lock any more: killed the services"
    systemctl --no-block stop nim-ha.target
    ! slice_populated || return
    rm -f "$lock_held"
  fi
  lock=no
}

# Sets letting_go_why, empty unless the lock holder kills the services itself just now.
look_whether_letting_go() {
  letting_go_why=''
  [[ -e $letting_go ]] || return
  if is_populated "$lock_cgroup"; then
    read -r letting_go_why <"$letting_go"
    : "${letting_go_why:=the lock comes to its end}"
  else
    rm -f "$letting_go"
  fi
}

# A lock that comes to its end serves nobody any more; the next one waits for that.
leave_ending_lock() {
  [[ -z $letting_go_why || $cut_off == yes || $wish == no ]] || lock=no
}

# Services that are down may have been killed by the lock holder since the lock was looked at. It says so before it kills, and takes that back when the lock
# is gone: so the one is looked at first, and then the other.
look_whether_killed() {
  look_whether_letting_go
  look_at_lock
  leave_ending_lock
  [[ $lock == yes ]] || services_are=down down_service=''
}

# One call to systemd for all of them. A unit with a job queued is being restarted by somebody: that is not down yet.
ask_about_services() {
  local key value name='' state='' job='' worst=active judged=0
  down_service='' changing_service=''
  while IFS='=' read -r key value; do
    case "$key" in
      Id) name="$value" ;;
      ActiveState) state="$value" ;;
      Job) job="$value" ;;
      "")
        [[ -n $name ]] && judge_service
        name='' state='' job=''
        ;;
    esac
  done < <(
    timeout 5 systemctl show --property=Id,ActiveState,Job "${services[@]/%/.service}" 2>/dev/null
    echo
  )
  # No answer is no news of services whose processes live. One without any may be gone: the deadline of the start decides.
  if ((judged < ${#services[@]})) && [[ $worst != down ]]; then
    worst=changing
    [[ $phase != ACTIVE ]] || ! all_populated || worst=active
  fi
  services_are="$worst"
}

judge_service() {
  judged=$((judged + 1))
  case "$state" in
    active | reloading) ;;
    activating | deactivating) is_changing ;;
    *)
      if [[ -n $job && $job != 0 ]]; then
        is_changing
      else
        worst=down
        [[ -n $down_service ]] || down_service="$name is $state"
      fi
      ;;
  esac
}

is_changing() {
  [[ $worst != active ]] || worst=changing
  [[ -n $changing_service ]] || changing_service="$name is $state"
}
