# shellcheck shell=bash disable=SC2016,SC2034,SC2154
# The nodes leave their public keys on the share. Whoever is root on a node can put anything there, and swap it at any moment.

# key_line NODE KEY. Its shell gives the request to fence.sh as one word, and of that no more than a request can be made of: sudo writes it to the log
# before fence.sh has seen it.
key_line() {
  local request='$(export LC_ALL=C; printf %.200s "$SSH_ORIGINAL_COMMAND" | tr -c "a-z0-9 -" "[?*]")'
  local command="sudo -n /usr/local/lib/nim-ha-fence/fence.sh $pair $1 \"$request\""
  printf '%s' "restrict,command=\"${command//\"/\\\"}\" $2 nim-ha $pair $1"
}

# Sets `key_lines` to those of other pairs, and of this one's nodes that are named.
read_keys_of() {
  local line node
  key_lines=()
  [[ -f $keys_file ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -n $line ]] || continue
    node="${line##*" nim-ha $pair "}"
    if [[ $node == "$line" ]] || is_among "$node" "$@"; then key_lines+=("$line"); fi
  done <"$keys_file"
}

write_keys() {
  ensure_file "$keys_file" "$( ((${#key_lines[@]} == 0)) || printf '%s\n' "${key_lines[@]}")" 644
}

# forget_keys_but NODE...: of this pair.
forget_keys_but() {
  local key_lines
  [[ -f $keys_file ]] || return 0
  read_keys_of "$@"
  write_keys
}

# read_key NODE: sets `key`, or reports. Never shows what it has read: it may be of another file.
read_key() {
  local text='' code got='' file=".nim-ha/fence-keys/$1.pub" reader='exec dd if="$2" iflag=nofollow,nonblock bs=1025 count=1 status=none'
  local pattern='^(ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42})( [ -~]*)?$'
  key=''
  # A read comes to its end with success at a NUL. How the reader ended comes behind one: `wait` fails now and then for such a process, which bash 5.2 has
  # forgotten when it has ended.
  {
    IFS= read -r -d '' text
    ! IFS= read -r -d '' code || got="a NUL in it" code=0
  } < <(
    read_from_share "$reader" "$share" "$1.pub" .nim-ha fence-keys
    printf '\0%s' "$?"
  )
  case "$code" in
    0) ;;
    10) got="no private mount of $share to read it from" ;;
    11) got="no such directory, or a symbolic link for one" ;;
    12) got="no such file" ;;
    13) got="no regular file" ;;
    124 | 137) got="no answer in 10 s" ;;
    *) got="an error when it was read" ;;
  esac
  if [[ -z $got ]]; then
    if ((${#text} > 1024)); then
      got="more than 1 KiB"
    elif [[ ${text%$'\n'} =~ $pattern ]]; then
      key="${BASH_REMATCH[1]}"
      return
    else
      got="something else"
    fi
  fi
  problem fencing/key "$file in ${share#"$root"}" "$got" "one line with an ssh-ed25519 public key" "take it away, and run the deploy again"
}

# check_key NODE: two nodes with one key would be one caller.
check_key() {
  local line
  [[ -n $key ]] || return 0
  for line in "${key_lines[@]}"; do
    [[ " $line " != *" $key "* || $line == *" nim-ha $pair $1" ]] || problem fencing/same-key "public key of $1" "the key of ${line##* nim-ha }" \
      "a key of its own" "make a new one on the node, and run the deploy again"
  done
}

check_installed() {
  look_at_account
  [[ -f $settings && $account == ours && -f $keys_file ]] || refuse fencing/not-installed "pair $pair" "not set up on this server" \
    "set up" "run setup.sh install first"
  read_settings "$settings"
}

admit_nodes() {
  local each node share='' key key_lines new=()
  for each in "${exports[@]}"; do
    [[ -n $share || ! -d $root$each/.nim-ha ]] || share="$root$each"
  done
  [[ -n $share ]] || refuse fencing/share "${exports[*]}" "no .nim-ha in any of them" "the directory that the nodes make" "run the deploy of the nodes first"
  # Once more, for now there is the user that a Match may be about.
  check_sshd
  read_keys_of "${nodes[@]}"
  for node in "${nodes[@]}"; do
    read_key "$node"
    check_key "$node"
    [[ -z $key ]] || key_lines+=("$(key_line "$node" "$key")")
    new+=("$(key_line "$node" "$key")")
  done
  end_on_problems 3
  read_keys_of
  key_lines+=("${new[@]}")
  write_keys
}
