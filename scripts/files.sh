# shellcheck shell=bash disable=SC2154
# Files and units of a node: changed only where they differ, atomically, and with what was there before kept in
# /var/lib/nim-ha/before. Needs paths.sh and report.sh. Paths here are the node's, without the root of a test.

# With dry=yes nothing is touched, and `pending` collects what would be.
dry=
pending=()

# act TEXT COMMAND...: a change that is due.
act() {
  local text="$1"
  shift
  pending+=("$text")
  [[ -z $dry ]] || return 0
  "$@" || fail node/write "$text" "an error from: $*" "success" "see the lines above; is a file system full or read-only?"
  changed "$text"
}

# keep FILE: what stdin has, whole and on the disk when this returns: a power cut does not take back what a later step counts on.
keep() {
  cat >"$1.new" && sync "$1.new" && mv -f "$1.new" "$1" && sync "${1%/*}"
}

declare -A recorded=()
if [[ -r $before_dir/absent ]]; then
  while IFS= read -r line; do recorded["$line"]=yes; done <"$before_dir/absent"
fi

is_recorded() {
  [[ -n ${recorded[$1]-} || -e $before_dir/files$1 || -L $before_dir/files$1 ]]
}

# A keepalived.conf that no deploy has put there, nor the package that a deploy installs.
has_foreign_conf() {
  [[ -e $keepalived_conf ]] && ! is_recorded "${keepalived_conf#"$root"}"
}

# What was there before is on the disk before it is changed: a power cut must not leave a change without it.
unsynced=
sync_records() {
  [[ -z $unsynced ]] || { sync -f "$before_dir" && unsynced=; }
}

make_before_dir() {
  [[ -d $before_dir ]] || { mkdir -p "$before_dir" && chmod 0700 "$before_dir"; }
}

# Once per path, before it is touched for the first time.
record_file() {
  local path="$1" copy="$before_dir/files$1"
  ! is_recorded "$path" || return 0
  make_before_dir || return 1
  unsynced=yes
  if [[ -e $root$path || -L $root$path ]]; then
    mkdir -p "${copy%/*}" && rm -rf "$copy.new" && cp -a -- "$root$path" "$copy.new" && mv -f -- "$copy.new" "$copy"
  else
    printf '%s\n' "$path" >>"$before_dir/absent" && recorded["$path"]=yes
  fi
}

make_directory() {
  local directory="$1"
  [[ ! -d $root$directory ]] || return 0
  make_directory "${directory%/*}" && mkdir -m 0755 "$root$directory" &&
    printf '%s\n' "$directory" >>"$before_dir/directories"
}

# prepare_files MODE DIRECTORY SOURCE...: beside their places, within the same file system. After record_file for each of them.
prepare_files() {
  local mode="$1" new="$root$2/.nim-ha.new"
  sync_records && make_directory "$2" && { [[ -d $new ]] || mkdir -m 0700 "$new"; } && install -m "$mode" -t "$new" -- "${@:3}"
}

# place_files DIRECTORY: what is prepared there. A rename each, so that each is the whole old or the whole new file, whatever happens; by one process, so
# that what starts meanwhile hardly finds scripts of two versions.
place_files() {
  local new="$root$1/.nim-ha.new"
  local -a names=("$new"/*)
  mv -f -t "$root$1" -- "${names[@]}" && rmdir "$new" || return
  ! command -v restorecon >/dev/null || restorecon "${names[@]/#*\//$root$1/}" || true
}

# forget_prepared DIRECTORY...: the password may be in it. A directory goes where it is ours, and empty.
forget_prepared() {
  local directory
  for directory in "$@"; do
    rm -rf "$root$directory/.nim-ha.new"
    ! grep -qxF -- "$directory" "$before_dir/directories" 2>/dev/null || rmdir "$root$directory" 2>/dev/null
  done
}

# read_files PATH...: content, kind, mode and owner of all of them at once, for a process per file takes its time.
declare -A found=()
read_files() {
  local line sum path
  found=()
  while read -r sum line; do
    path="${line#\*}"
    found["${path#"$root"}"]="$sum"
  done < <(sha256sum -- "${@/#/$root}" 2>/dev/null)
  while IFS=';' read -r line path; do
    path="${path#"$root"}"
    found["$path"]+=" $line"
  done < <(stat -c '%F %a %u:%g;%n' -- "${@/#/$root}" 2>/dev/null)
}

# is_as_listed MODE SUM PATH, after read_files.
is_as_listed() {
  [[ ${found[$3]-} == "$2 regular "*"file $1 $EUID:"* ]]
}

put_link() {
  record_file "$2" && sync_records && make_directory "${2%/*}" && ln -sfn "$1" "$root$2"
}

install_link() {
  [[ "$(readlink "$root$2" 2>/dev/null)" == "$1" ]] || act "$2" put_link "$@"
}

# Back to what was there before us; what was absent goes.
restore_file() {
  local path="$1" copy="$before_dir/files$1"
  if [[ -e $copy || -L $copy ]]; then
    if [[ -L $copy ]]; then
      cp -aT --remove-destination -- "$copy" "$root$path"
    else
      mkdir -p "$root${path%/*}" && cp -a -- "$copy" "$root${path%/*}/.nim-ha.restored" &&
        mv -fT -- "$root${path%/*}/.nim-ha.restored" "$root$path"
    fi
  elif is_recorded "$path"; then
    rm -f -- "$root$path"
  fi
}

# look_at_units UNIT...: of all of them in one question. unit_load: loaded, not-found, masked, ...; unit_boot: enabled,
# disabled, static, ... or absent; unit_active: active, inactive, failed, ...; unit_slice: of a service. systemd says of a unit that is not there
# that it is not: a removal that took no answer for that would stop nothing, and delete its records.
declare -A unit_load=() unit_boot=() unit_active=() unit_slice=()
# shellcheck disable=SC2034 # the preflight asks for the slice
look_at_units() {
  local line index=0 answered=0 unit="$1"
  local -a units=("$@")
  while IFS= read -r line; do
    case "$line" in
      LoadState=*) unit_load[$unit]="${line#*=}" answered=$((answered + 1)) ;;
      UnitFileState=*) unit_boot[$unit]="${line#*=}" ;;
      ActiveState=*) unit_active[$unit]="${line#*=}" ;;
      Slice=*) unit_slice[$unit]="${line#*=}" ;;
      "")
        index=$((index + 1))
        unit="${units[index]-}"
        [[ -n $unit ]] || break
        ;;
    esac
  done < <(timeout 30 systemctl show --property=LoadState,UnitFileState,ActiveState,Slice "$@" </dev/null)
  ((answered == $#)) || no_answer_for "$answered" "$@"
  for unit in "$@"; do
    [[ -n ${unit_load[$unit]-} ]] || unit_load[$unit]=not-found
    [[ -n ${unit_boot[$unit]-} && ${unit_load[$unit]} != not-found ]] || unit_boot[$unit]=absent
    [[ -n ${unit_active[$unit]-} ]] || unit_active[$unit]=inactive
  done
}

# no_answer_for ANSWERED UNIT...
no_answer_for() {
  fail node/systemctl "systemctl show ${*:2}" "an answer for $1 of $(($# - 1)) units" "one for each, within 30 s" \
    "see what it says on this node; then run this again"
}

unit_exists() {
  look_at_units "$1"
  [[ ${unit_load[$1]} != not-found ]]
}

# Once per unit, after look_at_units: how it stood at boot, and whether it ran.
declare -A unit_recorded=()
record_units() {
  local unit rest
  if ((${#unit_recorded[@]} == 0)) && [[ -r $before_dir/units ]]; then
    while read -r unit rest; do unit_recorded[$unit]="$rest"; done <"$before_dir/units"
  fi
  make_before_dir || return 1
  for unit in "$@"; do
    [[ -z ${unit_recorded[$unit]-} ]] || continue
    unsynced=yes
    unit_recorded[$unit]="${unit_boot[$unit]} ${unit_active[$unit]}"
    printf '%s %s\n' "$unit" "${unit_recorded[$unit]}" >>"$before_dir/units" || return 1
  done
}

# switch_units enable|disable UNIT...
switch_units() {
  local verb="$1"
  shift
  record_units "$@" && sync_records && switch_boot --no-reload "$verb" "$@"
}

# switch_boot [--no-reload] enable|disable UNIT...: systemd's own links, and those alone. System V's have no say beside a unit, and each
# of them would have systemd read all units anew.
switch_boot() {
  SYSTEMCTL_SKIP_SYSV=1 timeout 120 systemctl --quiet "$@" </dev/null
}
