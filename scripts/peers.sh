# shellcheck shell=bash disable=SC2154
# What the two nodes must not, or must, have in common. A node sees the peer only through the share, so each writes
# <nms export>/.nim-ha/nodes/<name>@<host> first and reads the peer's then: of two that do so at the same time at
# least one sees the other. Needs paths.sh, data.sh, report.sh.

# By this name the NFS server knows the client. Equal names make it take each node for a restart of the other, and
# hand both of them the lock.
nfs_identity() {
  local id=
  read -r id 2>/dev/null <"$root/sys/module/nfs/parameters/nfs4_unique_id"
  printf '%s' "${id:-$(uname -n)}"
}

owner_ids() {
  local name
  for name in clickhouse nms; do
    printf '%s=%s:%s\n' "$name" "$(id -u "$name" 2>/dev/null)" "$(id -g "$name" 2>/dev/null)"
  done
}

# compare_owner USER UID:GID WHERE
compare_owner() {
  local here
  here="$(id -u "$1"):$(id -g "$1")"
  [[ $2 == "$here" ]] || problem node/uid "uid:gid of $1" "$here" "$2 as on the $3" \
    "make those of this node equal to them (usermod -u, groupmod -g, chown -R), and run the deploy again"
}

# write_identity DIRECTORY_OF_THE_NMS_EXPORT
write_identity() {
  local directory="$1/.nim-ha/nodes" file
  file="$directory/${data[NAME]}@${data[HOST]}"
  mkdir -p "$directory" && { printf 'identity=%s\n' "$(nfs_identity)" && owner_ids; } >"$file.new" && mv -f "$file.new" "$file"
}

# compare_identity DIRECTORY_OF_THE_NMS_EXPORT: adds to the report what does not fit.
compare_identity() {
  local file key value
  file="$1/.nim-ha/nodes/${data[PEER_NAME]}@${data[PEER_HOST]}"
  [[ -r $file ]] || return 0
  while IFS='=' read -r key value; do
    case "$key" in
      identity)
        [[ $value != "$(nfs_identity)" ]] || problem node/hostname "hostname" "$value on both nodes" "two different ones" \
          "give this node another (hostnamectl set-hostname) and reboot it; with equal ones both get the lock on the share"
        ;;
      clickhouse | nms) compare_owner "$key" "$value" peer ;;
    esac
  done <"$file"
}

# A secondary that is the active node when it should step aside runs on with what was in force before, and leaves a note of that until its turn comes. Where the
# primary takes over before its own turn, the other one still runs: changed, the two would not hear each other, or stand by on two shares.

note_not_aside() {
  # shellcheck disable=SC2016 # for the inner shell
  timeout -s KILL 30 bash -c 'mkdir -p "$1" && : >"$1/$2"' _ "$not_aside_dir" "${data[NAME]}@${data[HOST]}" ||
    refuse storage/write "this node's note in .nim-ha/not-aside" "an error" "success" "export it read-write"
}

take_note_back() {
  timeout -s KILL 30 rm -f "$not_aside_dir/${data[NAME]}@${data[HOST]}"
}

# The directory is read, for that one name was not there the NFS client may remember for a while.
peer_is_aside() {
  [[ -z "$(timeout -s KILL 30 find "$not_aside_dir" -name "${data[PEER_NAME]}@${data[PEER_HOST]}" 2>/dev/null)" ]]
}
