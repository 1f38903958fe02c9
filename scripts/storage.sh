#!/bin/bash
# storage.sh import|holder|stranger: what happens on the share, in a private mount namespace, so that no mount outlives this script.
#   import    carries this node's data to an empty share; goes on where an interrupted one stopped
#   holder    prints who has the lock: free, held (nobody writes the heartbeat), or beating
#   stranger  prints the hostname of who has it; nothing where it is free, or where the share is the one that is mounted here, under whatever name

set -u
export LC_ALL=C
[[ ${1-} == --inside ]] || exec unshare --mount -- bash "${BASH_SOURCE[0]}" --inside "$@"
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
node_data="${NIM_HA_NODE_DATA:-$node_data}"
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
# shellcheck source-path=SCRIPTDIR source=peers.sh
. "$lib/peers.sh"

declare -A share=()

# The mount point where the right mount is in force, else a mount of its own.
open_share() {
  local out directory="$job_dir/share/$1"
  if ! is_wrong "$1"; then
    share[$1]="${point_of[$1]}"
    return
  fi
  mkdir -p "$directory"
  out="$(mount_export "$1" "$directory")" || fail storage/mount "mount of ${source_of[$1]}" "${out:-no answer within 60 s}" \
    "success" "does the server export it to this node? try: showmount -e $nfs_server"
  share[$1]="$directory"
}

is_imported() {
  [[ -e ${share[nms]}/.nim-ha/imported ]]
}

# What is named after us is ours: the lock, an unfinished copy, or the trial file of the other node's preflight.
is_empty_share() {
  [[ -z "$(find "$1/" -mindepth 1 -maxdepth 1 ! -name '.nim-ha*' ! -name lost+found -print -quit)" ]]
}

# Type, size, mode, owner, time in whole seconds (not every server keeps more) and name of all files below $1. `cp` gives a file its owner and mode last: one that
# is like its source but for those was not finished.
list_files() {
  find "$1" -mindepth 1 \( -type f -printf '%T@ f %s %m %U %G %P\0' -o -printf '%y %P\0' \) | sed -z 's/^\([0-9-]*\)\.[0-9]*/\1/' | sort -z
}

# What a complete copy was made of. Not only names: services may have run here since.
fingerprint() {
  list_files "$1" | sha256sum
}

# What an interrupted copy left half-written is no longer like its source, so it goes, and is copied again.
copy_tree() {
  local from="$1" to="$2"
  comm -z -13 <(list_files "$from") <(list_files "$to") | sed -z 's/^[0-9-]* f [0-9]* [0-9]* [0-9]* [0-9]* //; t; s/^. //' |
    (cd "$to" && xargs -0 -r rm -rf --) || return 1
  cp -a --update -- "$from/." "$to/" && cmp -s <(list_files "$from") <(list_files "$to")
}

# take_back_renamed TO DATA: all that is there is ours, for the export was empty before.
take_back_renamed() {
  local entry
  while IFS= read -r -d '' entry; do
    mv -T -- "$1/$entry" "$2/$entry" || return 1
  done < <(find "$1/" -mindepth 1 -maxdepth 1 ! -name '.nim-ha*' ! -name lost+found -printf '%P\0')
}

import_export() {
  local name="$1" from to work entry needed available there=0
  from="${point_of[$name]}" to="${share[$1]}" work="${share[$1]}/.nim-ha-import"
  if [[ -e $work/complete && "$(<"$work/complete")" != "$(fingerprint "$from")" ]]; then
    say "${from#"$root"} has changed since it was copied: copying it again"
    take_back_renamed "$to" "$work/data" || fail storage/copy "the earlier copy on ${source_of[$name]}" "an error" "success" "look at the NFS server"
    rm -f "$work/complete"
  fi
  if [[ ! -e $work/complete ]]; then
    if ! is_empty_share "$to"; then
      is_empty_directory "$from" || fail storage/data-on-both "${source_of[$name]}" "data that no import of ours put there" \
        "an empty export" "$(choose_data "$from")"
      say "${source_of[$name]} holds data, and this node none: it is the pair's"
      return
    fi
    # An earlier run may have copied a part.
    [[ ! -d $work/data ]] || there="$(du -sk "$work/data" | cut -f 1)"
    needed="$(du -sk "$from" | cut -f 1)" available="$(($(df --output=avail -k "$to" | tail -n 1) + there))"
    ((needed < available)) || fail storage/space "space on ${source_of[$name]}" "$available KiB" \
      "more than $needed KiB" "make room on the server"
    say "copying ${from#"$root"} ($needed KiB) to ${source_of[$name]}"
    [[ -e $work ]] || changed "began a copy of ${from#"$root"} on the share, in ${work##*/}"
    mkdir -p "$work/data"
    copy_tree "$from" "$work/data" || fail storage/copy "copy of ${from#"$root"} to the share" "not equal to its source" \
      "equal files" "does anything still write to ${from#"$root"}? run the deploy again: the copy goes on"
    if ! sync -f "$work" || ! fingerprint "$from" >"$work/complete" || ! sync -f "$work"; then
      fail storage/copy "sync of the copy" "an error" "success" "look at the NFS server"
    fi
    changed "copied ${from#"$root"} to the share"
  fi
  while IFS= read -r -d '' entry; do
    [[ ! -e $to/$entry ]] || [[ $entry == lost+found ]] || fail storage/data-on-both "${source_of[$name]}/$entry" \
      "there already" "nothing of that name" "somebody wrote to the share during the import; move it away"
    [[ $entry == lost+found ]] || mv -T -- "$work/data/$entry" "$to/$entry" || fail storage/rename "$entry of the copy on ${source_of[$name]}" \
      "an error" "its place in the export" "look at the NFS server, then run the deploy again: it goes on from there"
  done < <(find "$work/data" -mindepth 1 -maxdepth 1 -printf '%P\0')
  if ! chown --reference="$from" "$to" || ! chmod --reference="$from" "$to"; then
    fail storage/root-squash "owner of ${source_of[$name]}" "an error" "that of ${from#"$root"}" "export it with no_root_squash"
  fi
}

# The mount point shows the same export, mounted under another name or with other options.
is_at_mount_point() {
  local file rc
  is_nfs_mounted "${point_of[$1]}" && file="$(mktemp "${share[$1]}/.nim-ha-probe.XXXXXX")" || return 1
  timeout -s KILL 20 test -e "${point_of[$1]}/${file##*/}"
  rc=$?
  rm -f "$file"
  return "$rc"
}

import() {
  local name
  if is_imported; then
    say "the share holds the pair's data already"
    return
  fi
  if mounts_are_right; then
    say "the share is mounted already: what is on it is the pair's data"
  else
    for name in "${exports[@]}"; do
      # A mount that is in force already hides what this node had: its data is the share's.
      ! is_wrong "$name" || is_at_mount_point "$name" || import_export "$name"
    done
  fi
  mkdir -p "${share[nms]}/.nim-ha"
  {
    printf 'by=%s\nat=%s\n' "$(uname -n)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    owner_ids
  } >"${share[nms]}/.nim-ha/imported.new"
  sync -f "${share[nms]}" || fail storage/copy "sync of the mark on the share" "an error" "success" "look at the NFS server"
  mv -f "${share[nms]}/.nim-ha/imported.new" "${share[nms]}/.nim-ha/imported"
  for name in "${exports[@]}"; do
    rm -rf "${share[$name]}/.nim-ha-import"
  done
  changed "marked the share as holding the pair's data"
}

holder() {
  local file="${share[nms]}/.nim-ha/lock" before
  if [[ ! -e $file ]] || can_lock "$file" 30; then
    echo free
    return
  fi
  before="$(timeout -s KILL 10 wc -c "$file")"
  sleep "${NIM_HA_BEAT_WAIT:-5}"
  # A dash is a holder that lets go, or whose services have failed.
  if [[ $before != "$(timeout -s KILL 10 wc -c "$file")" && "$(timeout -s KILL 10 tail -c 1 "$file")" != - ]]; then echo beating; else echo held; fi
}

stranger() {
  local host=
  [[ "$(holder)" != free ]] && ! is_at_mount_point nms || return 0
  read -r host _ 2>/dev/null <"${share[nms]}/.nim-ha/holder"
  printf '%s\n' "${host:-another node}"
}

trap 'for name in "${!share[@]}"; do [[ ${share[$name]} != "$job_dir"/* ]] || timeout -k 5 30 umount "${share[$name]}"; done' EXIT
case "$2" in
  import)
    open_share clickhouse
    open_share nms
    import
    ;;
  holder)
    open_share nms
    holder
    ;;
  stranger)
    open_share nms
    stranger
    ;;
  *) exit "$exit_usage" ;;
esac
