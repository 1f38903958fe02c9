# shellcheck shell=bash disable=SC2154
# Whether sshd of this server, as it is configured, would let the nodes in with their keys, and run what the keys say. Reads only.

# fits TEXT PATTERN: with sshd's * and ?, and nothing else that means something to bash.
fits() {
  local pattern='' each
  while IFS= read -r -n 1 -d '' each; do
    [[ $each == [*?A-Za-z0-9] ]] || each="\\$each"
    pattern+="$each"
  done < <(printf '%s' "$2")
  # shellcheck disable=SC2053
  [[ $1 == $pattern ]]
}

# is_in_net ADDRESS NET/BITS
is_in_net() {
  local bits="${2#*/}" a b c d one net
  is_ipv4 "${2%/*}" && [[ $bits =~ ^([0-9]|[12][0-9]|3[0-2])$ ]] || return 1
  IFS=. read -r a b c d <<<"$1"
  one=$((10#$a << 24 | 10#$b << 16 | 10#$c << 8 | 10#$d))
  IFS=. read -r a b c d <<<"${2%/*}"
  net=$((10#$a << 24 | 10#$b << 16 | 10#$c << 8 | 10#$d))
  ((one >> (32 - bits) == net >> (32 - bits)))
}

# names_user PATTERN ADDRESS: USER, or USER@HOST. A host that has a name here is nobody that can be told from an address.
names_user() {
  fits "$user" "${1%%@*}" || return 1
  [[ $1 == *@* ]] || return 0
  fits "$2" "${1#*@}" || is_in_net "$2" "${1#*@}"
}

# sshd_values KEYWORD: sets `values`, one for each line of that keyword.
sshd_values() {
  mapfile -t values < <(sed -n "s/^$1 //p" <<<"$configuration")
}

# sshd_problem ADDRESS WHAT GOT EXPECTED
sshd_problem() {
  problem fencing/sshd "sshd for $user from $1: $2" "$3" "$4" \
    "change it for this user in /etc/ssh/sshd_config, for example below 'Match User $user', then reload sshd"
}

# reads_our_keys PATH...: where %h and %u stand for what sshd puts there. Ours has no % in it, so one with %% is another.
reads_our_keys() {
  local each here="${home#"$root"}"
  for each in "$@"; do
    each="${each//%h/$here}" each="${each//%u/$user}"
    [[ $each == /* ]] || each="$here/$each"
    [[ $each != "${keys_file#"$root"}" ]] || return 0
  done
  return 1
}

check_lists() {
  local each named='' values
  sshd_values denyusers
  for each in "${values[@]}"; do ! names_user "$each" "$1" || sshd_problem "$1" DenyUsers "$each" "nothing that is this user"; done
  sshd_values denygroups
  for each in "${values[@]}"; do ! fits "$user" "$each" || sshd_problem "$1" DenyGroups "$each" "nothing that is the group $user"; done
  sshd_values allowusers
  for each in "${values[@]}"; do ! names_user "$each" "$1" || named=yes; done
  ((${#values[@]} == 0)) || [[ -n $named ]] || sshd_problem "$1" AllowUsers "${values[*]}" "$user among them"
  named=''
  sshd_values allowgroups
  for each in "${values[@]}"; do ! fits "$user" "$each" || named=yes; done
  ((${#values[@]} == 0)) || [[ -n $named ]] || sshd_problem "$1" AllowGroups "${values[*]}" "the group $user among them"
}

# check_sshd_for ADDRESS
check_sshd_for() {
  local configuration each values
  configuration="$(sshd -T -C "user=$user,host=$1,addr=$1" 2>&1)" || {
    problem fencing/sshd "sshd -T -C user=$user,host=$1,addr=$1" "${configuration:-an error}" "the configuration of sshd" "mend what it says"
    return
  }
  check_lists "$1"
  sshd_values pubkeyauthentication
  [[ ${values[0]-yes} == yes ]] || sshd_problem "$1" PubkeyAuthentication "${values[0]}" yes
  sshd_values authenticationmethods
  [[ " ${values[0]-any} " == *" any "* || " ${values[0]} " == *" publickey "* ]] ||
    sshd_problem "$1" AuthenticationMethods "${values[0]}" "publickey as one that is enough"
  sshd_values 'pubkeyaccepted[ak][a-z]*'
  for each in "${values[@]}"; do
    [[ ,$each, == *,ssh-ed25519,* ]] || sshd_problem "$1" PubkeyAcceptedAlgorithms "${each:0:200}" "ssh-ed25519 among them"
  done
  sshd_values authorizedkeysfile
  read -r -a values <<<"${values[*]-}"
  reads_our_keys "${values[@]}" || sshd_problem "$1" AuthorizedKeysFile "${values[*]:-none}" "${keys_file#"$root"} among them, as .ssh/authorized_keys is"
  for each in ForceCommand ChrootDirectory; do
    sshd_values "${each,,}"
    [[ ${values[0]-none} == none ]] || sshd_problem "$1" "$each" "${values[0]}" none
  done
}

check_sshd() {
  local node address
  command -v sshd >/dev/null || return 0
  for node in "${nodes[@]}"; do
    for address in ${addresses_of[$node]}; do check_sshd_for "$address"; done
  done
}
