# shellcheck shell=bash disable=SC2034,SC2154
# Puts everything in place, each thing whole, and only what is not there. The order is one in which the next install or remove finds what
# this one has left, wherever it stops: settings before what they name, and off with the old exports before the settings that name them.

write_failed() {
  fail fencing/write "${1#"$root"}" "an error" "written" "is the file system full, or read-only?"
}

has_mode() {
  [[ "$(stat -c %a "$1" 2>/dev/null)" == "$2" ]]
}

# ensure_dir DIR MODE
ensure_dir() {
  [[ ! -d $1 ]] || ! has_mode "$1" "$2" || return 0
  { { [[ -d $1 ]] || mkdir "$1"; } && chmod "$2" "$1" && sync "$1" "${1%/*}"; } || write_failed "$1"
  changed "${1#"$root"}"
}

# ensure_file FILE TEXT MODE
ensure_file() {
  [[ ! -f $1 || "$(<"$1")" != "$2" ]] || ! has_mode "$1" "$3" || return 0
  put_file "$@" || write_failed "$1"
  changed "${1#"$root"}"
}

# All of them: a removal may come when what was uploaded is gone. Together, for a request of a node, of this pair or another, may begin meanwhile, and what
# it reads has to be of one version. What this version does not have goes.
ensure_scripts() {
  local file name mode new="$lib_dir/.new" due=()
  [[ ! -e $new ]] || rm -rf "$new" # of one that was cut off
  for file in "$lib"/*.sh; do
    name="${file##*/}" mode=644
    case "$name" in fence.sh | setup.sh) mode=755 ;; esac
    if [[ -f $lib_dir/$name && "$(<"$lib_dir/$name")" == "$(<"$file")" ]] && has_mode "$lib_dir/$name" "$mode"; then continue; fi
    { { [[ -d $new ]] || mkdir "$new"; } && put_file "$new/$name" "$(<"$file")" "$mode"; } || write_failed "$lib_dir/$name"
    due+=("$name")
  done
  if ((${#due[@]})); then
    { mv -f -t "$lib_dir" -- "${due[@]/#/$new/}" && rmdir "$new" && sync "$lib_dir"; } || write_failed "$lib_dir"
    for name in "${due[@]}"; do changed "${lib_dir#"$root"}/$name"; done
  fi
  for file in "$lib_dir"/*; do
    [[ -e $lib/${file##*/} ]] || drop_file "$file"
  done
}

# In sudo's directory, but under a name with a dot in it, which sudo passes over.
ensure_sudoers() {
  local rule new="${sudoers%/*}/.nim-ha-fence.new"
  rule="Defaults:$user !requiretty
$user ALL=(root) NOPASSWD: /usr/local/lib/nim-ha-fence/fence.sh"
  [[ ! -f $sudoers || "$(<"$sudoers")" != "$rule" ]] || ! has_mode "$sudoers" 440 || return 0
  { [[ -d ${sudoers%/*} ]] && rm -f "$new" && printf '%s\n' "$rule" >"$new" && chmod 440 "$new"; } || write_failed "$new"
  visudo -cf "$new" >/dev/null || {
    rm -f "$new"
    fail fencing/sudoers "${sudoers#"$root"}" "an error of visudo" "a rule that it takes" "see: visudo -c"
  }
  { sync "$new" && mv -f "$new" "$sudoers" && sync "${sudoers%/*}"; } || write_failed "$sudoers"
  changed "${sudoers#"$root"}"
}

# `*` is no password, but not a locked account either, which sshd without PAM lets nobody in to.
ensure_account() {
  look_at_account
  [[ $account == none ]] || return 0
  useradd --system --user-group --home-dir "${home#"$root"}" --no-create-home --shell /bin/sh --password '*' "$user" ||
    fail fencing/user "useradd $user" "an error" "success" "see the line above"
  changed "user $user"
}

# A forced command needs a shell, and sshd reads the keys as this user; it may write none of it.
ensure_home() {
  ensure_dir "$home" 755
  ensure_dir "$home/.ssh" 755
  [[ -f $keys_file ]] || ensure_file "$keys_file" '' 644
  has_mode "$keys_file" 644 || ensure_file "$keys_file" "$(<"$keys_file")" 644
  ! command -v restorecon >/dev/null || restorecon -R "$home/.ssh" || true
}

# is_in_force PATH ADDRESS [OPTION...]
is_in_force() {
  local path client each
  while read -r path client; do
    [[ "$path ${client%%(*}" == "$1 $2" ]] || continue
    client="${client#*(}"
    for each in "${@:3}"; do [[ ,${client%)}, == *,"$each",* ]] || return 1; done
    return 0
  done <"$etab"
  return 1
}

# add_if_same EXPORT FILE WORD PATH CLIENT OPTIONS: to `found`. exportfs takes the path that is behind all links.
add_if_same() {
  [[ $4 == "$1" || (-e $root$4 && "$(readlink -f "$root$4")" == "$(readlink -f "$root$1")") ]] || return 0
  ! may_be_kept_out "$5" || found+=("${5:-*} ${6:-ro} $2")
}

# list_theirs EXPORT: sets `theirs` to what files of others, which the server reads when it starts, give of it to one with `kept_out`: CLIENT OPTIONS
# FILE, in the order of exportfs, to which the first of two for one client counts.
list_theirs() {
  local file found=()
  for file in "$root/etc/exports" "$exports_dir"/*.exports; do
    [[ $file == "$exports_dir/nim-ha-$pair@"* || ! -e $file ]] || each_export "$file" add_if_same "$1" "${file#"$root"}"
  done
  theirs=("${found[@]}")
}

# is_same_client CLIENT ADDRESS: exportfs looks up what a name is.
is_same_client() {
  local address
  [[ $1 != "$2" ]] || return 0
  [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] && ! is_ipv4 "$1" || return 1
  while read -r address _; do
    [[ $address != "$2" ]] || return 0
  done < <(getent ahostsv4 "$1" 8>&- 9>&-)
  return 1
}

# find_their_line ADDRESS: sets `given` and `from`, options and file of what `theirs` has for this client.
find_their_line() {
  local each client
  for each in "${theirs[@]}"; do
    read -r client given from <<<"$each"
    ! is_same_client "$client" "$1" || return 0
  done
  return 1
}

# withdraw PATH ADDRESS. Somebody else's line for the same two is one entry with ours in the table: that stays, and gets the options of his line.
withdraw() {
  local theirs given from kept_out=("$2")
  is_in_force "$1" "$2" || return 0
  list_theirs "$1"
  if find_their_line "$2"; then
    change_exports -i -o "$given" "$2:$1" ||
      fail fencing/export "export of $1 to $2 as $from has it" "an error of exportfs" "in force" "see the line above"
    changed "$1 is exported to $2 by $from alone"
    return
  fi
  change_exports -u "$2:$1" && change_exports -f
  ! is_in_force "$1" "$2" || fail fencing/withdraw "export of $1 to $2" "still in force" "withdrawn" "see: exportfs -v"
  changed "$1 is not exported to $2 any more"
}

# What the last settings export and these don't. The files first, for the server reads them when it starts. A machine that is called otherwise now keeps
# what it has in force.
withdraw_old() {
  local node address each file lost
  for node in "${!old_address[@]}"; do
    address="${old_address[$node]}"
    file="$(exports_file "$node")"
    if [[ -z ${node_at[$address]-} ]]; then
      drop_file "$file"
    elif [[ ${node_at[$address]} == "$node" && -f $file ]]; then
      ensure_file "$file" "$(exports_text "$node")" 600
    fi
  done
  for address in "${old_address[@]}"; do
    list_lost "$address"
    for each in "${lost[@]}"; do withdraw "$each" "$address"; done
  done
}

# Nodes that are the machines that they were under the last settings. A key is for a name: the others make themselves known anew.
list_same_nodes() {
  local node address gone=''
  same=()
  ! is_fenced_replaced || gone="${old_address[$fenced]-}"
  for node in "${nodes[@]}"; do
    address="${addresses_of[$node]%% *}"
    [[ $address == "$gone" || ${old_address[$node]-} != "$address" ]] || same+=("$node")
  done
}

# What machines keep that get another name is in some file all the time: between two of ours the server may start, or somebody run exportfs -ra.
keep_renamed() {
  local node new each text=''
  for node in "${!old_address[@]}"; do
    new="${node_at[${old_address[$node]}]-}"
    [[ -n $new && $new != "$node" && $node != "$fenced" ]] || continue
    for each in "${old_exports[@]}"; do
      ! is_among "$each" "${exports[@]}" || text+="$each ${old_address[$node]}($options)"$'\n'
    done
  done
  [[ -z $text ]] || ensure_file "$(exports_file '')" "${text%$'\n'}" 600
}

# Its key is gone by now, and with the old settings nothing is exported to it.
forget_fenced() {
  { rm -f "$memory/fenced" && sync "$memory"; } || write_failed "$memory/fenced"
  changed "$fenced is not fenced any more: another machine is in its place"
  fenced=''
}

export_to() {
  local node="$1" each address="${addresses_of[$1]%% *}"
  ensure_file "$(exports_file "$node")" "$(exports_text "$node")" 600
  for each in "${exports[@]}"; do
    [[ -e $memory/unfinished ]] || ! is_in_force "$each" "$address" rw sync no_root_squash || continue
    change_exports -i -o "$options" "$address:$each" ||
      fail fencing/export "export of $each to $address" "an error of exportfs" "in force" "see the line above"
    changed "$each is exported to $address"
  done
}

# The files of nodes that are none any more, and what a put_file that was cut off has left of them.
drop_other_files() {
  local file
  for file in "$exports_dir/nim-ha-$pair@"*.exports "$exports_dir/.nim-ha-$pair@"*.exports.new; do
    file="${file##*/}" file="${file#.}"
    file="$exports_dir/${file%.new}"
    is_among "$(node_of_file "$file")" "${nodes[@]}" || drop_file "$file"
  done
}

install_pair() {
  local node same
  ensure_dir "$lib_dir" 755
  ensure_scripts
  ensure_account
  ensure_home
  ensure_sudoers
  ensure_dir "$settings_dir" 700
  ensure_dir "$memory" 700
  if [[ ! -d $exports_dir ]]; then
    put_file "$made_exports_dir" '' || write_failed "$made_exports_dir"
    ensure_dir "$exports_dir" 755
  fi
  # What is in force may have other options than the file until this is away.
  [[ -f $settings && "$(<"$settings")" == "$wanted" ]] || put_file "$memory/unfinished" '' || write_failed "$memory/unfinished"
  # First, or a key would speak for another machine.
  list_same_nodes
  forget_keys_but "${same[@]}"
  keep_renamed
  withdraw_old
  if [[ -n $fenced ]] && is_fenced_replaced; then forget_fenced; fi
  ensure_file "$settings" "$wanted" 600
  for node in "${nodes[@]}"; do
    # The one that is fenced asks for its exports itself, when it holds nothing of the share.
    [[ $node == "$fenced" ]] || export_to "$node"
  done
  drop_other_files
  rm -f "$memory/unfinished"
}
