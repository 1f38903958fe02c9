# shellcheck shell=bash disable=SC2154
# The two mounts of the share. Needs paths.sh, data.sh, services.sh, report.sh.

exports=(clickhouse nms)
declare -A point_of=([clickhouse]="$clickhouse_mount" [nms]="$nms_mount") source_of=()

nfs_server="${data[NFS_SERVER]-}"
for name in "${exports[@]}"; do
  source_of[$name]="$(source_on "$nfs_server" "${data[NFS_EXPORT_PATH]-}" "$name")"
done

# mount_export EXPORT DIRECTORY [MORE_OPTIONS]: the guide's options, joined, for with spaces between them mount refuses.
mount_export() {
  timeout -k 5 60 mount -t nfs4 -o "${data[MOUNT_OPTIONS]}${3-}" "${source_of[$1]}" "$2" </dev/null 2>&1
}

# is_wrong EXPORT: says in `wrong` what is wrong with the mount in force. Sizes are a wish that the server may cut, so only
# version, hard, locking and source count.
is_wrong() {
  local device type options mount_line
  find_mount "${point_of[$1]}"
  read -r device _ type options _ <<<"$mount_line"
  options=",$options,"
  if [[ -z $mount_line ]]; then
    wrong="nothing mounted"
  elif [[ $device != "${source_of[$1]}" ]]; then
    wrong="$device mounted"
  elif [[ $type != nfs4 ]]; then
    wrong="a mount of type $type"
  elif [[ $options != *,vers=4* ]]; then
    wrong="an NFS version other than 4"
  elif [[ $options != *,hard,* ]]; then
    wrong="a mount that is not hard"
  elif [[ $options == *,local_lock=* && $options != *,local_lock=none,* ]]; then
    wrong="locks that stay on this node"
  else
    wrong=
    return 1
  fi
}

# wants_mount EXPORT: whether it has to be mounted anew; says in `wrong` why. What "sync" is for, a mount without it does not give. Other
# options wait for the next mount: a boot has them from /etc/fstab, which by the guide says less.
wants_mount() {
  ! is_wrong "$1" || return 0
  [[ ",${data[MOUNT_OPTIONS]}," == *,sync,* ]] || return 1
  find_mount "${point_of[$1]}"
  [[ $mount_line != *[\ ,]sync,* ]] || return 1
  wrong="a mount without sync"
}

mounts_are_right() {
  local name
  for name in "${exports[@]}"; do
    ! wants_mount "$name" || return 1
  done
}

mount_shares() {
  local name point out mount_line
  for name in "${exports[@]}"; do
    point="${point_of[$name]}"
    wants_mount "$name" || continue
    if [[ $wrong != "nothing mounted" ]]; then
      is_nfs_mounted "$point" || fail storage/other-mount "${point#"$root"}" "$wrong" "the share" \
        "unmount it and take it out of /etc/fstab"
      unmount_share "$name"
    fi
    mkdir -p "$point"
    report_hidden "$point"
    # The boot, or the agent, may have been quicker.
    out="$(mount_export "$name" "$point")" || ! is_wrong "$name" || fail storage/mount "mount of ${source_of[$name]} on ${point#"$root"}" \
      "${out:-no answer within 60 s}" "success" "does the server export it to this node? try: showmount -e $nfs_server"
    changed "mounted ${source_of[$name]} on ${point#"$root"}"
    ! is_wrong "$name" || fail storage/mount "${point#"$root"} after the mount" "$wrong" \
      "NFS version 4, hard, locks on the server" "look at the options: nfsstat -m"
  done
}

# can_lock FILE SECONDS: on NFS a lock needs a file that is open for writing; what is free is let go at once.
can_lock() {
  # shellcheck disable=SC2016 # $1 is for the inner shell
  timeout -s KILL "$2" bash -c 'exec 9>>"$1" && flock -n 9' _ "$1"
}

# What lies beneath stays there, unseen. A person who misses it must find it in the report.
report_hidden() {
  local size
  ! is_empty_directory "$1" || return 0
  size="$(timeout 60 du -sh "$1" 2>/dev/null | cut -f 1)"
  say "the data on this node's own disk in ${1#"$root"} (${size:-size unknown}) stays there, hidden beneath the mount"
}

# For a person who has data in two places: nothing that destroys either.
choose_data() {
  printf '%s' "look at both, and keep one: to keep the share's, move ${1#"$root"} on this node away; to keep this node's, move everything in the export away, .nim-ha too"
}

is_empty_directory() {
  [[ -z "$(find "$1/" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit 2>/dev/null)" ]]
}

# Sets `outsiders`, "PID (NAME) PID (NAME) ", to what uses the share besides the pair; false where there is any.
is_ours_alone() {
  local pid name group unit
  outsiders=''
  read_slice
  while read -r pid; do
    [[ " ${slice_pids[*]} " != *" $pid "* ]] || continue
    group="$(cat "/proc/$pid/cgroup" 2>/dev/null)" || continue
    unit="${group##*/}"
    # What holds the lock, we ourselves, and services that run outside of the slice: those are stopped, too.
    [[ " nim-ha-lock nim-ha-agent nim-ha-step keepalived nms ${data[SERVICES]} " != *" ${unit%.service} "* ]] || continue
    read_name "$pid"
    outsiders+="$pid ($name) "
  done < <(for each in "${exports[@]}"; do pids_of "${point_of[$each]}"; done | sort -un)
  [[ -z $outsiders ]]
}

# A process that has just let go of the share takes a moment to be gone.
unmount_share() { # EXPORT
  local point begin=$SECONDS out users
  point="${point_of[$1]}"
  while is_nfs_mounted "$point"; do
    if out="$(timeout -k 5 60 umount "$point" 2>&1 </dev/null)"; then
      changed "unmounted ${point#"$root"}"
      begin=$SECONDS
    elif ((SECONDS - begin < ${NIM_HA_UNMOUNT_LIMIT:-30})); then
      sleep 1
    else
      users="$(users_of "$point")"
      fail storage/unmount "umount ${point#"$root"}" "${out:-no end in 60 s}" "success" "end what uses it: ${users:-no process is seen; a mount below it?}"
    fi
  done
}
