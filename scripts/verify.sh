# shellcheck shell=bash disable=SC2154
# `nim-ha verify`: the guide's "Verify NFS mounts", "Verify failover" and "Troubleshooting" lists, run and judged.
# Needs paths.sh, node-data.sh, services.sh, status.sh, fencing.sh, keepalived-proof.sh. Every command has a time limit: the share may hang.

verdict() {
  local result="$1" what="$2" detail="${3-}"
  printf '%-5s %s%s\n' "$result" "$what" "${detail:+: $detail}"
  [[ $result == FAIL ]] && failures=$((failures + 1))
  return 0
}

# judge WHAT COMMAND...: ok when the command ends with 0 in time; its last line is shown when it does not. Into a file: what waits for a share that
# hangs cannot even be killed, and a pipe would wait with it.
judge() {
  local what="$1"
  shift
  if timeout -s KILL 10 "$@" >"$said" 2>&1 </dev/null; then
    verdict ok "$what"
  else
    verdict FAIL "$what" "$(tail -n 1 "$said")"
  fi
}

# Tools that the guide uses and a minimal system may lack. What they ask NFSv4 does without, so its port need not be open.
judge_if_there() {
  if ! command -v "$2" >/dev/null; then
    verdict skip "$1" "$2 is not installed here"
  elif ! is_open "${!#}" 111; then
    verdict skip "$1" "${!#} does not answer on port 111, which NFSv4 does not need"
  else
    judge "$@"
  fi
}

# is_open SERVER PORT
is_open() {
  # shellcheck disable=SC2016 # for the inner shell
  timeout -s KILL 10 bash -c 'exec 3<>"/dev/tcp/$1/$2"' _ "$@" 2>/dev/null
}

verify_mounts() {
  local server="$1" path="$2" point mount_line source expected options what
  for point in "$clickhouse_mount" "$nms_mount"; do
    what="$point is mounted from the share"
    if ! is_nfs_mounted "$point"; then
      verdict FAIL "$what" "not mounted; try: systemctl start $(mount_unit "$point")"
      continue
    fi
    find_mount "$point"
    read -r source _ _ options _ <<<"$mount_line"
    expected="$(source_on "$server" "$path" "${point##*/}")"
    if [[ $source == "$expected" ]]; then verdict ok "$what"; else verdict FAIL "$what" "got $source, expected $expected"; fi
    what="$point speaks NFSv4"
    case ",$options," in
      *,vers=4.*,*) verdict ok "$what" ;;
      *) verdict FAIL "$what" "got $options" ;;
    esac
    what="$point is hard and locks on the server"
    case ",$options," in
      *,soft,* | *,softerr,* | *,local_lock=flock,* | *,local_lock=posix,* | *,local_lock=all,* | *,nolock,*) verdict FAIL "$what" "got $options" ;;
      *) verdict ok "$what" ;;
    esac
    judge "df -h $point" df -h "$point"
    judge "ls -lart $point" ls -lart "$point"
  done
  what="NFS server $server answers on port 2049"
  if is_open "$server" 2049; then
    verdict ok "$what"
  else
    verdict FAIL "$what" "no connection; is nfs-server running there, and does a firewall let this node through?"
  fi
  judge_if_there "rpcinfo -p $server" rpcinfo -p "$server"
  judge_if_there "showmount -e $server" showmount -e "$server"
}

verify_keepalived() {
  local profile complaint
  judge "keepalived is running" systemctl is-active keepalived.service
  profile="$(node_value PROFILE)"
  prove_conf "$keepalived_conf" "$profile" 10
  if [[ -z $complaint ]]; then
    verdict ok "keepalived -t"
  else
    verdict FAIL "keepalived -t" "${complaint//$'\n'/ }"
  fi
  if [[ $profile == guide ]] && timeout -s KILL 10 id keepalived_script >/dev/null 2>&1; then
    verdict FAIL "no user keepalived_script" \
      "there, and keepalived would run the scripts as this user, without the rights they need; remove the user, or use the hardened profile"
  elif [[ $profile == guide ]]; then
    verdict ok "no user keepalived_script"
  fi
  # It must not pass for a check of keepalived's.
  judge "the check lets this node be master" env NIM_HA_CHECKED=/dev/null "$scripts_dir/nms-check-keepalived.sh"
}

# With fencing alone.
verify_fencing() {
  local answer why='' what="the NFS server answers, and has this node not fenced"
  read_fencing || return 0
  answer="$(ask_server status)" || answer="$(no_answer)"
  if [[ $answer == free ]]; then
    verdict ok "$what"
  else
    verdict FAIL "$what" "$answer"
  fi
  [[ -e $lock_held && -e $at_large_file ]] || return 0
  read -r why 2>/dev/null <"$at_large_file"
  verdict FAIL "the other node is fenced, or has ended in order" "$why"
}

# "ip a | grep VIP" on one node is content with two holders. This one asks the network too.
verify_virtual_ip() {
  local address="${virtual_ip%/*}" interface="$1" answer answers what="the virtual IP is where the services are"
  case "$holds_virtual_ip $phase" in
    "true ACTIVE" | "true STARTING") verdict ok "$what" ;;
    "true WAITING") verdict FAIL "$what" "held here, and the lock is not: another node has it, or had" ;;
    true*) verdict FAIL "$what" "held here in phase $phase" ;;
    *ACTIVE | *STARTING) verdict FAIL "$what" "the services are here, in phase $phase, and it is not" ;;
  esac
  what="nobody else holds $address"
  if ! command -v arping >/dev/null; then
    verdict skip "$what" "arping is not installed here"
    return
  fi
  count_answers
  if [[ -z $answers ]]; then
    verdict FAIL "arping $address" "${answer##*$'\n'}"
  elif [[ $holds_virtual_ip == true && $answers == 0 ]]; then
    verdict ok "$what"
  elif [[ $holds_virtual_ip == true ]]; then
    verdict FAIL "$what" "$(grep -i -m1 ' from ' <<<"$answer")"
  elif ((answers)); then
    verdict ok "another node holds $address"
  else
    verdict FAIL "another node holds $address" "no answer; is the peer up?"
  fi
}

# Sets `answers` to how many machines said that they have the address, empty where arping could not ask; and `answer`. Two programs have that name.
# That of iputils asks from the address itself where this node has it, and gets no answer then, without -D; to Debian's package arping -D is something
# else. Their exit codes differ, too.
count_answers() {
  local how=()
  [[ $holds_virtual_ip != true || "$(arping -V 2>&1)" != *iputils* ]] || how=(-D)
  answer="$(LC_ALL=C timeout -s KILL 10 arping "${how[@]}" -c 2 -w 3 -I "$interface" "$address" 2>&1)"
  answers=''
  if [[ $answer =~ Received\ ([0-9]+)\ response || $answer =~ ([0-9]+)\ packets\ received ]]; then answers="${BASH_REMATCH[1]}"; fi
}

# All of them where this node serves, none anywhere else.
verify_services() {
  local index state wrong='' expected what
  case "$phase" in
    ACTIVE) expected=active ;;
    STANDBY | MAINTENANCE | FENCED) expected=inactive ;;
    *) return ;;
  esac
  what="services are $expected, as phase $phase has it"
  for index in "${!service_names[@]}"; do
    state="${service_states[index]:-unknown}"
    [[ $state == "$expected" || $expected$state == inactivefailed ]] || wrong+=" ${service_names[index]} $state"
  done
  if ((${#service_names[@]} == 0)); then
    verdict FAIL "$what" "the notify script names none"
  elif [[ -z $wrong ]]; then
    verdict ok "$what"
  else
    verdict FAIL "$what" "got$wrong"
  fi
}

verify() {
  failures=0
  said="$(mktemp)" || return
  gather
  verify_mounts "$(node_value NFS_SERVER)" "$(node_value NFS_EXPORT_PATH)"
  verify_keepalived
  verify_virtual_ip "$(node_value INTERFACE)"
  verify_services
  verify_fencing
  if [[ $config_in_sync == true ]]; then
    verdict ok "files are as deployed"
  else
    verdict FAIL "files are as deployed" "${drifted[*]}"
  fi
  rm -f "$said"
  printf '%s\n' "$failures failed"
  ((failures == 0))
}
