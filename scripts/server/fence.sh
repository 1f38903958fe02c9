#!/bin/bash
# fence.sh PAIR NODE REQUEST: what a node may ask of the NFS server, as root. PAIR and NODE come from the forced command of the key that the
# caller has logged in with; REQUEST is what the caller says, and may be anything:
#   fence          withdraws the peer from the share. For a node that has the lock and finds the peer's mark on the share.
#   fence-silent   the same, but only when the holder of the lock has shown no sign of life for a while. For a node that waits for the lock.
#   status         is the caller itself fenced, and what is the name of that fence?
#   rejoin NAME    gives the caller its exports back, when it is fenced under that name. It must hold nothing of the share by then.
# Prints one line: fenced NAME | free | back | refused: WHY (and ends with 3). Never both nodes are fenced. See docs/decisions/0009-fencing.md.
# Settings, in /etc/nim-ha-fence/PAIR, which only root may write: EXPORT=PATH for each export, OPTIONS=..., NODE=NAME ADDRESS [ADDRESS...]
# with the address first that the node mounts from. What is remembered is in /var/lib/nim-ha-fence/PAIR.

set -u
umask 077
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root="${NIM_HA_FENCE_ROOT-}"
PATH="${NIM_HA_FENCE_PATH-}$PATH"
silent_for=5    # seconds
expiry_limit=20 # seconds that clients have to be gone in

note() {
  logger -t nim-ha-fence -- "${pair-?} ${caller-?}: $1"
}

answer() {
  note "${request-}: $1"
  printf '%s\n' "$1"
  exit "${2:-0}"
}

refuse() {
  answer "refused: $1" 3
}

# From here on what the caller has said is in the log, and nowhere else.
accept() {
  local name='^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' uuid='^rejoin [0-9a-f-]{36}$'
  pair="${1-}" caller="${2-}" request="${3-}" fence_name=''
  if (($# != 3)) || ! [[ $pair =~ $name && $caller =~ $name ]]; then
    pair='?' caller='?' request=''
    refuse "not called by the forced command of a key"
  fi
  case "$request" in
    fence | fence-silent | status) ;;
    *)
      if [[ ! $request =~ $uuid ]]; then
        note "refused: $(printf '%.200q' "$request")"
        request='?'
        refuse "no such request"
      fi
      fence_name="${request#rejoin }"
      ;;
  esac
  settings="$root/etc/nim-ha-fence/$pair" memory="$root/var/lib/nim-ha-fence/$pair"
}

read_settings() {
  local line words
  exports=() options='' peer=''
  own_addresses=() peer_addresses=()
  [[ -r $settings ]] || refuse "no such pair"
  while IFS= read -r line; do
    case "$line" in
      EXPORT=/*) exports+=("${line#*=}") ;;
      OPTIONS=*) options="${line#*=}" ;;
      NODE=*)
        read -r -a words <<<"${line#*=}"
        if [[ ${words[0]} == "$caller" ]]; then
          own_addresses=("${words[@]:1}")
        else
          peer="${words[0]}" peer_addresses=("${words[@]:1}")
        fi
        ;;
    esac
  done <"$settings"
  { ((${#exports[@]} && ${#own_addresses[@]} && ${#peer_addresses[@]})) && [[ -n $options ]]; } ||
    refuse "the settings of this pair name no exports, no options, or not this node and its peer"
}

# Sets `fenced` and `name` to the one that is fenced, and the name of the fence.
read_record() {
  fenced='' name=''
  [[ ! -r $memory/fenced ]] || read -r fenced name <"$memory/fenced"
}

# put_file FILE TEXT: whole, and on the disk, when this returns.
put_file() {
  printf '%s\n' "$2" >"$1.new" && sync "$1.new" && mv -f "$1.new" "$1" && sync "${1%/*}"
}

exports_file() {
  printf '%s' "$root/etc/exports.d/nim-ha-$pair-$1.exports"
}

is_among() {
  local each
  for each in "${@:2}"; do
    [[ $each != "$1" ]] || return 0
  done
  return 1
}

# Sets `other` to an export in force with which the peer could still write to the share: of one of the paths, of what is above or below
# it, for whatever is not plainly another host. An address that is not the peer's is another host; a name, a net, a group may be anything.
another_export_reaches() {
  local path client each
  other=''
  while read -r path client _; do
    path="${path//\\040/ }" client="${client%%(*}"
    for each in "${exports[@]}"; do
      [[ $path == "$each" || $path == / || $each == "$path"/* || $path == "$each"/* ]] || continue
      [[ $client =~ ^[0-9.]+$ || $client =~ ^[0-9a-fA-F:]+$ ]] && ! is_among "$client" "${peer_addresses[@]}" && continue
      other="$path to $client"
      return 0
    done
  done <"$root/var/lib/nfs/etab"
  return 1
}

is_client_of_peer() {
  local line address=''
  while IFS= read -r line; do
    [[ $line =~ ^address:\ \"(.*):[0-9]+\"$ ]] && address="${BASH_REMATCH[1]}"
  done 2>/dev/null <"$1/info"
  address="${address#[}" address="${address%]}"
  address="${address#::ffff:}"
  is_among "$address" "${peer_addresses[@]}"
}

# The kernel takes what the client was about to write first, and frees its locks.
expire_peer() {
  local client left deadline=$((SECONDS + expiry_limit))
  while :; do
    left=
    for client in "$root"/proc/fs/nfsd/clients/*/; do
      is_client_of_peer "$client" || continue
      left=yes
      echo expire 2>/dev/null >"$client/ctl"
    done
    [[ -n $left ]] || return 0
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

# The heartbeat grows the file with the lock, so the server sees when it did last, by its own clock.
holder_is_silent() {
  local beat each
  for each in "${exports[@]}"; do
    beat="$root$each/.nim-ha/lock"
    [[ -e $beat ]] || continue
    (($(date +%s) - $(stat -c %Y "$beat") > silent_for))
    return
  done
  return 1
}

fence() {
  local each
  [[ $fenced != "$caller" ]] || refuse "fenced itself, as $name"
  [[ $request != fence-silent || $fenced == "$peer" ]] || holder_is_silent || refuse "the holder of the lock shows life"
  if [[ $fenced != "$peer" ]]; then
    name="$(<"$root/proc/sys/kernel/random/uuid")"
    put_file "$memory/fenced" "$peer $name" || refuse "the fence cannot be written down"
  fi
  # Also when it was fenced before: the server may have been switched off in the middle of it.
  { rm -f "$(exports_file "$peer")" && sync "$root/etc/exports.d"; } || refuse "the peer's exports cannot be taken out of /etc/exports.d"
  for each in "${exports[@]}"; do
    exportfs -u "${peer_addresses[0]}:$each" 2>/dev/null
  done
  exportfs -f
  ! another_export_reaches || refuse "the peer still reaches the share: $other is exported, too"
  expire_peer || refuse "the peer's clients have not come to their end"
  answer "fenced $name"
}

rejoin() {
  local each lines=()
  [[ $fenced == "$caller" ]] || answer free
  [[ $name == "$fence_name" ]] || refuse "fenced, but not as $fence_name"
  for each in "${exports[@]}"; do lines+=("$each ${own_addresses[0]}($options)"); done
  put_file "$(exports_file "$caller")" "$(printf '%s\n' "${lines[@]}")" || refuse "the exports cannot be written to /etc/exports.d"
  for each in "${exports[@]}"; do
    exportfs -i -o "$options" "${own_addresses[0]}:$each" || refuse "the export of $each cannot be put in force"
  done
  { rm -f "$memory/fenced" && sync "$memory"; } || refuse "the record of the fence cannot be taken away"
  answer back
}

accept "$@"
read_settings
{ mkdir -p "$memory" && exec 9>"$memory/lock" && flock -w 60 9; } || refuse "another request is at work"
read_record
case "$request" in
  fence | fence-silent) fence ;;
  status)
    [[ $fenced != "$caller" ]] || answer "fenced $name"
    answer free
    ;;
  rejoin*) rejoin ;;
esac
