# shellcheck shell=bash
# Reads node.data: one KEY=<base64> per line. The file is data, never code: it is not sourced, and each value is
# held against the pattern of its key before anything uses it.
# Needs paths.sh. node_value KEY prints the value; a value that does not fit ends with 1 and says what was got.

# Sets `pattern`, without a process of its own: steps ask for values all the time.
node_value_pattern() {
  case "$1" in
    NAME | PEER_NAME) pattern='^[A-Za-z0-9]([A-Za-z0-9._-]{0,62})$' ;;
    ROLE) pattern='^(primary|secondary)$' ;;
    HOST | PEER_HOST | NFS_SERVER) pattern='^[A-Za-z0-9]([A-Za-z0-9.:_-]{0,253})$' ;;
    INTERFACE) pattern='^[A-Za-z0-9_.@-]{1,15}$' ;;
    VIRTUAL_IP) pattern='^([0-9]{1,3}\.){3}[0-9]{1,3}(/([0-9]|[12][0-9]|3[0-2]))?$' ;;
    VIRTUAL_ROUTER_ID) pattern='^([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])$' ;;
    PROFILE) pattern='^(guide|hardened)$' ;;
    NFS_EXPORT_PATH) pattern='^(/|(/[A-Za-z0-9._-]+)+)$' ;; # as it is in the kernel's list of mounts
    MOUNT_OPTIONS) pattern='^[A-Za-z0-9._=,:/-]{1,1023}$' ;;
    SERVICES) pattern='^[A-Za-z0-9@._-]+( [A-Za-z0-9@._-]+)*$' ;;
    OPERATION_MODE) pattern='^(connected|disconnected)?$' ;;
    INSTALL_KEEPALIVED | TAKE_OVER) pattern='^(yes|no)$' ;;
    GENERATION) pattern='^[0-9]{1,9}$' ;;
    FENCE_SERVER) pattern='^([A-Za-z0-9][A-Za-z0-9.:_-]{0,253})?$' ;;
    FENCE_PORT) pattern='^[0-9]{0,5}$' ;;
    FENCE_ADDRESSES) pattern='^(([0-9]{1,3}\.){3}[0-9]{1,3}( ([0-9]{1,3}\.){3}[0-9]{1,3})*)?$' ;;
    FSTAB | FILES | FENCE_HOST_KEYS) pattern='' ;; # several lines; their readers check each
    *) return 1 ;;
  esac
}

node_value() {
  local key="$1" file="${2:-$node_data}" pattern line encoded='' value end
  node_value_pattern "$key" || {
    printf 'node.data: %s is not a key that this version knows\n' "$key" >&2
    return 1
  }
  while IFS= read -r line; do
    [[ $line != "$key="* ]] || encoded="${line#"$key="}"
  done <"$file" || return 1
  # Not by $(...), which leaves out NULs, and newlines at the end. What comes behind a NUL says that all was read: a wait for such a process
  # fails now and then, for bash 5.2 has forgotten one that has ended.
  {
    IFS= read -r -d '' value || {
      printf 'node.data: %s is not base64\n' "$key" >&2
      return 1
    }
    if IFS= read -r -d '' end || [[ $end != read ]]; then
      printf 'node.data: %s has a NUL in it\n' "$key" >&2
      return 1
    fi
  } < <(base64 -d <<<"$encoded" 2>/dev/null && printf '\0read')
  # bash's =~ matches the whole string, newlines included, so a second line cannot hide behind the first.
  if [[ -n $pattern && ! $value =~ $pattern ]]; then
    printf 'node.data: %s does not fit %s, got %q\n' "$key" "$pattern" "$value" >&2
    return 1
  fi
  printf '%s' "$value"
}
