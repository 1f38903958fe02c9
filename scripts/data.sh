# shellcheck shell=bash disable=SC2034
# node.data for a step: all keys at once, for node-data.sh starts several processes per key, and a step asks for many.
# Needs node-data.sh, which has the patterns.

data_keys=(NAME ROLE HOST PEER_HOST PEER_NAME INTERFACE VIRTUAL_IP VIRTUAL_ROUTER_ID PROFILE NFS_SERVER NFS_EXPORT_PATH
  MOUNT_OPTIONS SERVICES OPERATION_MODE INSTALL_KEEPALIVED TAKE_OVER GENERATION FSTAB FILES
  FENCE_SERVER FENCE_PORT FENCE_HOST_KEYS FENCE_ADDRESSES)

# data[KEY] is the value; one that does not fit is empty there, and bad[KEY] says what was got.
declare -A data=() bad=()

# What somebody else has in the pair's place on this node may be replaced.
takes_over() {
  [[ "${data[TAKE_OVER]}" == yes ]]
}

# load_data FILE
load_data() {
  local line key index pattern encoded=() values=()
  local -A raw=()
  data=() bad=()
  [[ -r $1 ]] || return 1
  while IFS= read -r line; do raw["${line%%=*}"]="${line#*=}"; done <"$1"
  for key in "${data_keys[@]}"; do
    line="${raw[$key]-}"
    if [[ ! $line =~ ^[A-Za-z0-9+/]*={0,2}$ ]] || ((${#line} % 4)); then
      bad[$key]="not base64"
      line=
    fi
    encoded+=("$line")
  done
  # AA== is a NUL, which no value can hold: it ends each of them.
  mapfile -d '' -t values < <(printf '%s\nAA==\n' "${encoded[@]}" | base64 -d 2>/dev/null)
  for index in "${!data_keys[@]}"; do
    key="${data_keys[index]}"
    node_value_pattern "$key"
    if ((${#values[@]} != ${#data_keys[@]})); then
      bad[$key]="a NUL in it"
    elif [[ -n $pattern && ! ${values[index]} =~ $pattern ]]; then
      printf -v line '%q' "${values[index]}"
      bad[$key]="$line"
    fi
    [[ -n ${bad[$key]-} ]] || data[$key]="${values[index]}"
  done
  return 0
}
