# shellcheck shell=bash disable=SC2154
# What this node can say of itself, gathered into shell variables and printed as a page or as JSON.
# Needs paths.sh, node-data.sh, services.sh, fencing.sh. Nothing here touches a mount.

# What the mark of a deploy means, which a deploy that still runs has set, too.
pending_means="keepalived does not start before the deploy that stopped it has come to its end; if that was interrupted, run it again, or, where both nodes have the same share: rm $pending_file && systemctl start keepalived"

gather() {
  local key value address interface now
  phase=UNKNOWN since='' reason='' able='' updated=0
  if [[ -r $state_file ]]; then
    while IFS='=' read -r key value; do
      case "$key" in
        phase) phase="$value" ;;
        since) since="$value" ;;
        reason) reason="$value" ;;
        able) able="$value" ;;
        updated) updated="$value" ;;
      esac
    done <"$state_file"
  fi
  # An agent that stopped writing knows nothing any more.
  read_uptime
  if ((now - updated > 30)); then
    phase=UNKNOWN able=no reason="the agent has written nothing for more than 30 s"
  fi

  # Whoever asks goes on when systemd does not answer.
  keepalived="$(timeout 5 systemctl is-active keepalived.service 2>/dev/null)"
  vrrp_state=UNKNOWN
  case "${keepalived:=unknown}" in
    inactive | failed) vrrp_state=STOP ;;
    unknown) ;;
    *) [[ ! -r $vrrp_file ]] || read -r vrrp_state <"$vrrp_file" ;;
  esac

  [[ -z $able ]] || could_serve "$vrrp_state" || able=no

  holds_virtual_ip=false
  address="$(node_value VIRTUAL_IP)" && interface="$(node_value INTERFACE)" &&
    [[ -n $(ip -o -4 address show dev "$interface" to "${address%/*}" 2>/dev/null) ]] && holds_virtual_ip=true
  virtual_ip="$address"
  holds_lock=false
  [[ -e $lock_held ]] && holds_lock=true

  mapfile -t service_names < <(monitored_services)
  mapfile -t service_states < <(timeout 5 systemctl is-active "${service_names[@]/%/.service}" 2>/dev/null)
  look_at_drift
  [[ $keepalived == active || ! -e $pending_file ]] || reason="$pending_means"
}

# /var/lib/nim-ha/manifest, written by the deploy: "<octal mode> <sha256> <path>" for each file put there. All sums, and all
# modes and owners, are read by one process each. All of them are root's, who alone reads the list.
look_at_drift() {
  local mode owner sum path line operation_mode expected=()
  local -A sums=() modes=() owners=() lines=()
  drifted=()
  if [[ ! -s $var_dir/manifest ]]; then
    drifted+=("${var_dir#"$root"}/manifest: missing")
  elif [[ ! -r $var_dir/manifest ]]; then
    drifted+=("${var_dir#"$root"}/manifest: only root may read it; run this with sudo")
  else
    mapfile -t expected <"$var_dir/manifest"
    while read -r sum path; do
      sums["$path"]="$sum"
    done < <(sha256sum -- "${expected[@]/#* \//$root/}" 2>/dev/null </dev/null)
    while read -r mode owner path; do
      modes["$path"]="$mode" owners["$path"]="$owner"
    done < <(stat -c '%a %u %n' -- "${expected[@]/#* \//$root/}" 2>/dev/null)
    for line in "${expected[@]}"; do
      read -r mode sum path <<<"$line"
      if [[ -z ${sums["$root$path"]-} ]]; then
        drifted+=("$path: missing")
      elif [[ ${sums["$root$path"]} != "$sum" ]]; then
        drifted+=("$path: content")
      elif [[ ${modes["$root$path"]} != "$mode" ]]; then
        drifted+=("$path: mode")
      elif [[ ${owners["$root$path"]} != "$EUID" ]]; then
        drifted+=("$path: owner")
      fi
    done
  fi
  # As deployed, also where they were there before us and are on no record as ours.
  mapfile -t expected < <(node_value FSTAB 2>/dev/null)
  [[ ${#expected[@]} != 0 || ! -r $var_dir/fstab.lines ]] || mapfile -t expected <"$var_dir/fstab.lines"
  if ((${#expected[@]})); then
    while IFS= read -r line || [[ -n $line ]]; do
      [[ -z $line ]] || lines["$line"]=there
    done <"$fstab"
    for line in "${expected[@]}"; do
      [[ -z $line || -n ${lines["$line"]-} ]] || drifted+=("/etc/fstab: $line")
    done
  fi
  # One line of a file that is not ours, and on no list.
  operation_mode="$(node_value OPERATION_MODE 2>/dev/null)"
  [[ -z $operation_mode || "$(bash "$lib/operation-mode.sh" get 2>/dev/null)" == "$operation_mode" ]] || drifted+=("${nms_conf#"$root"}: mode of operation")
  # A unit that is masked, or gone, is not for a deploy to mend by itself. No answer says nothing.
  mapfile -t expected < <(timeout 5 systemctl is-enabled keepalived.service nim-ha-agent.service 2>/dev/null </dev/null)
  if ((${#expected[@]} == 2)); then
    [[ ${expected[0]} != disabled ]] || drifted+=("keepalived.service: not in the boot")
    [[ ${expected[1]} != disabled ]] || drifted+=("nim-ha-agent.service: not in the boot")
  fi
  # Of files as deployed the running processes may know nothing yet.
  for path in "$pending_file" "$var_dir/todo"; do
    [[ ! -e $path ]] || drifted+=("${path#"$root"}: a deploy has not come to its end; if it was interrupted, run it again")
  done
  config_in_sync=true
  ((${#drifted[@]} == 0)) || config_in_sync=false
}

# What follows prints piece by piece: on a busy node each process costs more than all the words.

# json_string TEXT
json_string() {
  local text="$1"
  text="${text//\\/\\\\}"
  text="${text//\"/\\\"}"
  text="${text//[[:cntrl:]]/ }"
  printf '"%s"' "$text"
}

# json_member NAME TEXT [SEPARATOR]: one more member of an object, after a comma if nothing else is said.
json_member() {
  printf '%s' "${3-,}"
  json_string "$1"
  printf ':'
  json_string "$2"
}

# mount_json MOUNT_POINT
mount_json() {
  local mount_line device type options mounted=false
  json_string "${1#"$root"}"
  if ! find_mount "$1"; then
    printf ':{"mounted":false,"source":null,"type":null,"options":null}'
    return
  fi
  read -r device _ type options _ <<<"$mount_line"
  ! is_nfs_mounted "$1" || mounted=true
  printf ':{"mounted":%s' "$mounted"
  json_member source "$device"
  json_member type "$type"
  json_member options "$options"
  printf '}'
}

print_json() {
  local index text separator='' is_able=null is_fenced=null
  [[ $able != yes ]] || is_able=true
  [[ $able != no ]] || is_able=false
  ! read_fencing || is_fenced=false
  [[ $is_fenced == null || ! -e $fenced_file ]] || is_fenced=true
  printf '{"reachable":true'
  json_member reason "$reason"
  json_member vrrp_state "$vrrp_state"
  printf ',"holds_virtual_ip":%s,"holds_lock":%s' "$holds_virtual_ip" "$holds_lock"
  json_member phase "$phase"
  printf ',"able":%s,"fenced":%s' "$is_able" "$is_fenced"
  json_member keepalived "$keepalived"
  printf ',"services":{'
  for index in "${!service_names[@]}"; do
    json_member "${service_names[index]}" "${service_states[index]:-unknown}" "$separator"
    separator=,
  done
  printf '},"mounts":{'
  mount_json "$clickhouse_mount"
  printf ','
  mount_json "$nms_mount"
  printf '},"config_in_sync":%s,"drifted":[' "$config_in_sync"
  separator=''
  for text in "${drifted[@]}"; do
    printf '%s' "$separator"
    json_string "$text"
    separator=,
  done
  printf ']'
  json_member since "$since"
  printf '}\n'
}

print_page() {
  local index point
  printf '%-14s %s%s\n' phase "$phase" "${since:+ since $since}"
  [[ -z $reason ]] || printf '%-14s %s\n' reason "$reason"
  printf '%-14s %s\n' able "${able:-unknown}"
  printf '%-14s %s, VRRP state %s\n' keepalived "$keepalived" "$vrrp_state"
  printf '%-14s %s %s\n' "virtual IP" "$virtual_ip" "$([[ $holds_virtual_ip == true ]] && echo "held here" || echo "not here")"
  printf '%-14s %s\n' "lock" "$([[ $holds_lock == true ]] && echo "held here" || echo "not here")"
  ! read_fencing || printf '%-14s by the NFS server %s; this node is %s\n' fencing "$fence_server" "$([[ -e $fenced_file ]] && echo "fenced, or not back yet" || echo "not fenced")"
  for index in "${!service_names[@]}"; do
    printf '%-14s %-22s %s\n' "$([[ $index == 0 ]] && echo services)" "${service_names[index]}" "${service_states[index]:-unknown}"
  done
  for point in "$clickhouse_mount" "$nms_mount"; do
    printf '%-14s %-22s %s\n' "$([[ $point == "$clickhouse_mount" ]] && echo mounts)" "${point#"$root"}" \
      "$(is_nfs_mounted "$point" && mount_line "$point" | cut -d' ' -f1 || echo "not mounted")"
  done
  printf '%-14s %s\n' config "$([[ $config_in_sync == true ]] && echo "as deployed" || echo "differs from what was deployed:")"
  for index in "${!drifted[@]}"; do
    printf '%-14s   %s\n' '' "${drifted[index]}"
  done
}
