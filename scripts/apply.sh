# shellcheck shell=bash disable=SC2034,SC2154
# Puts in force what `stage` has proven. Needs paths.sh, node-data.sh, services.sh, report.sh, files.sh, mounts.sh.
# Every part decides by itself whether anything is due, so with dry=yes this is also the question "is there anything?".
#   /var/lib/nim-ha/manifest    what was put there, in the form of staged/manifest; exists from the first apply on
#   /var/lib/nim-ha/applied     its fingerprint; there only while all of it is in force, running processes too
#   /var/lib/nim-ha/generation  the number of that roll-out
#   /var/lib/nim-ha/todo        there from the first change of an apply until all of it is in force; its files say what has to be started anew, and
#                               `files` what may be there beside the manifest

manifest="$var_dir/manifest"
conf_path="${keepalived_conf#"$root"}"
todo_dir="$var_dir/todo"

staged_fingerprint() {
  sha256sum <"$staged_dir/manifest" | cut -d' ' -f1
}

is_applied() {
  [[ "$(cat "$applied_file" 2>/dev/null)" == "$(staged_fingerprint)" ]]
}

# Nobody reads the staged password once it is in force, so it goes; the manifest says what the file in force has to be.
install_from_manifest() {
  local mode sum path staged
  local -a paths=()
  local -A groups=()
  while read -r mode sum path; do paths+=("$path"); done <"$staged_dir/manifest"
  read_files "${paths[@]}"
  while read -r mode sum path; do
    staged="$staged_dir/root$path"
    if is_as_listed "$mode" "$sum" "$path"; then continue; fi
    [[ -e $staged ]] || fail node/staged "$path" "not as deployed, and no staged copy" "a staged copy" \
      "deploy again with the step stage (for example: terraform apply -replace of it)"
    groups["$mode ${path%/*}"]+=" $path"
    pending+=("$path")
  done <"$staged_dir/manifest"
  [[ -n $dry ]] || write_groups
  install_link "${lib_dir#"$root"}/nim-ha.sh" /usr/local/sbin/nim-ha
  # There sudo looks for commands in no directory below /usr/local.
  [[ ! -e $root/etc/redhat-release ]] || install_link "${lib_dir#"$root"}/nim-ha.sh" /usr/sbin/nim-ha
}

# Files of one mode in one directory at a time: a few processes instead of a hundred. All of them beside their places first, and on the disk: what a full
# file system refuses is refused before anything is changed, and no power cut leaves a name without its content.
write_groups() {
  local group path directory
  local -a paths sources prepared=()
  local -A placed=()
  ((${#groups[@]})) || return 0
  # Of all of them first, for one sync instead of many.
  for group in "${!groups[@]}"; do
    for path in ${groups[$group]}; do
      record_file "$path" || fail node/write "$before_dir" "an error" "success" "is /var full?"
    done
    placed["${group#* }"]+="${groups[$group]}"
  done
  for directory in "${!placed[@]}"; do prepared+=("$root$directory/.nim-ha.new"); done
  rm -rf "${prepared[@]}" # of a run that was cut off
  for group in "${!groups[@]}"; do
    read -r -a paths <<<"${groups[$group]}"
    sources=()
    for path in "${paths[@]}"; do sources+=("$staged_dir/root$path"); done
    prepare_files "${group% *}" "${group#* }" "${sources[@]}" || cannot_place "${group#* }"
  done
  sync -f "${prepared[@]}" || cannot_place "${prepared[0]#"$root"}"
  for directory in "${!placed[@]}"; do
    place_files "$directory" || cannot_place "$directory"
    read -r -a paths <<<"${placed[$directory]}"
    case "${#paths[@]}" in
      1) changed "${paths[0]}" ;;
      *) changed "${#paths[@]} files in $directory" ;;
    esac
  done
}

# cannot_place DIRECTORY
cannot_place() {
  forget_prepared "${!placed[@]}"
  fail node/write "files in $1" "an error" "success" "see the lines above; is a file system full or read-only?"
}

# Files of an earlier deploy that this one no longer has, drop-ins of services that are no longer monitored among them; also of one that broke off and
# is followed by another version.
retire_files() {
  local mode sum path unit
  local -A wanted=()
  while read -r mode sum path; do wanted["$path"]=yes; done <"$staged_dir/manifest"
  while read -r mode sum path; do
    if [[ -n ${wanted["$path"]-} || ! -e $root$path ]]; then continue; fi
    wanted["$path"]=no # once
    unit="${path##*/}"
    if [[ $path == */50-nim-ha.conf ]]; then
      unit="${path%.service.d/*}"
      unit="${unit##*/}"
      # Its data is on the share, so it must not run on both nodes; it stays out of the boot.
      act "$unit is no longer monitored, so it is stopped" stop_unit "$unit.service"
    elif [[ ${path%/*} == "${units_dir#"$root"}" && $unit == *.@(service|timer|path|socket) ]]; then
      # Without its file it would run on, and its place in the boot would lead nowhere.
      act "$unit is no part of this version, so it is stopped" end_unit "$unit"
    fi
    act "took back $path" restore_file "$path"
  done < <(cat "$manifest" "$todo_dir/files" 2>/dev/null)
}

end_unit() {
  stop_unit "$1" && { [[ ${unit_boot[$1]-} != enabled* ]] || switch_boot --no-reload disable "$1"; }
}

stop_unit() {
  ! unit_exists "$1" || timeout 120 systemctl stop "$1" </dev/null
}

apply_boot() {
  local unit
  local -a services out=() in=()
  read -r -a services <<<"${data[SERVICES]}"
  # The umbrella nms.service would pull the services in again.
  look_at_units nms.service keepalived.service nim-ha-agent.service "${services[@]/%/.service}"
  for unit in nms.service "${services[@]/%/.service}"; do
    [[ ${unit_boot[$unit]} != enabled* ]] || out+=("$unit")
  done
  for unit in keepalived.service nim-ha-agent.service; do
    [[ ${unit_boot[$unit]} == enabled ]] || in+=("$unit")
  done
  ((${#out[@]} == 0)) || act "out of the boot: ${out[*]}" switch_units disable "${out[@]}"
  ((${#in[@]} == 0)) || act "into the boot: ${in[*]}" switch_units enable "${in[@]}"
}

apply_fstab() {
  if edit_fstab check; then return; fi
  act "/etc/fstab" edit_fstab apply
}

# edit_fstab check|apply
edit_fstab() {
  local arguments=("$1")
  ! takes_over || arguments+=(take-over)
  bash "$lib/fstab.sh" "${arguments[@]}" <<<"${data[FSTAB]}" >/dev/null
}

# The whole file as it was is kept, with the sum of what we made of it: if nobody has edited it since the first deploy, removal
# puts it back to the byte.
apply_operation_mode() {
  local mode
  mode="${data[OPERATION_MODE]}"
  if [[ -z $mode || "$(bash "$lib/operation-mode.sh" get)" == "$mode" ]]; then return; fi
  act "/etc/nms/nms.conf: mode of operation $mode" edit_nms_conf "$mode"
}

edit_nms_conf() {
  local sum="$before_dir/nms.conf.sum" only_ours=
  if ! is_recorded "${nms_conf#"$root"}" || cmp -s "$sum" <(sha256sum <"$nms_conf"); then only_ours=yes; fi
  record_file "${nms_conf#"$root"}" && sync_records && rm -f "$sum" && bash "$lib/operation-mode.sh" set "$1" >/dev/null || return
  [[ -z $only_ours ]] || sha256sum <"$nms_conf" | keep "$sum"
}

put_in_place() {
  pending=()
  install_from_manifest
  retire_files
  apply_boot
  apply_fstab
  apply_operation_mode
}

# What is due, in `due` for apply; and whether it is more than a standby, or the active node, takes while keepalived runs.
look_for_due() {
  dry=yes
  put_in_place
  dry=
  due=("${pending[@]}")
  conf_due=
  if [[ ! -e $applied_file ]] || is_due "$conf_path"; then conf_due=yes; fi
  mounts_due=
  mounts_are_right || mounts_due="$wrong"
}

agent_runs() {
  systemctl --quiet is-active nim-ha-agent.service
}

# After look_for_due. Files that are as they should be are no proof that a run before this one came to its end.
is_as_deployed() {
  ((${#due[@]} == 0)) && [[ -z $conf_due && -z $mounts_due && ! -d $todo_dir ]] && keepalived_runs && agent_runs
}

# apply, after look_for_due: files, units, fstab, mode of operation, agent. Never starts or stops what serves. What has to be started
# anew is noted before anything changes: a run that ends in between must not lose it.
apply() {
  local text
  mkdir -p "$todo_dir"
  [[ ! -e $share_off ]] || { rm -f "$share_off" && sync "$var_dir"; } || fail node/write "${share_off#"$root"}" "an error" "success" "is /var full or read-only?"
  for text in "${due[@]}"; do
    case "$text" in
      # Any script that stays there: a list of those that the agent reads would miss the next one.
      */nms-notify-keepalived.sh | */"${lib_dir##*/}"/*.sh | */nim-ha-agent.service) : >"$todo_dir/agent" ;;
      */nms.conf:*) : >"$todo_dir/nms" ;;
    esac
  done
  # fstab lines are units, too.
  if ! cmp -s "$staged_dir/manifest" "$manifest" || ((${#due[@]})); then : >"$todo_dir/reload"; fi
  note_files || cannot_keep "$todo_dir/files"
  put_in_place
  if [[ -e $todo_dir/reload ]]; then
    timeout 60 systemctl daemon-reload || fail node/daemon-reload "systemctl daemon-reload" "an error, or no end in 60 s" "success" \
      "see: journalctl -b -p err"
    rm -f "$todo_dir/reload"
  fi
  if [[ -e $todo_dir/agent ]] || ! agent_runs; then
    act "started nim-ha-agent" restart_agent
    rm -f "$todo_dir/agent"
  fi
  ((${#due[@]} == 0)) || sync -f "$units_dir" "$lib_dir" "$keepalived_conf" ||
    fail node/write "what was put in force" "an error" "it on the disk" "see the lines above; is a file system full or read-only?"
  # Private, with its fingerprint: the sum of the file with the password is in it.
  (umask 077 && keep "$manifest" <"$staged_dir/manifest") || cannot_keep "$manifest"
}

# What is about to be put there, on the disk before it is: where this breaks off, and another version comes next, that one takes it back. Private, as the manifest.
note_files() {
  cmp -s "$staged_dir/manifest" "$manifest" || (umask 077 && cat "$todo_dir/files" "$staged_dir/manifest" 2>/dev/null | sort -u | keep "$todo_dir/files")
}

# Returns when it has looked: what is waited for next must not be found in what the old one wrote.
restart_agent() {
  timeout 60 systemctl stop nim-ha-agent.service && : >"$step_dir/agent-restarted" &&
    timeout 60 systemctl start nim-ha-agent.service && wait_until 30 "nim-ha-agent" test "$state_file" -nt "$step_dir/agent-restarted"
}

is_due() {
  local text
  for text in "${due[@]}"; do
    [[ $text != "$1" ]] || return 0
  done
  return 1
}

# Everything is in force, and running: only now. The staged password has served.
finish() {
  local number=''
  is_applied || (umask 077 && staged_fingerprint | keep "$applied_file") || cannot_keep "$applied_file"
  rm -f "$staged_dir/root$conf_path" "$pending_file" "$left_data"
  # Of a run that was cut off, too: a password may be in it.
  rm -rf "$todo_dir" "$root${conf_path%/*}/.nim-ha.new"
  [[ -n "${data[FENCE_SERVER]}" ]] || rm -f "$fence_key" "$fence_key.pub"
  read -r number 2>/dev/null <"$var_dir/generation"
  [[ $number == "${data[GENERATION]}" ]] || keep "$var_dir/generation" <<<"${data[GENERATION]}" || cannot_keep "$var_dir/generation"
}

cannot_keep() {
  fail node/write "${1#"$root"}" "an error" "success" "is /var full or read-only?"
}
