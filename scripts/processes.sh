# shellcheck shell=bash disable=SC2154
# Stops and starts what runs on a node during a rollout. Needs data.sh, report.sh, files.sh, settle.sh, apply.sh.

# record_stopped UNIT..., after look_at_units: on the disk before they stop, or the next try would take what this one has stopped for how it was.
record_stopped() {
  if ! record_units "$@" || ! sync_records; then
    fail node/write "$before_dir" "an error" "success" "is /var full?"
  fi
}

# The services that the pair will run, wherever they run now: a stand-alone installation ends here.
stop_services() {
  local unit
  local -a units there=() running=()
  read -r -a units <<<"nms ${data[SERVICES]}"
  units=("${units[@]/%/.service}")
  look_at_units "${units[@]}"
  for unit in "${units[@]}"; do
    [[ ${unit_load[$unit]} == not-found ]] || there+=("$unit")
    [[ ${unit_active[$unit]} == @(inactive|failed) ]] || running+=("$unit")
  done
  record_stopped "${there[@]}"
  ((${#running[@]})) || return 0
  timeout 300 systemctl stop "${running[@]}" </dev/null || fail rollout/services "systemctl stop ${running[*]}" \
    "an error, or no end in 300 s" "stopped services" "see: systemctl status ${running[*]}"
  changed "stopped ${running[*]}"
}

# look_for_astray UNIT...: sets `astray` to those that run outside of the pair's slice.
look_for_astray() {
  local key value unit='' group='' answered=0
  astray=()
  while IFS='=' read -r key value; do
    case "$key" in
      Id) unit="$value" answered=$((answered + 1)) ;;
      ControlGroup) group="$value" ;;
      "")
        [[ $group == @(|/nimha.slice/*) ]] || astray+=("$unit")
        unit='' group=''
        ;;
    esac
  done < <(
    timeout 30 systemctl show --property=Id,ControlGroup "$@" </dev/null
    echo
  )
  ((answered == $#)) || no_answer_for "$answered" "$@"
}

# gather_services stop|restart, after apply: a service that is new to the pair may run here already, outside of the slice by which the lock
# holder knows that nothing writes any more. On the standby it stops, on the active node it starts anew where the others are.
gather_services() {
  local verb="$1"
  local -a units astray=()
  read -r -a units <<<"${data[SERVICES]}"
  units=("${units[@]/%/.service}")
  look_for_astray "${units[@]}"
  ((${#astray[@]})) || return 0
  look_at_units "${astray[@]}"
  record_stopped "${astray[@]}"
  timeout 300 systemctl "$verb" "${astray[@]}" </dev/null || fail rollout/services "systemctl $verb ${astray[*]}" \
    "an error, or no end in 300 s" "success" "see: systemctl status ${astray[*]}"
  if [[ $verb == stop ]]; then
    changed "stopped ${astray[*]}"
    return
  fi
  changed "restarted ${astray[*]}"
  look_for_astray "${units[@]}"
  ((${#astray[@]} == 0)) || fail rollout/slice "${astray[*]}" "still outside of nimha.slice after systemctl restart" "in it" \
    "systemctl cat ${astray[0]} shows where Slice= is; take it out, systemctl daemon-reload"
}

# On the disk before anything happens: a boot must not start keepalived, for the other node may have another share by then.
keep_keepalived_stopped() {
  { : >"$pending_file" && sync "$pending_file"; } || fail node/write "${pending_file#"$root"}" "an error" "success" \
    "is /var full or read-only?"
}

# Stop keepalived, wait until nothing here serves, and make way for the mounts.
step_aside() {
  keep_keepalived_stopped
  # The other node of a pair built by hand waits for no lock: it finds no services here when it becomes master.
  [[ -e $manifest ]] || stop_services
  rm -f "$stepped_down_file" # the agent would start keepalived again
  look_at_units keepalived.service
  if [[ ${unit_active["keepalived.service"]} != @(inactive|failed) ]]; then
    record_stopped keepalived.service
    timeout 90 systemctl stop keepalived.service </dev/null || fail rollout/keepalived "systemctl stop keepalived" \
      "an error, or no end in 90 s" "a stopped keepalived" "see: systemctl status keepalived"
    changed "stopped keepalived"
  fi
  wait_until "${NIM_HA_DRAIN_LIMIT:-300}" "the services to stop" is_free_of_services || fail rollout/drain "services" \
    "still running, or the lock still held, after ${NIM_HA_DRAIN_LIMIT:-300} s" "none" "see: systemctl status nimha.slice"
  stop_services
  # A new start: what had failed was the old configuration.
  rm -f "$failed_file" "$hold_down_file"
}

# A restart, for one that somebody has started in between may have read the old configuration.
start_keepalived() {
  rm -f "$pending_file"
  sync "$var_dir" # nor does a power cut bring it back
  printf 'STOP\n' >"$vrrp_file"
  systemctl reset-failed keepalived.service 2>/dev/null
  if ! timeout 90 systemctl restart keepalived.service </dev/null || ! keepalived_runs; then
    explain
    fail rollout/keepalived "systemctl restart keepalived" "an error" "a running keepalived" "see the journal above"
  fi
  changed "started keepalived"
}

# With the same instance keepalived keeps the virtual IP over a reload; with a restart the peer would take over.
reload_keepalived() {
  timeout 60 systemctl reload keepalived.service </dev/null || fail rollout/keepalived "systemctl reload keepalived" "an error" \
    "success" "see: systemctl status keepalived"
  changed "keepalived read its new configuration"
  sleep "${NIM_HA_RELOAD_WAIT:-5}" # longer than the three advertisements after which a master would be missed
}

restart_nms() {
  local service units=()
  for service in ${data[SERVICES]}; do
    [[ $service != nms-* ]] || units+=("$service.service")
  done
  ((${#units[@]})) || return 0
  timeout 300 systemctl restart "${units[@]}" </dev/null || fail rollout/services "systemctl restart ${units[*]}" "an error" \
    "success" "see: systemctl status ${units[*]}"
  changed "restarted ${units[*]} for the mode of operation"
}
