# shellcheck shell=bash disable=SC2034,SC2154
# Takes away what setup-install.sh puts in place, also where only half of it is there. The settings go last: they say what is left to do.

# drop_file FILE: with what a put_file that was cut off has left.
drop_file() {
  local new="${1%/*}/.${1##*/}.new"
  [[ -e $1 || -e $new ]] || return 0
  { rm -f "$1" "$new" && sync "${1%/*}"; } || write_failed "$1"
  changed "no ${1#"$root"} any more"
}

# drop_tree DIR
drop_tree() {
  [[ -e $1 ]] || return 0
  { rm -rf "$1" && sync "${1%/*}"; } || write_failed "$1"
  changed "no ${1#"$root"} any more"
}

list_pairs() {
  local file
  for file in "$settings_dir"/*; do printf '%s\n' "${file##*/}"; done
}

is_anything_there() {
  local each
  look_at_account
  if [[ -n "$(list_pairs)" ]]; then
    for each in "$settings" "$memory" "$exports_dir/nim-ha-$pair@"*.exports "$settings_dir/.$pair.new"; do
      [[ ! -e $each ]] || return 0
    done
    grep -qsF " nim-ha $pair " "$keys_file"
  else
    for each in "$settings_dir" "$home" "$lib_dir" "$sudoers" "$exports_dir/nim-ha-$pair@"*.exports; do
      [[ ! -e $each ]] || return 0
    done
    [[ $account == ours ]]
  fi
}

# Its exports are what the settings say, and what its files say.
remove_exports() {
  local file node each path client left=()
  exports=() nodes=()
  [[ ! -e $settings ]] || read_settings "$settings"
  for node in "${nodes[@]}"; do
    for each in "${exports[@]}"; do left+=("$each ${addresses_of[$node]%% *}"); done
  done
  for file in "$exports_dir/nim-ha-$pair@"*.exports; do
    while read -r path client; do
      each="$path ${client%%(*}"
      is_among "$each" "${left[@]}" || left+=("$each")
    done <"$file"
  done
  for file in "$exports_dir/nim-ha-$pair@"*.exports "$exports_dir/.nim-ha-$pair@"*.exports.new; do drop_file "$file"; done
  # Without the program nothing is in force.
  [[ -e $etab ]] && command -v exportfs >/dev/null || return 0
  for each in "${left[@]}"; do withdraw "${each% *}" "${each#* }"; done
}

# is_in_use ADDRESS...: one of them has the share mounted. A node that is dead, or has no export any more, is no client after its lease.
is_in_use() {
  local info line address status idle lease
  read -r lease 2>/dev/null <"$root/proc/fs/nfsd/nfsv4leasetime"
  for info in "$root"/proc/fs/nfsd/clients/*/info; do
    address_of_client "$info"
    is_among "$address" "$@" || continue
    status='' idle=0
    while IFS= read -r line; do
      case "$line" in
        status:*) status="${line#*: }" ;;
        "seconds from last renew:"*) idle="${line##* }" ;;
      esac
    done 2>/dev/null <"$info"
    [[ $status == courtesy ]] || ((idle > ${lease:-90})) || return 0
  done
  return 1
}

# stays_in_force EXPORT ADDRESS: whether an entry of the table outlives our own: another one, or ours where it is one of `theirs`, too.
stays_in_force() {
  local each given from found=()
  [[ ! -r $etab ]] || each_export "$etab" add_if_same "$1" ''
  for each in "${found[@]}"; do
    [[ ${each%% *} == "$2" ]] && ! find_their_line "$2" || return 0
  done
  return 1
}

# Nodes that use the share go on using it when fencing is switched off. By then each export has to be exported to them by somebody else, under the
# same path: what a node has open knows the export that it came by. In a file, for the next start of the server, and in force.
check_unused() {
  local node each lost idle theirs kept_out
  [[ -e $settings ]] || return 0
  read_settings "$settings"
  for node in "${nodes[@]}"; do
    lost=() idle=()
    read -r -a kept_out <<<"${addresses_of[$node]}"
    is_in_use "${kept_out[@]}" || continue
    for each in "${exports[@]}"; do
      list_theirs "$each"
      if ((${#theirs[@]} == 0)); then
        lost+=("$each")
      else
        stays_in_force "$each" "${kept_out[0]}" || idle+=("$each")
      fi
    done
    if ((${#lost[@]})); then
      problem fencing/in-use "${lost[*]}" "in use by $node, and exported to it only by this" "not in use, or exported to it by a file of your own" \
        "put the lines below into /etc/exports, run exportfs -ra, and repeat what you did; or end the pair on $node first"
      [[ ! -e $(exports_file "$node") ]] || for each in "${lost[@]}"; do advice+=("$each ${kept_out[0]}($options)"); done
    fi
    ((${#idle[@]} == 0)) || problem fencing/in-use "${idle[*]}" "in use by $node, and in force for it only by this: what a file of your own has is not" \
      "one of your own in force" "run exportfs -ra, and repeat what you did"
  done
  end_on_problems 3
}

# No key first: a request that comes now would find half of a pair.
remove_pair() {
  forget_keys_but
  remove_exports
  drop_tree "$memory"
  drop_file "$settings"
}

remove_account() {
  look_at_account
  [[ $account == ours ]] || return 0
  userdel "$user" || fail fencing/user "userdel $user" "an error" "success" "see the line above; run this again when nobody is logged in as $user"
  changed "no user $user any more"
}

# With the last pair. The memory of what was there before goes last but the directories that say that there is something to remove.
remove_all() {
  drop_file "$sudoers"
  remove_account
  if [[ -e $made_exports_dir ]]; then
    rmdir "$exports_dir" 2>/dev/null
    drop_file "$made_exports_dir"
  fi
  drop_tree "$home"
  drop_tree "$lib_dir"
  drop_tree "$settings_dir"
  rm -f "$setup_lock"
}
