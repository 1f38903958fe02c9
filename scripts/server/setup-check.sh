# shellcheck shell=bash disable=SC2034,SC2154
# Everything that would go wrong on this server, in one report, before anything changes. Reads only.

# package_of COMMAND: what the family of this system calls it.
package_of() {
  local debian redhat
  case "$1" in
    exportfs) debian=nfs-kernel-server redhat=nfs-utils ;;
    logger) debian=bsdutils redhat=util-linux ;;
    mount) debian=mount redhat=util-linux ;;
    flock | unshare) debian=util-linux redhat=util-linux ;;
    sudo | visudo) debian=sudo redhat=sudo ;;
    sshd) debian=openssh-server redhat=openssh-server ;;
    useradd | userdel) debian=passwd redhat=shadow-utils ;;
  esac
  if command -v apt-get >/dev/null; then
    echo "apt-get install $debian"
  elif command -v dnf >/dev/null || command -v yum >/dev/null; then
    echo "$(command -v dnf >/dev/null && echo dnf || echo yum) install $redhat"
  else
    echo "install the package that has it: $debian on Debian, $redhat on RHEL"
  fi
}

check_system() {
  local tool nfsd="$root/proc/fs/nfsd" kernel
  for tool in exportfs flock logger mount sshd sudo unshare useradd userdel visudo; do
    command -v "$tool" >/dev/null || problem fencing/tool "$tool" "no such command" "one" "$(package_of "$tool")"
  done
  kernel="kernel $(uname -r)"
  if [[ ! -e $nfsd/threads ]]; then
    problem fencing/nfsd "NFS server of the $kernel" "nothing mounted at /proc/fs/nfsd" "a server that runs" "systemctl enable --now nfs-server"
  elif [[ "$(<"$nfsd/threads")" == 0 ]]; then
    problem fencing/nfsd "NFS server of the $kernel" "no threads" "a server that runs" "systemctl enable --now nfs-server"
  elif [[ ! -d $nfsd/clients ]]; then
    problem fencing/kernel "$kernel" "no /proc/fs/nfsd/clients" "5.3 or newer, which tells its clients" "use a newer release of the operating system"
  fi
  [[ -r $etab ]] || problem fencing/etab "exports in force" "no /var/lib/nfs/etab" "the table of exportfs" "systemctl enable --now nfs-server"
  if [[ "$(getenforce 2>/dev/null)" == Enforcing && "$(matchpathcon -n "$keys_file" 2>/dev/null)" != *:ssh_home_t:* ]]; then
    problem fencing/selinux "label of $keys_file" "$(matchpathcon -n "$keys_file" 2>&1)" "ssh_home_t, for SELinux is enforcing" \
      "semanage fcontext -a -t ssh_home_t '/var/lib/nim-ha-fence/\.ssh(/.*)?'"
  fi
}

# Sets `account` to none, ours or other. Ours has this home and this shell, and was made for nothing else.
look_at_account() {
  local entry
  account=none
  entry="$(getent passwd "$user")" || return 0
  account=other
  [[ ${entry#*:*:*:*:*:} != "${home#"$root"}:/bin/sh" ]] || account=ours
}

check_account() {
  look_at_account
  [[ $account != other ]] || problem fencing/user "user $user" "one that is not ours" "none, or one with the home /var/lib/nim-ha-fence" \
    "if nothing needs it: userdel $user"
}

# What is exported has to be where its name says: another export is recognised by its path.
check_paths() {
  local each real
  for each in "${exports[@]}"; do
    if [[ ! -e $root$each ]]; then
      problem fencing/path "$each" "no such directory" "the directory to export" "create it, or correct the share in the program"
    elif [[ ! -d $root$each ]]; then
      problem fencing/path "$each" "not a directory" "the directory to export" "correct the share in the program"
    else
      real="$(readlink -f "$root$each")"
      [[ $real == "$(readlink -f "$root/")${root:+/}${each#/}" ]] ||
        problem fencing/path "$each" "a symbolic link on the way, to $real" "a path without one" "name the directory itself in the program"
    fi
  done
}

# What a pair has of this server, as read_settings has set it, whatever its nodes are called.
list_places() {
  printf '%s\n' "${exports[@]}" "${addresses_of[@]}" | sort
}

# Its name is made of where it is in the program, so the same pair may come under another one. Sets `known_as` to the one that it has here.
check_other_pairs() {
  local file line each other
  known_as=''
  for file in "$settings_dir"/*; do
    [[ $file != "$settings" ]] || continue
    other="${file##*/}"
    if [[ "$(read_settings "$file" && list_places)" == "$(list_places)" ]]; then
      known_as="$other"
      problem fencing/other-pair "pair $pair" "its nodes and exports, set up here as $other" "the name that they have here" \
        "give it in the program: name: '$other' in NfsFencing.linuxServer, or \"name\": \"$other\" in nfsShare.fencing of a config file"
      continue
    fi
    while IFS= read -r line; do
      for each in "${exports[@]}"; do
        ! overlaps "$each" "$line" || problem fencing/other-pair "export $each" "$line of the pair $other" "a path of this pair alone" \
          "correct the share in the program, or remove that pair"
      done
    done < <(sed -n 's/^EXPORT=//p' "$file")
  done
}

# The settings that are in force, as old_exports and old_address[NODE], the one that the node mounts from; node_at[ADDRESS], the name that these settings
# have for it; and who is fenced, with its host keys.
declare -A old_address=() node_at=()
look_at_installed() {
  local each
  old_exports=() old_address=() node_at=() keys_of_fenced=()
  read_record
  if [[ -e $settings ]]; then
    read_settings "$settings"
    old_exports=("${exports[@]}")
    for each in "${nodes[@]}"; do old_address[$each]="${addresses_of[$each]%% *}"; done
    [[ -z $fenced ]] || IFS=, read -r -a keys_of_fenced <<<"${keys_of[$fenced]-}"
  fi
  read_settings /dev/stdin <<<"$wanted"
  for each in "${nodes[@]}"; do node_at["${addresses_of[$each]%% *}"]="$each"; done
}

# Two programs may call their pairs alike, and each would take the other's place.
check_same_pair() {
  local each
  ((${#old_address[@]})) || return 0
  for each in "${old_exports[@]}"; do ! is_among "$each" "${exports[@]}" || return 0; done
  for each in "${old_address[@]}"; do [[ -z ${node_at[$each]-} ]] || return 0; done
  problem fencing/other-pair "pair $pair" "one with other nodes and other exports: ${old_address[*]}; ${old_exports[*]}" "none of that name, or this pair" \
    "give this one a name of its own in the program; where it is this one, and all of it has changed, take it away first: setup.sh remove $pair"
}

# What is taken away from a client that uses it is denied to it in the middle of a write.
check_lost_exports() {
  local address lost=()
  for address in "${old_address[@]}"; do
    list_lost "$address"
    ((${#lost[@]} == 0)) || ! is_in_use "$address" ||
      problem fencing/in-use "${lost[*]} for $address" "a client there that uses this server, and no such export in these settings" "no client" \
        "change paths and addresses with fencing switched off, in a deploy of its own; on a machine that has left the pair, unmount all that it has from this server"
  done
}

# list_lost ADDRESS: sets `lost` to the exports that it has and these settings do not give it, whatever they call it.
list_lost() {
  local each
  lost=()
  for each in "${old_exports[@]}"; do
    [[ -n ${node_at[$1]-} ]] && is_among "$each" "${exports[@]}" || lost+=("$each")
  done
}

# is_own_file FILE NODE: of the settings in force; or put there by hand as it is going to be; or left by an install that was cut off when it gave a machine
# another name. A node without a name is what machines stand in meanwhile.
is_own_file() {
  local path client
  [[ -z $2 || -z ${old_address[$2]-} ]] || return 0
  if is_among "$2" "${nodes[@]}"; then
    [[ "$(<"$1")" == "$(exports_text "$2")" ]]
    return
  fi
  while read -r path client; do is_among "$path to ${client%%(*} in ${etab#"$root"}" "${ours[@]}" || return 1; done <"$1"
}

# Files first, for what is in one is told by its name, and what is in force comes from there.
check_other_exports() {
  local file each node here others=() ours=() seen=() kept_out=()
  for node in "${nodes[@]}"; do
    for each in ${addresses_of[$node]}; do kept_out+=("$each"); done
    for each in "${exports[@]}"; do ours+=("$each to ${addresses_of[$node]%% *} in ${etab#"$root"}"); done
  done
  for node in "${!old_address[@]}"; do
    for each in "${old_exports[@]}"; do ours+=("$each to ${old_address[$node]} in ${etab#"$root"}"); done
  done
  look_anew
  for file in "$root/etc/exports" "$exports_dir"/*.exports "$etab"; do
    [[ -e $file ]] || continue
    node="$(node_of_file "$file")"
    [[ $file != "$(exports_file "$node")" ]] || ! is_own_file "$file" "$node" || continue
    ! is_among "$node" "${nodes[@]}" || problem fencing/foreign-file "${file#"$root"}" "a file that is not ours" "none, or the lines that belong there" \
      "move it away"
    look_at_exports "$file"
  done
  for each in "${others[@]}"; do
    is_among "$each" "${ours[@]}" && continue
    here="${each##* in }"
    [[ $here != "${etab#"$root"}" ]] || ! is_among "${each% in *}" "${seen[@]% in *}" || continue
    seen+=("$each")
    problem fencing/other-export "export of ${each% in *}" "one in $here" "none by which a node reaches the share around its fence" \
      "put the lines below into the files below; take this one out of its file; then run exportfs -ra, which also drops what was exported by hand alone"
  done
  ((${#seen[@]} == 0)) || for node in "${nodes[@]}"; do
    [[ $node == "$fenced" ]] || advice+=("# /etc/exports.d/nim-ha-$pair@$node.exports" "$(exports_text "$node")")
  done
}

# Whether the machine that is fenced is in these settings no more, by its host keys: another address may be its own. Only by a key of a type that both
# have can anybody tell: where another type is named now, the old key may still be there.
is_fenced_replaced() {
  local node key keys told
  for node in "${nodes[@]}"; do
    told=''
    IFS=, read -r -a keys <<<"${keys_of[$node]-}"
    for key in "${keys[@]}"; do
      ! is_among "$key" "${keys_of_fenced[@]}" || return 1
      ! is_among "${key% *}" "${keys_of_fenced[@]% *}" || told=yes
    done
    [[ -n $told ]] || return 1
  done
}

without_details() {
  grep -v -e ^OPTIONS= -e ^KEYS= | sort
}

# The record names a node, and its way back is to what was exported to it.
check_change_while_fenced() {
  local types="${keys_of_fenced[*]% *}"
  [[ -n $fenced && -e $settings ]] && ! is_fenced_replaced || return 0
  [[ "$(without_details <"$settings")" == "$(without_details <<<"$wanted")" ]] ||
    problem fencing/fenced "settings" "other exports, nodes or addresses while $fenced is fenced" "the same ones" \
      "bring $fenced back first: run nim-ha rejoin there; a machine that is gone for good is replaced by one with other host keys of the types of its own: ${types:-none is known}"
}

check_all() {
  local bad=${#problems[@]}
  check_system
  check_account
  if ((bad == 0)); then
    check_sshd
    check_paths
    check_other_pairs
    look_at_installed
    check_same_pair
    check_lost_exports
    # Its own exports would be another way to the share.
    [[ -n $known_as ]] || check_other_exports
    check_change_while_fenced
  fi
  end_on_problems 3
}
