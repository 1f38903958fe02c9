# shellcheck shell=bash disable=SC2016,SC2034,SC2154,SC2317
# What fence.sh and setup.sh both know: where a pair's files are, its settings, its exports, which other export reaches them, and how to read
# what the nodes leave on the share. Needs `root`; ends nothing by itself.

name_pattern='^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'
etab="$root/var/lib/nfs/etab" mounts="$root/proc/self/mountinfo"
mount_points=()
declare -A addresses_of=() keys_of=() verdict_on=()

name_paths() {
  settings="$root/etc/nim-ha-fence/$1" memory="$root/var/lib/nim-ha-fence/$1"
}

# In the one form that stands for no other address anywhere: 010 is 8 to some.
is_ipv4() {
  local number='(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])'
  [[ $1 =~ ^$number\.$number\.$number\.$number$ ]]
}

is_among() {
  local each
  for each in "${@:2}"; do
    [[ $each != "$1" ]] || return 0
  done
  return 1
}

# read_settings FILE: sets `exports`, `options`, `nodes`, `addresses_of`, and `keys_of` to the host keys of each node, with commas between them. Whether they make sense is for the caller to say.
read_settings() {
  local line name
  exports=() options='' nodes=() addresses_of=() keys_of=()
  while IFS= read -r line || [[ -n $line ]]; do
    case "$line" in
      EXPORT=/*) exports+=("${line#*=}") ;;
      OPTIONS=*) options="${line#*=}" ;;
      NODE=?*)
        read -r name line <<<"${line#*=}"
        [[ -n $name ]] || continue
        nodes+=("$name") addresses_of[$name]="$line"
        ;;
      KEYS=?*)
        read -r name line <<<"${line#*=}"
        [[ -z $name ]] || keys_of[$name]="$line"
        ;;
    esac
  done <"$1"
}

# Sets `fenced` and `name` to the one that is fenced, and the name of the fence.
read_record() {
  fenced='' name=''
  [[ ! -r $memory/fenced ]] || read -r fenced name <"$memory/fenced"
}

# put_file FILE TEXT [MODE]: whole, and on the disk, when this returns. No pair has a name that begins with a dot.
put_file() {
  local new="${1%/*}/.${1##*/}.new"
  printf '%s' "${2:+$2$'\n'}" >"$new" && chmod "${3:-600}" "$new" && sync "$new" && mv -f "$new" "$1" && sync "${1%/*}"
}

# exports_file NODE. No name has an @ in it, so no other pair has the same file.
exports_file() {
  printf '%s' "$root/etc/exports.d/nim-ha-$pair@$1.exports"
}

# node_of_file FILE: the other way round.
node_of_file() {
  local node="${1#"$root/etc/exports.d/nim-ha-$pair@"}"
  printf '%s' "${node%.exports}"
}

# exports_text NODE: each export of the pair, to the address that the node mounts from.
exports_text() {
  local each
  for each in "${exports[@]}"; do printf '%s\n' "$each ${addresses_of[$1]%% *}($options)"; done
}

# address_of_client FILE: sets `address` to the one in the `info` of an NFS client, an IPv4 address in its own form.
address_of_client() {
  local line
  address=''
  while IFS= read -r line; do
    [[ $line =~ ^address:\ \"(.*):[0-9]+\"$ ]] && address="${BASH_REMATCH[1]}"
  done 2>/dev/null <"$1"
  address="${address#[}" address="${address%]}"
  address="${address#::ffff:}"
}

# The table of exports stays readable for whom it was.
change_exports() {
  (umask 022 && exportfs "$@") 9>&-
}

# plain_of TEXT: sets `plain` to it with what stands for a space, as \040 does in exports(5) and in the kernel's list of mounts.
plain_of() {
  # As many as four digits would be taken behind a \0: of "a 1" that is none.
  printf -v plain '%b' "${1//\\0/\\00}"
}

# overlaps PATH PATH: whether one is the other, or inside of it.
overlaps() {
  [[ $1 == "$2" || $1 == / || $2 == / || $2 == "$1"/* || $1 == "$2"/* ]]
}

# is_on_the_way PATH OTHER: whether PATH is OTHER, or a directory above it, by whatever name: a bind mount, or a file system that is mounted
# twice, has the device and the inode of what it shows.
is_on_the_way() {
  local above="${2%/}"
  while [[ ! $root$1 -ef $root$above/ ]]; do
    [[ $above == */* ]] || return 1
    above="${above%/*}"
  done
}

# place_of PATH: sets `place`, the file system and the path in it of what is there, as the kernel's list of mounts has it.
place_of() {
  local i best=''
  place=''
  for i in "${!mount_points[@]}"; do
    [[ $1/ == "${mount_points[i]}"/* && ${#mount_points[i]} -ge ${#best} ]] || continue
    best="${mount_points[i]}" place="${mount_places[i]}${1#"$best"}"
  done
}

# The list of mounts, and where in it the pair's exports are. What was found out of a path before may not be so any more.
look_anew() {
  local device from mount plain each place
  mount_points=() mount_places=() places=() verdict_on=()
  while read -r _ _ device from mount _; do
    plain_of "${from%/}"
    mount_places+=("$device $plain")
    plain_of "${mount%/}"
    mount_points+=("${plain#"$root"}")
  done <"$mounts"
  for each in "${exports[@]}"; do
    place_of "$each"
    places+=("$place")
  done
}

# is_share PATH: whether it is one of the exports, above or below one, by its name or in the list of mounts. Touches nothing there.
is_share() {
  local i place
  place_of "$1"
  for i in "${!exports[@]}"; do
    ! overlaps "$1" "${exports[i]}" || return 0
    ! overlaps "$place" "${places[i]}" || return 0
  done
  return 1
}

# real_path PATH: sets `real` to it without symbolic links. Fails where nothing answers, as on a mount whose server is gone.
real_path() {
  local code
  real="$(timeout -s KILL 5 readlink -m "$root$1" 8>&- 9>&-)"
  code=$?
  ((code != 137)) || return 1
  real="${real#"$root"}"
  ((code)) || real="${real:-/}"
  real="${real:-$1}"
}

# find_share PATH [CROSSMNT]: whether it is one of the exports, above or below one, by whatever name, or what is mounted below it is, which a
# client of `crossmnt` reaches, too. What gives no answer may be.
find_share() {
  local each real
  ! is_share "$1" || return 0
  real_path "$1" || return 0
  [[ $real == "$1" ]] || ! is_share "$real" || return 0
  for each in "${exports[@]}"; do
    ! is_on_the_way "$real" "$each" || return 0
    ! is_on_the_way "$each" "$real" || return 0
  done
  [[ -n ${2-} ]] || return 1
  for each in "${mount_points[@]}"; do
    [[ $each != "$real"/* ]] || ! is_share "$each" || return 0
  done
  return 1
}

# shows_share PATH [CROSSMNT]: the same, found once for each: many lines name one path.
shows_share() {
  local key="$1 ${2-}"
  if [[ -z ${verdict_on[$key]-} ]]; then
    if find_share "$@"; then verdict_on[$key]=yes; else verdict_on[$key]=no; fi
  fi
  [[ ${verdict_on[$key]} == yes ]]
}

# may_be_kept_out CLIENT: whether it may be one with `kept_out`, its addresses: whatever is not plainly another host. An IPv4 address that is not
# among them is one; a name, a net, a group, no client at all may be anybody.
may_be_kept_out() {
  ! is_ipv4 "$1" || is_among "$1" "${kept_out[@]}"
}

# reaches PATH CLIENT [CROSSMNT]: whether one with `kept_out` could write to the share by this export.
reaches() {
  may_be_kept_out "$2" && shows_share "${1:-/}" "${3-}"
}

# each_export FILE COMMAND...: runs COMMAND with each export of that file, in the form of exports(5): PATH as it is there, PATH as it is, CLIENT,
# OPTIONS, and `yes` where the line has crossmnt. A comment begins with a word, and ends with its line whatever is there: only a line without one
# goes on in the next.
each_export() {
  local line goes_on words=() word='^[[:space:]]*(([^[:space:]"]|"[^"]*("|$))+)'
  while IFS= read -r line || [[ -n $line ]]; do
    goes_on=''
    [[ $line != *\\ ]] || goes_on=yes
    line="${line%\\}"
    while [[ $line =~ $word ]]; do
      if [[ ${BASH_REMATCH[1]} == \#* ]]; then
        goes_on=''
        break
      fi
      words+=("${BASH_REMATCH[1]//\"/}")
      line="${line:${#BASH_REMATCH[0]}}"
    done
    [[ -z $goes_on ]] || continue
    with_words "${@:2}"
    words=()
  done <"$1"
  # The last one may end with the file.
  with_words "${@:2}"
}

# with_words COMMAND...: the same with the exports of one line, which is in `words`. Options without a client behind them are for everybody.
with_words() {
  local client plain given='' own crossmnt='' pattern='[(,-]crossmnt'
  ((${#words[@]})) || return 0
  plain_of "${words[0]}"
  [[ $plain == /* ]] || return 0
  [[ ${#words[@]} -gt 1 && ${words[-1]} != -* ]] || words+=('*')
  [[ ! ${words[*]} =~ $pattern ]] || crossmnt=yes
  for client in "${words[@]:1}"; do
    if [[ $client == -* ]]; then
      given="${client#-}"
      continue
    fi
    own=''
    [[ $client != *\(* ]] || own="${client#*(}"
    own="${own%)}" client="${client%%(*}"
    "$@" "${words[0]}" "${plain%/}" "${client:-*}" "$given${given:+${own:+,}}$own" "$crossmnt"
  done
}

# look_at_exports FILE: adds to `others` each export of that file that reaches the share. What has been found out of a path stays so until look_anew.
look_at_exports() {
  ((${#mount_points[@]})) || look_anew
  each_export "$1" add_if_reaching "${1#"$root"}"
}

# add_if_reaching FILE WORD PATH CLIENT OPTIONS CROSSMNT
add_if_reaching() {
  ! reaches "$3" "$4" "$6" || others+=("$2 to $4 in $1")
}

# Whoever is root on a node can put anything on the share, and swap it at any moment. In a mount namespace of its own, where nothing there is
# a device: to open one may do harm. From inside of the directories, for they may be swapped for links.
share_reader='
  mount --bind "$1" "$1" && mount -o remount,bind,ro,nodev,nosuid,noexec "$1" && cd -P "$1" || exit 10
  for each in "${@:3}"; do
    here="$(readlink /proc/self/cwd)"
    cd -P "$each" 2>/dev/null && [[ "$(readlink /proc/self/cwd)" == "$here/$each" ]] || exit 11
  done
  [[ -e $2 || -L $2 ]] || exit 12
  [[ -f $2 && ! -L $2 ]] || exit 13
'

# read_from_share READER SHARE FILE DIR...: what READER prints of the file "$2" in these directories, one in the other. Returns 10 without that
# mount, 11 without the directories, 12 without the file, 13 where it is no regular one, 124 or 137 without an answer in 10 s. What hangs keeps no lock.
read_from_share() {
  timeout -k 2 10 unshare -m bash -c "$share_reader$1" _ "${@:2}" 2>/dev/null 8>&- 9>&-
}
