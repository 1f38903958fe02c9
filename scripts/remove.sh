#!/bin/bash
# remove.sh restore|retain: takes the pair off this node and leaves it as it was before; data on the share is not touched.
# `retain` leaves all of it, serving. Runs as a step, from a copy, so that it survives its own deletion.

set -u
export LC_ALL=C
lib="${BASH_SOURCE[0]%/*}"
[[ -n ${NIM_HA_JOB-} ]] || exec bash "$lib/run-step.sh" remove "${1:-restore}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
installed_node_data="$node_data"
node_data="$NIM_HA_JOB/node.data"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=data.sh
. "$lib/data.sh"
load_data "$node_data"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$lib/report.sh"
# shellcheck source-path=SCRIPTDIR source=files.sh
. "$lib/files.sh"
# shellcheck source-path=SCRIPTDIR source=mounts.sh
. "$lib/mounts.sh"
# shellcheck source-path=SCRIPTDIR source=removals.sh
. "$lib/removals.sh"
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=pause.sh
. "$lib/pause.sh"
# shellcheck source-path=SCRIPTDIR source=settle.sh
. "$lib/settle.sh"

# From here on what is mounted there, and what runs on it, is this node's own: a later try leaves that alone.
note_that_off() {
  : | keep "$share_off" || fail node/write "${share_off#"$root"}" "an error" "success" "is /var full or read-only?"
}

# As long as a file of its own is not as it was before.
is_keepalived_ours() {
  local path="${keepalived_conf#"$root"}"
  [[ -e $units_dir/keepalived.service.d/50-nim-ha.conf ]] ||
    { is_recorded "$path" && [[ -e $keepalived_conf ]] && ! cmp -s "$keepalived_conf" "$before_dir/files$path"; }
}

stop_everything() {
  local unit
  local -a units=(nim-ha.target nim-ha-lock.service)
  rm -f "$stepped_down_file"
  look_at_units keepalived.service nim-ha.target nim-ha-lock.service nim-ha-agent.service nim-ha-rejoin.service
  if [[ ! -e $share_off ]] || is_keepalived_ours; then units=(keepalived.service "${units[@]}"); fi
  for unit in "${units[@]}"; do
    [[ ${unit_load[$unit]} != not-found ]] || continue
    timeout 360 systemctl stop "$unit" </dev/null || fail remove/stop "systemctl stop $unit" "an error" "success" "see: systemctl status $unit"
    [[ ${unit_active[$unit]} != active ]] || changed "stopped ${unit%.service}"
  done
  wait_until "${NIM_HA_DRAIN_LIMIT:-300}" "the services to stop" is_free_of_services || fail remove/drain "services" \
    "still running, or the lock still held, after ${NIM_HA_DRAIN_LIMIT:-300} s" "none" "see: systemctl status nimha.slice"
  [[ ${unit_load["nim-ha-agent.service"]} == not-found ]] ||
    timeout 60 systemctl --quiet disable --now nim-ha-agent.service </dev/null ||
    fail remove/stop "systemctl disable --now nim-ha-agent" "an error" "success" "see: systemctl status nim-ha-agent"
  [[ ${unit_active["nim-ha-agent.service"]} != active ]] || changed "stopped nim-ha-agent"
  # Only the agent starts it.
  [[ ${unit_load["nim-ha-rejoin.service"]} == not-found ]] || timeout 360 systemctl stop nim-ha-rejoin.service </dev/null ||
    fail remove/stop "systemctl stop nim-ha-rejoin" "an error" "success" "see: systemctl status nim-ha-rejoin"
  stop_others
}

# Units that are on record as the pair's, and that this version does not have: of another one, whose deploy broke off here.
stop_others() {
  local unit
  local -a units
  mapfile -t units < <(sed -nE "s,^${units_dir#"$root"}/([^/]*[.](service|timer|path|socket))$,\\1,p" "$before_dir/absent" 2>/dev/null |
    grep -vxE 'nim-ha-(agent|isolate|lock|rejoin)[.]service')
  ((${#units[@]})) || return 0
  look_at_units "${units[@]}"
  for unit in "${units[@]}"; do
    [[ ${unit_load[$unit]} != not-found ]] || continue
    timeout 360 systemctl --quiet disable --now "$unit" </dev/null || fail remove/stop "systemctl disable --now $unit" "an error" "success" "see: systemctl status $unit"
    [[ ${unit_active[$unit]} != active ]] || changed "stopped ${unit%.service}"
  done
}

# On the share, for nothing stays on the node: from here on it has data of its own again. A later deploy asks, instead of hiding it.
note_removal() {
  local name="${data[NAME]-}" host="${data[HOST]-}"
  local -a entries=()
  # node.data may be gone, or broken; all that is left without it is what the node is called.
  [[ -z $name ]] || entries+=("$share_dir/fence-keys/$name.pub")
  [[ -z $name || -z $host ]] || entries+=("$share_dir/nodes/$name@$host" "$not_aside_dir/$name@$host")
  if ! is_share_mounted; then
    # Without a manifest nothing has been put in force here; and an earlier try may have done it.
    [[ ! -e $var_dir/manifest || -e $var_dir/removal-noted ]] || say "the share is not mounted, so it takes no note of this removal: before a later deploy look at what this node has stored" \
      "by then in ${clickhouse_mount#"$root"} and ${nms_mount#"$root"}, for the share would hide it"
    return
  fi
  # shellcheck disable=SC2016 # for the inner shell
  if timeout -s KILL 30 bash -c 'mkdir -p "$1" && printf "%s\n" "$3" >"$1/$2" && shift 3 && rm -f "$@"' _ "$share_dir/removed" "$(removal_note)" "$(uname -n)" \
    "${entries[@]}"; then
    : >"$var_dir/removal-noted"
  else
    say "the share does not take a note of this removal; a later deploy would hide what this node stores from now on"
  fi
}

restore_fstab() {
  local out line
  out="$(bash "$lib/fstab.sh" remove)" || fail remove/fstab "/etc/fstab" "an error" "success" "is the file system read-only?"
  [[ -z $out ]] || changed "the lines of the share in /etc/fstab as before"
  while IFS= read -r line; do
    [[ $line != "edited "* ]] || say "/etc/fstab: taken out, for it was this pair's line, edited since: ${line#edited }"
  done <<<"$out"
}

# What /etc/fstab mounts there without us, as a boot would: services that ran on it before must not find an empty directory.
mount_as_before() {
  local name point options out
  for name in "${exports[@]}"; do
    point="${point_of[$name]#"$root"}"
    options="$(findmnt --tab-file "$fstab" --noheadings --first-only --output OPTIONS --mountpoint "$point" 2>/dev/null)" || continue
    if [[ ,$options, == *,x-systemd.automount,* ]]; then
      mount_by_autofs "$point"
      continue
    fi
    if [[ ,$options, == *,noauto,* ]] || find_mount "${point_of[$name]}"; then continue; fi
    out="$(timeout -k 5 60 mount "$point" 2>&1 </dev/null)" || fail remove/mount "mount $point, which /etc/fstab has without this pair" \
      "${out:-no answer within 60 s}" "mounted, as before" "mend it, or take the line out, and run the removal again"
    changed "mounted $point, as before"
  done
  ! is_nfs_mounted "$nms_mount" || wait_for_lock
}

# systemd has the unit of the line again, and starts it by itself at the next boot only. A look makes it mount, or the services would, while the other
# node still has the lock.
mount_by_autofs() {
  local out unit
  is_nfs_mounted "$root$1" && return
  unit="$(mount_unit "$1")"
  unit="${unit%.mount}.automount"
  out="$(timeout -k 5 60 systemctl start "$unit" 2>&1 </dev/null && timeout -k 5 60 ls "$root$1" 2>&1 >/dev/null)"
  is_nfs_mounted "$root$1" ||
    fail remove/mount "mount $1 by $unit, which /etc/fstab has without this pair" "${out:-nothing mounted}" "mounted, as before" \
      "mend it, or take the line out, and run the removal again"
  changed "mounted $1, as before"
}

# What is started here next uses the share without asking for its lock.
wait_for_lock() {
  wait_until "${NIM_HA_DRAIN_LIMIT:-300}" "the other node to let go of the lock on the share" is_lock_free ||
    fail remove/peer-serves "the lock on the share" "held by $(lock_holder "another node")" \
      "free, for what ran here before uses the same share" "remove the pair from the other node, too; then run the removal again"
}

is_lock_free() {
  [[ ! -e $share_lock ]] || can_lock "$share_lock" 30
}

# To the byte if nobody has edited it since, else only the mode of operation.
restore_nms_conf() {
  local mode path="${nms_conf#"$root"}"
  is_recorded "$path" && [[ -e $nms_conf ]] || return 0
  if [[ "$(sha256sum <"$nms_conf")" == "$(cat "$before_dir/nms.conf.sum" 2>/dev/null)" ]]; then
    restore_file "$path"
  else
    mode="$(NIM_HA_ROOT="$before_dir/files" bash "$lib/operation-mode.sh" get)"
    if [[ -n $mode ]]; then
      bash "$lib/operation-mode.sh" set "$mode" >/dev/null
    else
      bash "$lib/operation-mode.sh" unset >/dev/null
    fi || {
      problem remove/nms-conf "mode of operation in $path" "an error" "as it was before" "set it by hand: ${mode:-no line}"
      return
    }
  fi
  changed "mode of operation in $path as before"
}

# restore_files but|only: everything on record, whether or not an apply came to its end, but what the removal itself needs, or only that.
# Another removal has to be possible as long as this one has not come to its end.
restore_files() {
  local path needed
  local -a directories=()
  local -A prepared=()
  while IFS= read -r path; do
    [[ $path != "${nms_conf#"$root"}" ]] || continue
    case "$path" in
      "${lib_dir#"$root"}"/* | "${installed_node_data#"$root"}") needed=only ;;
      *) needed=but ;;
    esac
    [[ $needed == "$1" ]] || continue
    prepared["$root${path%/*}/.nim-ha.new"]=yes
    restore_file "$path" || problem remove/file "$path" "an error" "as it was before" "its original is in $before_dir/files"
  done < <(
    cat "$before_dir/absent" 2>/dev/null
    [[ ! -d $before_dir/files ]] || find "$before_dir/files" ! -type d -printf '/%P\n'
  )
  # Of a roll-out that was cut off: the password may be in it.
  ((${#prepared[@]} == 0)) || rm -rf -- "${!prepared[@]}"
  [[ ! -r $before_dir/directories ]] || mapfile -t directories < <(sort -ru "$before_dir/directories")
  for path in "${directories[@]}"; do
    rmdir "$root$path" 2>/dev/null
  done
}

# What was put back is on the disk before its original goes.
sync_restored() {
  sync -f "$root/etc" "$root/usr/local" || problem remove/file "what was put back in /etc and /usr/local" "not on the disk" "on the disk" "its originals are in $before_dir"
  end_on_problems
}

# Boot first, then what ran: with its own local data again, for the share is unmounted.
restore_units() {
  local unit boot active
  local -a units=() enable=() disable=() start=()
  [[ -r $before_dir/units ]] || return 0
  while read -r unit _; do units+=("$unit"); done <"$before_dir/units"
  look_at_units "${units[@]}"
  while read -r unit boot active; do
    [[ ${unit_load[$unit]} != not-found ]] || continue
    case "$boot" in
      enabled) enable+=("$unit") ;;
      disabled) disable+=("$unit") ;;
    esac
    # One that was about to run has run ever since.
    [[ $active != @(active|activating|reloading) ]] || start+=("$unit")
  done <"$before_dir/units"
  [[ ${#disable[@]} == 0 ]] || switch_boot disable "${disable[@]}" ||
    problem remove/unit "systemctl disable" "an error" "success" "run it by hand for ${disable[*]}"
  if ((${#enable[@]})); then
    if switch_boot enable "${enable[@]}"; then
      changed "into the boot, as before: ${enable[*]}"
    else
      problem remove/unit "systemctl enable" "an error" "success" "run it by hand for ${enable[*]}"
    fi
  fi
  # A keepalived that ran before this pair starts what it is there for; the other node may be the one.
  [[ " ${start[*]} " != *" keepalived.service "* ]] || start=(keepalived.service)
  [[ ${#start[@]} != 0 ]] || return 0
  systemctl reset-failed "${start[@]}" 2>/dev/null
  timeout 600 systemctl start "${start[@]}" </dev/null || {
    problem remove/start "start of ${start[*]}" "an error" "running as before" "see: systemctl status ${start[*]}"
    return
  }
  changed "started ${start[*]}, as before"
}

case "${1-}" in
  restore) ;;
  retain)
    say "left in place and serving, as removalPolicy retain says; to take it away later: ${lib_dir#"$root"}/remove.sh restore"
    exit 0
    ;;
  *) exit "$exit_usage" ;;
esac
if [[ ! -d $var_dir ]]; then
  say "nim-ha is not on this node: nothing to remove"
  exit 0
fi
say "taking the pair off this node; the data on the share stays"
stop_everything
if [[ ! -e $share_off ]]; then
  note_removal
  for name in "${exports[@]}"; do
    unmount_share "$name"
  done
fi
restore_fstab
note_that_off
restore_nms_conf
restore_files but
changed "files as before"
rm -f "$pending_file" # the drop-in that heeds it is gone
timeout 60 systemctl daemon-reload
mount_as_before
remove_packages
restore_units
end_on_problems
sync_restored
restore_files only
end_on_problems
sync_restored
find "$var_dir" -mindepth 1 ! -path "$share_off" -delete # the mark goes last
rm -rf "$var_dir"
rm -f "$changed_file"
say "as before; the pair's data is on the share: ${source_of[nms]} ${source_of[clickhouse]}"
