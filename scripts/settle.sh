# shellcheck shell=bash disable=SC2154
# What the node is doing, and waiting until it does what it should. Needs paths.sh, pause.sh, node-data.sh, services.sh, report.sh; what waits for a
# role also processes.sh, and storage.sh beside it.

# phase_now: the phase that the agent wrote in the last seconds, or UNKNOWN; also sets $able, as could_serve has it, and $reason.
phase_now() {
  local key value now vrrp='' updated=-1000
  phase=UNKNOWN able=no reason=''
  [[ -r $state_file ]] || return 0
  while IFS='=' read -r key value; do
    case "$key" in
      phase) phase="$value" ;;
      able) able="$value" ;;
      reason) reason="$value" ;;
      updated) updated="$value" ;;
    esac
  done <"$state_file"
  read -r now _ <"$uptime_file"
  if ((${now%.*} - updated > 30)); then phase=UNKNOWN able=no reason="the agent writes nothing"; fi
  [[ ! -r $vrrp_file ]] || read -r vrrp <"$vrrp_file"
  could_serve "$vrrp" || able=no
}

is_active_node() {
  phase_now
  [[ -e $lock_held && ($phase == ACTIVE || $phase == STARTING) ]]
}

holds_virtual_ip() {
  has_address "${data[VIRTUAL_IP]}"
}

is_free_of_services() {
  [[ ! -e $lock_held ]] && ! slice_populated
}

keepalived_runs() {
  systemctl --quiet is-active keepalived.service
}

explain() {
  # Matches of one kind are alternatives, of two kinds both demanded, unless there is a plus between them.
  local unit args=(SYSLOG_IDENTIFIER=nim-ha)
  for unit in keepalived nim-ha-agent nim-ha-lock ${data[SERVICES]}; do
    args+=(+ "_SYSTEMD_UNIT=$unit.service")
  done
  say "the journal of the last minutes:"
  timeout 20 journalctl --no-pager --quiet --since=-10min --lines=40 --output=short-iso "${args[@]}" 2>&1 </dev/null ||
    timeout 20 journalctl --no-pager --quiet --lines=40 2>&1 </dev/null
}

# wait_until SECONDS WHAT COMMAND...: with a line of progress every ten seconds.
wait_until() {
  local limit="$1" what="$2" begin=$SECONDS told=0
  shift 2
  until "$@"; do
    if ((SECONDS - begin >= limit)); then return 1; fi
    if (((SECONDS - begin) / 10 > told)); then
      told=$(((SECONDS - begin) / 10))
      phase_now
      say "waiting for $what: $((SECONDS - begin)) s, phase $phase${reason:+ ($reason)}"
    fi
    pause "${NIM_HA_POLL:-1}"
  done
  return 0 # not what the pause returned
}

# vrrp_is STATE: what keepalived has told notify last.
vrrp_is() {
  local vrrp=
  [[ ! -r $vrrp_file ]] || read -r vrrp <"$vrrp_file"
  # shellcheck disable=SC2053 # a pattern
  [[ $vrrp == $1 ]]
}

# VRRP has spoken since keepalived was started; it says nothing at all on a node that can't hear itself think.
has_settled() {
  phase_now
  [[ $phase != UNKNOWN ]] && vrrp_is '@(MASTER|BACKUP|FAULT)'
}

is_serving() {
  is_active_node && [[ $phase == ACTIVE ]] && holds_virtual_ip
}

# Nothing is left to wait for: it serves, or has failed, or another VRRP master keeps it from being elected.
is_serving_or_hopeless() {
  is_serving || [[ $phase == FAILED ]] ||
    { [[ $phase == STANDBY ]] && vrrp_is BACKUP && ((SECONDS - begin > 60)); }
}

is_good_standby() {
  [[ ! -e $stepped_down_file ]] && has_settled && [[ $phase == STANDBY && $able == yes ]] && ! holds_virtual_ip
}

# Good, or one master too many: the agent stops that one's keepalived.
is_serving_or_standby_or_usurper() {
  is_serving || is_good_standby || [[ -e $stepped_down_file ]]
}

# lock_holder ELSE: hostname and boot of who has the lock, as it has written it on the share; ELSE where that does not say.
lock_holder() {
  timeout -s KILL 5 cat "$share_holder" 2>/dev/null || printf '%s' "$1"
}

# At once, and over reboots, until a deploy has come to its end.
leave_the_pair() {
  rm -f "$stepped_down_file"
  timeout 60 systemctl stop keepalived.service
  keep_keepalived_stopped
}

# wait_for_serving [alone]: alone, where no other node may be active.
wait_for_serving() {
  local begin=$SECONDS
  wait_until "${NIM_HA_START_LIMIT:-300}" "the services" is_serving_or_hopeless
  phase_now
  if is_serving; then
    say "active, with the virtual IP, after $((SECONDS - begin)) s"
    return
  fi
  explain
  if [[ $phase == WAITING || ($phase != FAILED && ! -e $lock_held) ]] && holds_virtual_ip; then
    fail rollout/master-without-lock "this node" "the virtual IP without the lock" "both or none" \
      "another node has the lock ($(lock_holder "no name in $share_holder")): do the nodes hear each other's VRRP?"
  fi
  if [[ ${1-} == alone && $phase == STANDBY ]] && vrrp_is BACKUP; then
    leave_the_pair # what that master serves may be on another share
    fail rollout/another-master "VRRP on ${data[INTERFACE]}" \
      "another master of router id ${data[VIRTUAL_ROUTER_ID]}" "none, for no node of this pair is active" \
      "find it (tcpdump -ni ${data[INTERFACE]} vrrp): the peer's keepalived, or another pair with the same router id; keepalived is stopped here"
  fi
  fail rollout/not-active "phase" "$phase${reason:+ ($reason)}" "ACTIVE within ${NIM_HA_START_LIMIT:-300} s" \
    "see the journal above; then run the deploy again"
}

# A master without the lock: one too many where its holder lives. A dead one's is kept by the server for the lease, and this node serves after it.
another_has_lock() {
  [[ -e $stepped_down_file ]] ||
    { [[ ! -e $lock_held ]] && { [[ $phase == WAITING ]] || holds_virtual_ip; } && another_beats; }
}

another_beats() {
  [[ "$(NIM_HA_NODE_DATA="$node_data" timeout 60 bash "$lib/storage.sh" holder)" == beating && ! -e $lock_held ]]
}

# A standby is what every node begins as: it counts where another one is seen to serve.
is_serving_or_follows() {
  is_serving || [[ $phase == FAILED || -e $stepped_down_file ]] || { is_good_standby && another_beats; }
}

# wait_for_either SECONDS: the active node that was started anew, whose peer may have taken over meanwhile.
wait_for_either() {
  local begin=$SECONDS
  wait_until 30 "the first VRRP election" has_settled
  wait_for_role "$1" "the services, here or on the other node" is_serving_or_follows ||
    fail rollout/not-active "phase" "$phase${reason:+ ($reason)}" "ACTIVE within $1 s, or STANDBY beside a node that serves" \
      "see the journal above; then run the deploy again"
  say "phase $phase after $((SECONDS - begin)) s"
}

# wait_for_standby SECONDS: the node that was started as the second one. If the other has failed in between, this one serves by now: fine, too.
wait_for_standby() {
  local begin=$SECONDS
  wait_until 30 "the first VRRP election" has_settled
  sleep "${NIM_HA_RELOAD_WAIT:-5}" # every node begins as BACKUP, and one without a peer is master after 3.6 s
  wait_for_role "$1" "a standby that could take over" is_serving_or_standby_or_usurper ||
    fail rollout/not-standby "phase" "$phase, able to take over: $able${reason:+ ($reason)}" "STANDBY, able: yes" \
      "see the journal above; then run the deploy again"
  say "phase $phase after $((SECONDS - begin)) s"
}

# wait_for_role SECONDS WHAT COMMAND: until COMMAND sees it; returns 1 where it has none to come to, with the journal printed, and refuses a second master.
wait_for_role() {
  ! wait_until "$@" || [[ $phase == FAILED || -e $stepped_down_file ]] || return 0
  phase_now
  explain
  ! another_has_lock || refuse_second_master
  return 1
}

# Two nodes that answer for one address are worse than one.
refuse_second_master() {
  leave_the_pair
  fail rollout/two-masters "this node" "master, while another node has the lock" "standby" "$(ask_whether_heard); keepalived is stopped here"
}

ask_whether_heard() {
  printf '%s' "do the nodes hear each other? VRRP is IP protocol 112 to 224.0.0.18 on ${data[INTERFACE]}"
}
