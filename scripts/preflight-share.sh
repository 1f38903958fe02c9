#!/bin/bash
# Part of preflight, run in a private mount namespace: do both exports mount, lock, and let root give files away?
# Writes one temporary file per export, for nothing less shows it, and removes it.

set -u
export LC_ALL=C
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
installed_node_data="$node_data"
node_data="$NIM_HA_NODE_DATA"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=data.sh
. "$lib/data.sh"
load_data "$node_data"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$lib/report.sh"
# shellcheck source-path=SCRIPTDIR source=mounts.sh
. "$lib/mounts.sh"
# shellcheck source-path=SCRIPTDIR source=removals.sh
. "$lib/removals.sh"
# shellcheck source-path=SCRIPTDIR source=peers.sh
. "$lib/peers.sh"

probe="$job_dir/probe"
declare -A seen_at_mount_point=()

# probe_export EXPORT: mounted at $probe/EXPORT when this returns 0.
probe_export() {
  local name="$1" out file
  mkdir -p "$probe/$name"
  out="$(mount_export "$name" "$probe/$name" ",retry=0")" || {
    problem storage/mount "mount of ${source_of[$name]}" "${out:-no answer within 60 s}" "success" \
      "export it to this node, read-write"
    return 1
  }
  file="$(mktemp "$probe/$name/.nim-ha-probe.XXXXXX")" || {
    problem storage/write "a new file on ${source_of[$name]}" "an error" "success" "export it read-write"
    return 1
  }
  can_lock "$file" 20 || problem storage/lock "flock on ${source_of[$name]}" \
    "an error" "a lock" "the pair cannot do without locks on the server; look at its lock manager"
  chown "$name" "$file" 2>/dev/null || problem storage/root-squash "chown to $name on ${source_of[$name]}" "an error" \
    "success" "export it with no_root_squash"
  [[ $name != nms ]] || compare_clock "$file"
  # The mount in force may be the same export under another name of the server.
  ! is_nfs_mounted "${point_of[$name]}" || ! timeout -s KILL 20 test -e "${point_of[$name]}/${file##*/}" || seen_at_mount_point[$name]=yes
  rm -f "$file"
}

# compare_clock FILE: the server writes down when it was touched. Neither the lock nor VRRP need a clock, but what is stored does.
compare_clock() {
  local ahead
  touch "$1" && ahead=$(($(date +%s) - $(stat -c %Y "$1"))) || return 0
  ((${ahead#-} <= 600)) || problem node/clock "clock of this node" "$ahead s ahead of the NFS server's" "at most 600 s between them" \
    "set the one that is wrong (date on both; timedatectl set-ntp true)"
}

# Or an unfinished copy of it. What is named after us is no data: the other node's preflight, at the same time, has a trial file there.
has_data() {
  [[ -e $probe/nms/.nim-ha/imported ]] || has_files "$1"
}

has_files() {
  [[ -e $probe/$1/.nim-ha-import || -n "$(find "$probe/$1/" -mindepth 1 -maxdepth 1 ! -name '.nim-ha*' ! -name lost+found -print -quit)" ]]
}

# The mark comes with a copy of the nms export alone, too. Without ClickHouse in the pair, or before it has begun, the other export is rightly empty: where the
# share does not move, and where the one that it moves from is seen to be as empty.
is_copy_without_rows() {
  local point="$clickhouse_mount"
  [[ " ${data[SERVICES]} " == *" clickhouse-server "* ]] && ! has_files clickhouse && is_other_share || return 1
  # A share that does not answer any more is not waited for.
  ! is_nfs_mounted "$point" || [[ -n "$(timeout -s KILL 20 find "$point/" -mindepth 1 -maxdepth 1 ! -name '.nim-ha*' ! -name lost+found -print -quit 2>/dev/null || echo unknown)" ]]
}

# Whether this node knows of data that the pair has. A primary has carried it by the time of its manifest; a secondary has a manifest before that, and
# ends no deploy before the primary has ended its own.
knows_data() {
  [[ -e $var_dir/generation ]] || { [[ "${data[ROLE]}" == primary ]] && { is_nfs_mounted "${point_of[$1]}" || [[ -e $var_dir/manifest ]]; }; }
}

# Asked of both nodes, for the other one may be a new machine, which knows of no data but its own. Also where nothing is mounted: what lies below the
# mount points is as old as the first deploy.
compare_empty() {
  knows_data "$1" && is_wrong "$1" || return 0
  problem storage/other-share "${source_of[$1]}" "empty, while the pair has served from another share" \
    "the pair's data" "correct nfsShare in the program; or, if the share moves, copy the old one to it while no node serves (cp -a, .nim-ha too)"
}

# Two sets of data cannot become one: somebody has to choose.
compare_data() {
  local name="$1" point
  point="${point_of[$name]}"
  if [[ -e $probe/$name/.nim-ha-import || -e $probe/nms/.nim-ha/imported ]]; then return; fi
  is_wrong "$name" || return 0
  if [[ -n ${seen_at_mount_point[$name]-} ]]; then
    [[ ! -e $var_dir/manifest ]] || problem storage/other-name "${point#"$root"}" "$wrong, which is the same export under another name" "${source_of[$name]}" \
      "name the server in the program as it is mounted, or unmount it before the deploy"
    return
  fi
  is_empty_directory "$point" || problem storage/data-on-both "data of $name" "some on this node and some on the share" \
    "one of them empty" "$(choose_data "$point")"
}

# What is mounted on a node that is new to the pair is somebody's: of a pair built by hand, or of another use. Returns 1 where it is refused.
compare_mount() {
  local point
  point="${point_of[$1]}"
  [[ ! -e $var_dir/manifest ]] && is_nfs_mounted "$point" && is_wrong "$1" || return 0
  if [[ -z ${seen_at_mount_point[$1]-} ]]; then
    problem storage/other-mount "${point#"$root"}" "$wrong, which is not ${source_of[$1]}" "nothing, or the share" \
      "correct nfsShare in the program; or copy the data to the share (cp -a) and unmount it"
  elif takes_over; then
    say "${point#"$root"}: the share is mounted in another way ($wrong); the roll-out mounts it anew"
    return 0
  else
    problem storage/other-name "${point#"$root"}" "$wrong, which is the same export in another way" "${source_of[$1]}" \
      "takeOver, to have it mounted anew; or name it in the program as it is mounted, or unmount it before the deploy"
  fi
  return 1
}

# As the last deploy has left it here.
deployed() {
  node_value "$1" "$installed_node_data" 2>/dev/null
}

# Whether the program names another share than that which is mounted, or was when it was mounted. Under another name of the server it is the same.
is_other_share() {
  local mount_line
  [[ -z ${seen_at_mount_point[nms]-} ]] || return 1
  find_mount "$nms_mount" || mount_line="$(source_on "$(deployed NFS_SERVER)" "$(deployed NFS_EXPORT_PATH)" nms)"
  [[ ${mount_line%% *} != "${source_of[nms]}" ]]
}

# What is written after a copy was made is not in it: no copy of a share in use is whole, and nothing shows how old this one is.
compare_serving() {
  local mount_line
  [[ -e $lock_held ]] && is_other_share && find_mount "$nms_mount" || return 0
  problem storage/moves-while-serving "${source_of[nms]}" "another share than that which this node serves from, ${mount_line%% *}" \
    "the same share, or a pair that is stopped" "correct nfsShare in the program; or, if the share moves, stop the pair, copy the old one, .nim-ha too, and deploy"
}

# Returns 1 where it is refused. Nothing is written there then: this node is none of theirs.
compare_protocol() {
  local spoken="$lock_protocol"
  [[ ! -e $probe/nms/.nim-ha/protocol ]] || read -r spoken <"$probe/nms/.nim-ha/protocol"
  [[ $spoken != "$lock_protocol" ]] || return 0
  problem storage/other-version "${source_of[nms]}" "the share of a version whose nodes lock in way $spoken" "way $lock_protocol, as this version has it" \
    "deploy with the version that the pair was deployed with last, or a later one"
  return 1
}

# A share that is new to this node and has a pair: it has to be this one, by its hosts as they are or, where the share moves, as they were. Its entry there
# is written only then, or the next run would find it. Returns 1 where it is refused.
compare_pair() {
  local nodes="$probe/nms/.nim-ha/nodes" others entry hosts
  [[ -e $probe/nms/.nim-ha/imported ]] || return 0
  [[ ! -e $var_dir/manifest ]] || is_other_share || return 0
  others="$(find "$nodes" -type f -printf '%f\n' 2>/dev/null | sort)"
  [[ -n $others ]] || return 0
  hosts=" ${data[HOST]} ${data[PEER_HOST]} $(deployed HOST) $(deployed PEER_HOST) "
  while IFS= read -r entry; do
    [[ $hosts != *" ${entry##*@} "* ]] || return 0
  done <<<"$others"
  problem storage/other-pair "${source_of[nms]}" "the data of a pair of other nodes: ${others//$'\n'/ }" \
    "an empty share, or that of ${data[HOST]} and ${data[PEER_HOST]}" \
    "correct nfsShare in the program; where these two take the place of both others for good, delete .nim-ha/nodes on the share"
  return 1
}

# Its services have run on its own disk since then.
compare_since_removal() {
  local point
  point="${point_of[$1]}"
  [[ -n "$(removal_notes "$probe/nms")" ]] && ! is_nfs_mounted "$point" && ! is_empty_directory "$point" || return 0
  problem storage/data-on-both "data of $1" "the pair's on the share, and what this node has served since the pair was removed from it" \
    "one of them" "$(choose_data "$point")"
}

check_mount_point() {
  local point base real below
  point="${point_of[$1]}"
  # A boot would mount it on top of the share, and what is below would be this node's alone.
  while read -r _ below _; do
    [[ $below != "$point"/* ]] || problem storage/other-mount "${below#"$root"}" "mounted below ${point#"$root"}" "nothing there, for the share takes the place of it all" \
      "move its data into ${point#"$root"} itself, unmount it, and take it out of /etc/fstab"
  done <"$proc_mounts"
  # Behind a link, be it /var, the kernel and systemd know the mount by another name, and nothing here would find it.
  base="$(readlink -f "$root/")" real="$(readlink -m "$point")"
  if [[ $real != "${base%/}${point#"$root"}" ]] && ! is_nfs_mounted "$point"; then
    problem storage/symlink "${point#"$root"}" "$real, by a symbolic link" "a directory, with no link on the way to it" \
      "put a directory in the place of the link, with its data in it"
  fi
  if mount_line "$point" >/dev/null && ! is_nfs_mounted "$point"; then
    problem storage/other-mount "${point#"$root"}" "$(mount_line "$point" | cut -d' ' -f1) mounted" "nothing, or the share" \
      "move its data to the share and unmount it"
  fi
}

# The roll-out would find it out with the services stopped on both nodes. Where it takes too long to count, it is left to that.
compare_space() {
  local point needed available
  point="${point_of[$1]}"
  ! is_nfs_mounted "$point" || return 0
  needed="$(timeout -s KILL 30 du -sk "$point" 2>/dev/null)" || return 0
  needed="${needed%%[[:space:]]*}" available="$(df --output=avail -k "$probe/$1" | tail -n 1)"
  ((needed < available)) || problem storage/space "space on ${source_of[$1]}" "${available// /} KiB" "more than $needed KiB, for ${point#"$root"}" "make room on the server"
}

# The marker was written by the node that carried the data: its owners are the data's.
compare_owners() {
  local key value
  [[ -r $probe/nms/.nim-ha/imported ]] || return 0
  while IFS='=' read -r key value; do
    case "$key" in
      clickhouse | nms) compare_owner "$key" "$value" share ;;
    esac
  done <"$probe/nms/.nim-ha/imported"
}

trap 'for name in "${exports[@]}"; do timeout -k 5 20 umount "$probe/$name" 2>/dev/null; done; rm -rf --one-file-system "$probe"' EXIT
for name in "${exports[@]}"; do
  check_mount_point "$name"
done
probe_export nms && probe_export clickhouse && compare_protocol && compare_pair || exit 0
compare_serving
for name in "${exports[@]}"; do
  compare_since_removal "$name"
done
for name in clickhouse nms; do
  compare_mount "$name" || continue
  if [[ $name == clickhouse ]] && has_data clickhouse && is_copy_without_rows; then
    compare_empty clickhouse
  elif ! has_data "$name"; then
    compare_empty "$name"
    [[ "${data[ROLE]}" != primary ]] || compare_space "$name"
  elif [[ "${data[ROLE]}" == primary ]]; then
    compare_data "$name"
  fi
done
case "$(nfs_identity)" in
  localhost | localhost.*)
    problem node/hostname hostname "$(uname -n)" "a name of its own" "hostnamectl set-hostname NAME, and reboot"
    ;;
esac
write_identity "$probe/nms" || problem storage/write "this node's entry in .nim-ha/nodes" "an error" "success" "export it read-write"
compare_identity "$probe/nms"
compare_owners
[[ ! -s $probe/nms/.nim-ha/holder ]] || : >"$job_dir/pair-has-served"
exit 0
