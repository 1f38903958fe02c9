# shellcheck shell=bash disable=SC2154
# What is running here: monitored services, their slice, mounts, addresses, uptime. Needs paths.sh, and empty_slice pause.sh.
# Nothing in this file touches a mount: everything comes from /proc, /sys and systemd. What the agent calls every second
# is bash alone, for a process costs more than the question.

# The guide's array in the notify script is the one list of monitored services on a node. Whoever asks goes on when somebody has
# put a script there that never ends. Another one, as a package's new version brings it, is not run: it has no such question.
monitored_services() {
  [[ "$(<"$scripts_dir/nms-notify-keepalived.sh")" == *"/notify.sh"* ]] || return
  timeout -k 1 5 "$scripts_dir/nms-notify-keepalived.sh" --services 2>/dev/null
}

# Sets `now`, in whole seconds since boot.
read_uptime() {
  read -r now _ <"$uptime_file"
  now="${now%.*}"
}

# is_populated CGROUP: whether a process lives in it or below.
is_populated() {
  local key value
  while read -r key value; do
    [[ $key == populated ]] && break
  done 2>/dev/null <"$1/cgroup.events"
  [[ ${value-} == 1 ]]
}

# True while any process of the services lives, however systemd thinks of them.
slice_populated() {
  is_populated "$slice_cgroup"
}

# Sets `slice_pids` to all processes of the slice. The two options are of no other pattern in the shell that asks.
read_slice() {
  local file files pid
  slice_pids=()
  shopt -s globstar nullglob
  files=("$slice_cgroup"/**/cgroup.procs)
  shopt -u globstar nullglob
  for file in "${files[@]}"; do
    while read -r pid; do slice_pids+=("$pid"); done <"$file"
  done
}

# Kills what is left in the slice and returns when it is empty, or with 1 after $1 seconds. Counted in tries, for the wall clock may
# jump; without a process, for there may be none to be had.
empty_slice() {
  local tries=$((5 * ${1:-10}))
  while slice_populated; do
    read_slice
    ((!${#slice_pids[@]})) || kill -KILL "${slice_pids[@]}" 2>/dev/null
    ((tries-- > 0)) || return 1
    pause 0.2
  done
}

# read_name PID: sets `name` to what the process is called, empty where it has ended.
read_name() {
  name=''
  read -r name 2>/dev/null <"/proc/$1/comm"
}

# For a person: "PID (NAME) PID (NAME)".
slice_processes() {
  local pid name all=''
  read_slice
  for pid in "${slice_pids[@]}"; do
    read_name "$pid"
    all+=" $pid ($name)"
  done
  printf '%s' "${all# }"
}

# What they are called, each once: "NAME NAME".
slice_names() {
  local pid name all=' '
  read_slice
  for pid in "${slice_pids[@]}"; do
    read_name "$pid"
    [[ -z $name || $all == *" $name "* ]] || all+="$name "
  done
  read -r all <<<"$all"
  printf '%s' "$all"
}

# Sets `mount_line` to the line of /proc/mounts that is in force at $1 (the last one wins); false where there is none. The list comes in
# one piece: read line by line, the kernel makes it anew up to there for each of them.
find_mount() {
  local line lines=()
  mount_line=''
  mapfile -t lines <"$proc_mounts"
  for line in "${lines[@]}"; do
    [[ $line != +([! ])" $1 "* ]] || mount_line="$line"
  done
  [[ -n $mount_line ]]
}

mount_line() {
  local mount_line
  find_mount "$1" && printf '%s' "$mount_line"
}

# is_nfs_mounted POINT [TYPE]: the share is mounted there, as NFS: an empty local directory below would look just as fine. Of any version, or of that type.
is_nfs_mounted() {
  local mount_line
  find_mount "$1" && [[ $mount_line =~ ^[^\ ]+\ [^\ ]+\ ${2:-nfs4?}\  ]]
}

# By version 4. Where the server refuses that just then, as at the boot of a fenced node, mount falls back to version 3: its locks have no lease, and a
# fence cannot end them.
is_share_mounted() {
  is_nfs_mounted "$clickhouse_mount" nfs4 && is_nfs_mounted "$nms_mount" nfs4
}

has_fallen_back() {
  local point
  for point in "$clickhouse_mount" "$nms_mount"; do
    ! is_nfs_mounted "$point" || is_nfs_mounted "$point" nfs4 || return 0
  done
  return 1
}

# source_on SERVER EXPORT_PATH EXPORT: as the kernel has it in its list of mounts.
source_on() {
  local share="$1"
  [[ $share != *:* ]] || share="[$share]"
  share+=":$2"
  printf '%s/%s' "${share%/}" "$3"
}

# Sets `other_share` to the first of the two mounts that is not of SERVER:/PATH/, as source_on has it: "MOUNT_POINT from SOURCE, not SOURCE".
# False where there is none.
# shellcheck disable=SC2034 # the agent asks
find_other_share() {
  local point mount_line
  other_share=''
  for point in "$clickhouse_mount" "$nms_mount"; do
    if find_mount "$point" && [[ ${mount_line%% *} != "$1${point##*/}" ]]; then
      other_share="${point#"$root"} from ${mount_line%% *}, not $1${point##*/}"
      return
    fi
  done
  return 1
}

# Major and minor numbers of the mounts of the share: by these the kernel lists what it still holds when they are gone.
list_devices() {
  local device point
  while read -r _ _ device _ point _; do
    [[ $point != "$clickhouse_mount" && $point != "$nms_mount" ]] || printf '%s\n' "$device"
  done <"$mountinfo"
}

# held_by_kernel TEXT: whether the kernel holds any of the devices that the lines of TEXT name. A mount that was taken off lazily is in no list of
# mounts, and whoever has a file open there can write on.
held_by_kernel() {
  local device
  for device in $1; do
    [[ $device != +([0-9]):+([0-9]) ]] || ! grep -qw -- "$device" "$nfs_volumes" 2>/dev/null || return 0
  done
  return 1
}

# could_serve VRRP_STATE: whether this node may be, or become, the active one, as a person means it. What keepalived's check reads, `able`, does not
# ask whether keepalived takes part in the election, for by that it would stay out for ever. Of the caller: phase, able.
could_serve() {
  [[ $able == yes && ($phase != STANDBY || ($1 != @(STOP|FAULT) && ! -e $stepped_down_file)) ]]
}

# has_address ADDRESS[/PREFIX]: whether any interface of this machine has it.
has_address() {
  [[ -n "$(ip -o -4 address show to "${1%/*}" 2>/dev/null)" ]]
}

# A step of a deploy is at work on this node.
step_runs() {
  [[ "$(systemctl is-active "$step_unit" 2>/dev/null)" == @(active|activating|deactivating|reloading) ]]
}

mount_unit() {
  systemd-escape --path --suffix=mount "$1"
}

# mount_units VERB [OPTION...]: of both mounts of the share.
mount_units() {
  timeout -s KILL 60 systemctl "${@:2}" "$1" "$(mount_unit "${clickhouse_mount#"$root"}")" "$(mount_unit "${nms_mount#"$root"}")"
}

# pids_of DIRECTORY: of the processes that have something open there, one a line.
pids_of() {
  local pid
  find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd -maxdepth 1 \( -lname "$1" -o -lname "$1/*" \) -print 2>/dev/null |
    while IFS=/ read -r _ _ pid _; do printf '%s\n' "$pid"; done | sort -un
}

# The same for a person: "PID (NAME) PID (NAME) ".
users_of() {
  local pid name
  while read -r pid; do
    read_name "$pid"
    printf '%s (%s) ' "$pid" "$name"
  done < <(pids_of "$1")
}
