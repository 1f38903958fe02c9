#!/bin/bash
# fence.sh PAIR NODE REQUEST: what a node may ask of the NFS server, as root. PAIR and NODE come from the forced command of the key that the
# caller has logged in with; REQUEST is what the caller says, and may be anything:
#   fence          withdraws the peer from the share. For a node that has the lock and finds the peer's mark on the share.
#   fence-silent   the same, but only when the holder of the lock has shown no sign of life for a while, which is waited for where it is not
#                  over yet. For a node that waits for the lock.
#   status         is the caller itself fenced, and what is the name of that fence?
#   rejoin NAME    gives the caller its exports back, when it is fenced under that name. It must hold nothing of the share by then.
# Prints one line: fenced NAME | free | back | refused: WHY (and ends with 3). Never both nodes are fenced. See docs/decisions/0009-fencing.md.
# Settings, in /etc/nim-ha-fence/PAIR, which only root may write: EXPORT=PATH for each export, OPTIONS=..., NODE=NAME ADDRESS [ADDRESS...]
# with the IPv4 address first that the node mounts from, KEYS=NAME [KEY,KEY...] with its host keys. What is remembered is in /var/lib/nim-ha-fence/PAIR.

set -u
umask 077
LC_ALL=C
lib="${0%/*}"
# Empty where it is installed; a tree of its own in a test.
root="${0%/usr/local/lib/nim-ha-fence/fence.sh}"
export PATH="$root/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
silent_for=5      # seconds
letting_go_for=20 # the same for a holder that lets go in order, which has all that was written sent at once
expiry_limit=20   # seconds that "fenced" waits for the clients to be gone
kernel_exports="$root/proc/fs/nfsd/exports"
# shellcheck source-path=SCRIPTDIR source=exports.sh
. "$lib/exports.sh" || {
  echo "refused: the server's side is not whole"
  exit 3
}

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
  local uuid='^rejoin [0-9a-f-]{36}$'
  pair="${1-}" caller="${2-}" request="${3-}"
  if (($# != 3)) || ! [[ $pair =~ $name_pattern && $caller =~ $name_pattern ]]; then
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
  name_paths "$pair"
}

find_peer() {
  local each
  peer='' own_addresses=() peer_addresses=()
  [[ -r $settings ]] || refuse "no such pair"
  read_settings "$settings"
  for each in "${nodes[@]}"; do
    if [[ $each == "$caller" ]]; then
      read -r -a own_addresses <<<"${addresses_of[$each]}"
    else
      peer="$each"
      read -r -a peer_addresses <<<"${addresses_of[$each]}"
    fi
  done
  for each in "${own_addresses[@]}" "${peer_addresses[@]}"; do
    is_ipv4 "$each" || refuse "the settings of this pair have an address that is not IPv4"
  done
  { ((${#exports[@]} && ${#own_addresses[@]} && ${#peer_addresses[@]})) && [[ -n $options ]]; } ||
    refuse "the settings of this pair name no exports, no options, or not this node and its peer"
}

# record NODE: fenced from now on, under a name that no earlier request can know.
record() {
  name="$(<"$root/proc/sys/kernel/random/uuid")"
  put_file "$memory/fenced" "$1 $name" || refuse "the fence cannot be written down"
}

# Not only what is in force: what the files say comes back with the next start of the server.
refuse_other_exports() {
  local file others=() kept_out=("${peer_addresses[@]}")
  [[ -r $etab ]] || refuse "the exports in force cannot be read from ${etab#"$root"}"
  look_anew
  for file in "$etab" "$root/etc/exports" "$root"/etc/exports.d/*.exports; do
    [[ ! -e $file ]] || look_at_exports "$file"
  done
  ((${#others[@]} == 0)) || refuse "the peer still reaches the share: ${others[-1]} is exported, too"
}

is_client_of_peer() {
  local address
  address_of_client "$1/info"
  is_among "$address" "${peer_addresses[@]}"
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

# When it has grown last, and the last byte in it.
# shellcheck disable=SC2016 # for the inner shell
lock_reader='
  read -r grown size < <(stat -c "%Y %s" "$2")
  last="$(dd if="$2" iflag=nofollow,nonblock bs=1 skip=$((size > 0 ? size - 1 : 0)) count=1 status=none)"
  echo "$grown $size $last"
'

# The heartbeat grows the file with the lock, so the server sees when it did last, by its own clock. What is no file is no lock. The last few seconds are
# waited for here: the caller would have to log in anew, and the pair serves nobody meanwhile.
refuse_unless_silent() {
  local each text code grown size last limit left seen=
  for each in "${exports[@]}"; do
    while :; do
      text="$(read_from_share "$lock_reader" "$root$each" lock .nim-ha)"
      code=$?
      [[ $code != 1[123] ]] || continue 2
      read -r grown size last <<<"$text"
      [[ $code == 0 && $grown =~ ^[0-9]+$ ]] || refuse "the lock on the share cannot be read"
      limit=$silent_for
      [[ $last != - ]] || limit=$letting_go_for
      left=$((grown + limit + 1 - $(date +%s)))
      ((left > 0)) || return 0
      [[ ${seen:-$grown $size} == "$grown $size" && $left -le $((silent_for + 1)) ]] || refuse "the holder of the lock shows life"
      seen="$grown $size"
      sleep 1 9>&-
    done
  done
  refuse "there is no lock on the share"
}

flush_exports() {
  change_exports -f || refuse "the kernel's table of exports cannot be emptied"
}

# What mountd has told the kernel since its table was emptied, by whatever name the entry has this peer.
is_told_to_kernel() {
  local path client plain each
  while read -r path client _; do
    plain_of "$path"
    is_among "${plain%/}" "${exports[@]}" || continue
    client=",${client%%(*},"
    for each in "${peer_addresses[@]}"; do [[ ${client/\$/} != *",$each,"* ]] || return 0; done
  done <"$kernel_exports"
  return 1
}

# mountd may tell the kernel what it had read before the export was withdrawn.
empty_table() {
  local tries=3
  [[ -r $kernel_exports ]] || refuse "the kernel's table of exports cannot be read from ${kernel_exports#"$root"}"
  while :; do
    flush_exports
    sleep 0.2 9>&-
    is_told_to_kernel || return 0
    ((--tries)) || refuse "the kernel still has the share exported to the peer"
  done
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
  flush_exports
  refuse_other_exports
  expire_peer
  empty_table
  # Somebody's exportfs may have put back meanwhile what it had read before.
  refuse_other_exports
  answer "fenced $name"
}

rejoin() {
  local each
  [[ $fenced == "$caller" ]] || answer free
  [[ $name == "${request#rejoin }" ]] || refuse "fenced under another name"
  # From here on the same request, come twice or late, does nothing.
  record "$caller"
  put_file "$(exports_file "$caller")" "$(exports_text "$caller")" || refuse "the exports cannot be written to /etc/exports.d"
  for each in "${exports[@]}"; do
    change_exports -i -o "$options" "${own_addresses[0]}:$each" || refuse "the export of $each cannot be put in force"
  done
  { rm -f "$memory/fenced" && sync "$memory"; } || refuse "the record of the fence cannot be taken away"
  answer back
}

shopt -s nullglob
accept "$@"
find_peer
{ mkdir -p "$memory" && exec 9>"$memory/lock" && flock -w 60 9; } || refuse "another request is at work, or /var/lib cannot be written"
# setup.sh may have changed or removed the pair while this waited.
[[ $memory/lock -ef /dev/fd/9 ]] || refuse "the pair is being set up anew"
find_peer
read_record
case "$request" in
  fence | fence-silent) fence ;;
  status)
    [[ $fenced != "$caller" ]] || answer "fenced $name"
    answer free
    ;;
  rejoin*) rejoin ;;
esac
