#!/bin/bash
# fence.sh PAIR NODE REQUEST: what a node may ask of the NFS server, as root. PAIR and NODE come from the forced command of the key that the
# caller has logged in with; REQUEST is what the caller says, and may be anything:
#   fence          withdraws the peer from the share. For a node that has the lock and finds the peer's mark on the share.
#   fence-silent   the same, but only when the holder of the lock has shown no sign of life for a while. For a node that waits for the lock.
#   status         is the caller itself fenced, and what is the name of that fence?
#   rejoin NAME    gives the caller its exports back, when it is fenced under that name. It must hold nothing of the share by then.
# Prints one line: fenced NAME | free | back | refused: WHY (and ends with 3). Never both nodes are fenced. See docs/decisions/0009-fencing.md.
# Settings, in /etc/nim-ha-fence/PAIR, which only root may write: EXPORT=PATH for each export, OPTIONS=..., NODE=NAME ADDRESS [ADDRESS...]
# with the IPv4 address first that the node mounts from. What is remembered is in /var/lib/nim-ha-fence/PAIR.

set -u
umask 077
LC_ALL=C
# Empty where it is installed; a tree of its own in a test.
root="${0%/usr/local/lib/nim-ha-fence/fence.sh}"
PATH="$root/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
silent_for=5    # seconds
expiry_limit=20 # seconds that "fenced" waits for the clients to be gone

note() {
  logger -t nim-ha-fence -- "$pair $caller: $1"
}

answer() {
  note "$request: $1"
  printf '%s\n' "$1"
  exit "${2:-0}"
}

refuse() {
  answer "refused: $1" 3
}

accept() {
  local name='^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' uuid='^rejoin [0-9a-f-]{36}$'
  pair="${1-}" caller="${2-}" request="${3-}"
  if (($# != 3)) || ! [[ $pair =~ $name && $caller =~ $name ]]; then
    pair='?' caller='?' request='?'
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
      ;;
  esac
  settings="$root/etc/nim-ha-fence/$pair" memory="$root/var/lib/nim-ha-fence/$pair" etab="$root/var/lib/nfs/etab"
}

is_ipv4() {
  [[ $1 =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]]
}

read_settings() {
  local line words each
  exports=() options='' peer=''
  own_addresses=() peer_addresses=()
  [[ -r $settings ]] || refuse "no such pair"
  while IFS= read -r line || [[ -n $line ]]; do
    case "$line" in
      EXPORT=/*) exports+=("${line#*=}") ;;
      OPTIONS=*) options="${line#*=}" ;;
      NODE=*)
        read -r -a words <<<"${line#*=}"
        for each in "${words[@]:1}"; do
          is_ipv4 "$each" || refuse "the settings of this pair have an address that is not IPv4"
        done
        if [[ ${words[0]-} == "$caller" ]]; then
          own_addresses=("${words[@]:1}")
        else
          peer="${words[0]-}" peer_addresses=("${words[@]:1}")
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

# record NODE: fenced from now on, under a name that no earlier request can know.
record() {
  name="$(<"$root/proc/sys/kernel/random/uuid")"
  put_file "$memory/fenced" "$1 $name" || refuse "the fence cannot be written down"
}

# No name has an @ in it, so no other pair has the same file.
exports_file() {
  printf '%s' "$root/etc/exports.d/nim-ha-$pair@$1.exports"
}

# The table of exports stays readable for whom it was.
change_exports() {
  (umask 022 && exportfs "$@") 9>&-
}

is_among() {
  local each
  for each in "${@:2}"; do
    [[ $each != "$1" ]] || return 0
  done
  return 1
}

# reaches PATH CLIENT: whether the peer could write to the share by this export: of one of the paths, of what is above or below it, to
# whatever is not plainly another host. An IPv4 address that is not the peer's is one; a name, a net, a group, no client at all may be anybody.
reaches() {
  local path="$1" client="${2%%(*}" each
  is_ipv4 "$client" && ! is_among "$client" "${peer_addresses[@]}" && return 1
  for each in "${exports[@]}"; do
    [[ $path != "$each" && $path != / && $each != "$path"/* && $path != "$each"/* ]] || return 0
  done
  return 1
}

# look_at_exports FILE: sets `other` to an export of that file that reaches the share, in the form of exports(5).
look_at_exports() {
  local line part='' words client
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line == *\\ ]]; then
      part+="${line%\\} "
      continue
    fi
    line="$part${line%%#*}" part=''
    read -r -a words <<<"${line//\"/ }"
    ((${#words[@]})) || continue
    ((${#words[@]} > 1)) || words+=('*')
    for client in "${words[@]:1}"; do
      [[ $client == -* ]] || ! reaches "${words[0]%/}" "$client" || other="${words[0]} to ${client%%(*} in ${1#"$root"}"
    done
  done <"$1"
}

# Not only what is in force: what the files say comes back with the next start of the server.
refuse_other_exports() {
  local file other=''
  [[ -r $etab ]] || refuse "the exports in force cannot be read from ${etab#"$root"}"
  for file in "$etab" "$root/etc/exports" "$root"/etc/exports.d/*.exports; do
    [[ ! -e $file ]] || look_at_exports "$file"
  done
  [[ -z $other ]] || refuse "the peer still reaches the share: $other is exported, too"
}

is_client_of_peer() {
  local line address=''
  while IFS= read -r line; do
    [[ $line =~ ^address:\ \"(.*):[0-9]+\"$ ]] && address="${BASH_REMATCH[1]}"
  done 2>/dev/null <"$1/info"
  address="${address#[}" address="${address%]}"
  is_among "${address#::ffff:}" "${peer_addresses[@]}"
}

# The kernel takes what the client was about to write first, however long that takes, and frees its locks. A client that comes after this
# has nothing exported to it.
expire_peer() {
  local client left clients=() deadline=$((SECONDS + expiry_limit))
  [[ -d $root/proc/fs/nfsd/clients ]] || refuse "this kernel does not tell its NFS clients in /proc/fs/nfsd/clients"
  for client in "$root"/proc/fs/nfsd/clients/*/; do
    ! is_client_of_peer "$client" || clients+=("$client")
  done
  for client in "${clients[@]}"; do
    (echo expire >"$client/ctl") </dev/null >/dev/null 2>&1 9>&- &
  done
  while :; do
    left=
    for client in "${clients[@]}"; do
      [[ ! -d $client ]] || left=yes
    done
    [[ -n $left ]] || return 0
    ((SECONDS < deadline)) || refuse "the peer's clients have not come to their end in $expiry_limit s"
    sleep 0.2 9>&-
  done
}

# The heartbeat grows the file with the lock, so the server sees when it did last, by its own clock.
refuse_unless_silent() {
  local each
  for each in "${exports[@]}"; do
    each="$root$each/.nim-ha/lock"
    [[ -e $each ]] || continue
    (($(date +%s) - $(stat -c %Y "$each") > silent_for)) || refuse "the holder of the lock shows life"
    return
  done
  refuse "there is no lock on the share"
}

fence() {
  local each
  [[ $fenced != "$caller" ]] || refuse "fenced itself, as $name"
  # Half a fence, or half a way back, may be what the last request has left. The peer may have served since.
  if [[ $fenced != "$peer" || -e $(exports_file "$peer") ]]; then
    [[ $request == fence ]] || refuse_unless_silent
    record "$peer"
  fi
  { rm -f "$(exports_file "$peer")" && sync "$root/etc/exports.d"; } || refuse "the peer's exports cannot be taken out of /etc/exports.d"
  for each in "${exports[@]}"; do
    change_exports -u "${peer_addresses[0]}:$each" 2>/dev/null
  done
  change_exports -f || refuse "the kernel's table of exports cannot be emptied"
  refuse_other_exports
  expire_peer
  answer "fenced $name"
}

rejoin() {
  local each lines=()
  [[ $fenced == "$caller" ]] || answer free
  [[ $name == "${request#rejoin }" ]] || refuse "fenced under another name"
  # From here on the same request, come twice or late, does nothing.
  record "$caller"
  for each in "${exports[@]}"; do lines+=("$each ${own_addresses[0]}($options)"); done
  put_file "$(exports_file "$caller")" "$(printf '%s\n' "${lines[@]}")" || refuse "the exports cannot be written to /etc/exports.d"
  for each in "${exports[@]}"; do
    change_exports -i -o "$options" "${own_addresses[0]}:$each" || refuse "the export of $each cannot be put in force"
  done
  { rm -f "$memory/fenced" && sync "$memory"; } || refuse "the record of the fence cannot be taken away"
  answer back
}

shopt -s nullglob
accept "$@"
read_settings
{ mkdir -p "$memory" && exec 9>"$memory/lock" && flock -w 60 9; } || refuse "another request is at work, or /var/lib cannot be written"
read_record
case "$request" in
  fence | fence-silent) fence ;;
  status)
    [[ $fenced != "$caller" ]] || answer "fenced $name"
    answer free
    ;;
  rejoin*) rejoin ;;
esac
