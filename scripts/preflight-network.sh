# shellcheck shell=bash disable=SC2154
# Part of preflight: the interface, and the virtual IP on it. Needs what preflight.sh has sourced.

address_number() {
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  printf '%s' "$(((10#$a << 24) + (10#$b << 16) + (10#$c << 8) + 10#$d))"
}

# same_subnet ADDRESS ADDRESS/PREFIX
same_subnet() {
  local prefix="${2#*/}"
  (($(address_number "$1") >> (32 - prefix) == $(address_number "${2%/*}") >> (32 - prefix)))
}

# is_end_of_subnet ADDRESS ADDRESS/PREFIX: its network or its broadcast address, which is no host's. A subnet of one or two addresses has neither.
is_end_of_subnet() {
  local hosts=$(((1 << (32 - ${2#*/})) - 1)) host
  host=$(($(address_number "$1") & hosts))
  ((hosts > 1 && (host == 0 || host == hosts)))
}

# Addresses of the interface with their prefix, without the virtual IP.
own_addresses() {
  local line word previous
  while read -r line; do
    previous=
    for word in $line; do
      if [[ $previous == inet && ${word%/*} != "$2" ]]; then
        [[ $word == */* ]] || word+=/32 # the prefix is of its peer
        printf '%s\n' "$word"
      fi
      previous="$word"
    done
  done < <(ip -o -4 address show dev "$1" 2>/dev/null)
}

# The kernel's own ARP is asked by sending a datagram: no tool needed, and no firewall hides the answer.
is_answered() {
  local address="$1" interface="$2" try line
  (exec 3>"/dev/udp/$address/9" && printf x >&3) 2>/dev/null
  for try in 1 2 3 4 5 6 7 8 9 10; do
    line="$(ip -4 neighbour show to "$address" dev "$interface" 2>/dev/null)"
    case "$line" in
      *REACHABLE* | *PERMANENT*) return 0 ;;
      *DELAY* | *PROBE* | *STALE*) ;; # an old entry is being asked again
      *) ((try < 4)) || return 1 ;;
    esac
    sleep "${NIM_HA_POLL:-1}"
  done
  return 1
}

check_network() {
  local interface address prefix='' own inside=
  interface="${data[INTERFACE]}"
  address="${data[VIRTUAL_IP]}"
  [[ $address != */* ]] || prefix="${address#*/}"
  address="${address%/*}"
  if ! ip link show dev "$interface" >/dev/null 2>&1; then
    problem network/interface "interface $interface" "no such interface; there are: $(ip -o link show | sed 's/^[0-9]*: \([^:]*\):.*/\1/' | paste -sd ' ')" \
      "one of them" "correct networkInterface"
    return
  fi
  [[ "$(ip -o link show dev "$interface" up 2>/dev/null)" == *LOWER_UP* ]] ||
    problem network/link "interface $interface" "down, or without a carrier" "up" "ip link set $interface up; check the cable"
  for own in $(own_addresses "$interface" "$address"); do
    [[ ${own%/*} != "$address" ]] || continue
    same_subnet "$address" "$own" || continue
    inside=yes
    ! is_end_of_subnet "$address" "$own" || problem network/subnet "virtual IP $address" "the network or broadcast address of $own" \
      "the address of a host" "choose another address"
  done
  if [[ -z $inside && -z $prefix ]]; then
    problem network/subnet "virtual IP $address" "in no subnet of $interface ($(own_addresses "$interface" "$address" | paste -sd ' '))" \
      "in one of them, or with a /prefix" "choose another address, or say its prefix"
  fi
  check_stranger "$interface" "$address"
}

# Used already is fine only when the pair itself uses it: this node was deployed with it, the last time or, where that deploy has not come to its
# end, before; or, on a node that is new to a pair, the share shows that the pair has served.
check_stranger() {
  local interface="$1" address="$2" file deployed=
  for file in "$left_data" "$installed_node_data"; do
    [[ -e $file ]] || continue
    deployed="$(node_value VIRTUAL_IP "$file" 2>/dev/null || true)"
    [[ ${deployed%/*} != "$address" ]] || return 0
  done
  # The pair that is taken over has it, here or on its other node.
  ! takes_over || ! has_foreign_conf || ! grep -qwF -- "$address" "$keepalived_conf" || return 0
  if [[ -n "$(ip -o -4 address show to "$address" 2>/dev/null)" ]]; then
    problem network/own-address "virtual IP $address" "an address of this node" "a free address" "choose another"
  elif [[ (-n $deployed || ! -e $job_dir/pair-has-served) ]] && is_answered "$address" "$interface"; then
    problem network/stranger "virtual IP $address" "used by $(ip -4 neighbour show to "$address" dev "$interface" | sed -n 's/.*lladdr \([^ ]*\).*/\1/p')" \
      "used by no one" "choose a free address, or find that machine"
  fi
}
