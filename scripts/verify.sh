# shellcheck shell=bash disable=SC2154
# `nim-ha verify`: the guide's "Verify NFS mounts", "Verify failover" and "Troubleshooting" lists, run and judged.
# Needs paths.sh, node-data.sh, services.sh, status.sh. Every command has a time limit: the share may hang.

verdict() {
  local result="$1" what="$2" detail="${3-}"
  printf '%-5s %s%s\n' "$result" "$what" "${detail:+: $detail}"
  [[ $result == FAIL ]] && failures=$((failures + 1))
  return 0
}

# judge WHAT COMMAND...: ok when the command ends with 0 in time; its last line is shown when it does not.
judge() {
  local what="$1" out
  shift
  if out="$(timeout -s KILL 10 "$@" 2>&1 </dev/null)"; then
    verdict ok "$what"
  else
    verdict FAIL "$what" "${out##*$'\n'}"
  fi
}

# Tools that the guide uses and a minimal system may lack.
judge_if_there() {
  if command -v "$2" >/dev/null; then
    judge "$@"
  else
    verdict skip "$1" "$2 is not installed here"
  fi
}

verify_mounts() {
  local server="$1" point options
  for point in "$clickhouse_mount" "$nms_mount"; do
    if ! is_nfs_mounted "$point"; then
      verdict FAIL "$point is mounted from the share" "not mounted; try: systemctl start $(mount_unit "$point")"
      continue
    fi
    options="$(mount_line "$point" | cut -d' ' -f4)"
    verdict ok "$point is mounted from the share"
    case ",$options," in
      *,vers=4.*,*) verdict ok "$point speaks NFSv4" ;;
      *) verdict FAIL "$point speaks NFSv4" "got $options" ;;
    esac
    case ",$options," in
      *,soft,* | *,softerr,* | *,local_lock=flock,* | *,local_lock=posix,* | *,local_lock=all,* | *,nolock,*)
        verdict FAIL "$point is hard and locks on the server" "got $options"
        ;;
      *) verdict ok "$point is hard and locks on the server" ;;
    esac
    judge "df -h $point" df -h "$point"
    judge "ls -lart $point" ls -lart "$point"
  done
  # shellcheck disable=SC2016 # $1 is for the inner shell
  judge "NFS server $server answers on port 2049" bash -c 'exec 3<>"/dev/tcp/$1/2049"' _ "$server"
  judge_if_there "rpcinfo -p $server" rpcinfo -p "$server"
  judge_if_there "showmount -e $server" showmount -e "$server"
}

verify_keepalived() {
  local log code
  judge "keepalived is running" systemctl is-active keepalived.service
  log="$(timeout -s KILL 10 keepalived -t -f "$keepalived_conf" 2>&1 </dev/null)"
  code=$?
  # With the guide's block keepalived ends with a code of its own and says only that script security is off.
  if ((code == 0)) || ! grep -qv -e 'SECURITY VIOLATION' -e 'script_security' -e '^$' <<<"$log"; then
    verdict ok "keepalived -t"
  else
    verdict FAIL "keepalived -t" "exit code $code, ${log##*$'\n'}"
  fi
  # It must not pass for a check of keepalived's.
  judge "the check lets this node be master" env NIM_HA_CHECKED=/dev/null "$scripts_dir/nms-check-keepalived.sh"
}

# "ip a | grep VIP" on one node is content with two holders. This one asks the network too.
verify_virtual_ip() {
  local address="${virtual_ip%/*}" interface="$1" answer
  if [[ $holds_virtual_ip == true && $phase != ACTIVE && $phase != STARTING && $phase != WAITING ]]; then
    verdict FAIL "the virtual IP is where the services are" "held here in phase $phase"
  fi
  if ! command -v arping >/dev/null; then
    verdict skip "nobody else holds $address" "arping is not installed here"
  elif [[ $holds_virtual_ip == true ]]; then
    if answer="$(timeout -s KILL 10 arping -D -c 2 -w 3 -I "$interface" "$address" 2>&1)"; then
      verdict ok "nobody else holds $address"
    else
      verdict FAIL "nobody else holds $address" "$(grep -i -m1 'reply from' <<<"$answer")"
    fi
  elif answer="$(timeout -s KILL 10 arping -c 2 -w 3 -I "$interface" "$address" 2>&1)"; then
    verdict ok "another node holds $address"
  else
    verdict FAIL "another node holds $address" "no answer; is the peer up?"
  fi
}

verify() {
  failures=0
  gather
  verify_mounts "$(node_value NFS_SERVER)"
  verify_keepalived
  verify_virtual_ip "$(node_value INTERFACE)"
  if [[ $config_in_sync == true ]]; then
    verdict ok "files are as deployed"
  else
    verdict FAIL "files are as deployed" "${drifted[*]}"
  fi
  printf '%s\n' "$failures failed"
  ((failures == 0))
}
