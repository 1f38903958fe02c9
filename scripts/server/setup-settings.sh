# shellcheck shell=bash disable=SC2154
# The settings that a deploy asks for: everything in them ends up in a file that root's programs read, so each line has to fit.

bad_settings() {
  problem fencing/settings "$1" "$(printf '%.100q' "$2")" "$3" "correct the share or the nodes in the program"
}

is_address() {
  is_ipv4 "$1" && ! [[ $1 =~ ^(0|127|22[4-9]|2[3-5][0-9])\. ]]
}

check_export_line() {
  [[ $1 =~ ^(/[A-Za-z0-9._-]+)+$ && ! $1/ =~ /\.{1,2}/ && ${#1} -le 1023 ]] ||
    bad_settings "path of an export" "$1" "an absolute path of letters, digits, . _ -, without . or .. in it"
}

check_options_line() {
  local each
  if ! [[ $1 =~ ^[a-z][a-z0-9_=.:-]*(,[a-z][a-z0-9_=.:-]*)*$ && ${#1} -le 255 ]]; then
    bad_settings "options of the exports" "$1" "options of exports(5) with commas between them"
    return
  fi
  for each in rw sync no_root_squash; do
    [[ ,$1, == *,"$each",* ]] || bad_settings "options of the exports" "$1" "$each among them"
  done
  ! [[ ,$1, =~ ,(fsid|uuid)[=,] ]] ||
    bad_settings "options of the exports" "$1" "no ${BASH_REMATCH[1]}, for both exports would have the same one, and the server would show one directory in place of the other"
  for each in ro async root_squash all_squash; do
    [[ ,$1, != *,"$each",* ]] || bad_settings "options of the exports" "$1" "no $each, for the services write there as users of their own"
  done
}

check_node_line() {
  local name="${1%% *}" each rest
  [[ $name =~ $name_pattern ]] || bad_settings "name of a node" "$name" "letters, digits, . _ -, 63 at most"
  [[ $1 =~ ^[^[:space:]]+(\ [0-9.]+)+$ ]] || bad_settings "a node" "$1" "NAME ADDRESS [ADDRESS...], one space between them"
  read -r -a rest <<<"${1#"$name"}"
  for each in "${rest[@]}"; do
    is_address "$each" || bad_settings "address of $name" "$each" "the IPv4 address of a host"
  done
}

check_keys_line() {
  local key='[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}'
  local pattern="^[^[:space:]]+( $key(,$key)*)?\$"
  [[ $1 =~ $pattern && ${1%% *} =~ $name_pattern ]] || bad_settings "host keys of a node" "$1" "NAME [TYPE BASE64[,TYPE BASE64...]]"
}

# Each on its own may fit, and all together not.
check_together() {
  local each other all=()
  for each in "${exports[@]}"; do
    for other in "${all[@]}"; do
      ! overlaps "$each" "$other" || bad_settings "two exports" "$other $each" "none that is the other, or inside of it"
    done
    all+=("$each")
  done
  ((${#exports[@]} > 0)) || bad_settings "exports" none "one or more"
  ((${#nodes[@]} == 2)) || bad_settings "nodes" "${nodes[*]-}" "two"
  [[ ${nodes[0]-a} != "${nodes[1]-b}" ]] || bad_settings "names of the nodes" "${nodes[*]}" "two different ones"
  for each in "${!keys_of[@]}"; do is_among "$each" "${nodes[@]}" || bad_settings "host keys" "those of $each" "those of the nodes"; done
  all=()
  for each in "${nodes[@]}"; do
    for other in ${addresses_of[$each]}; do
      ! is_among "$other" "${all[@]}" || bad_settings "addresses of the nodes" "$other twice" "each of them once"
      all+=("$other")
    done
  done
}

# Sets `wanted`, the text, and what read_settings sets.
read_wanted() {
  local line options_lines=0
  # `read` comes to its end with success at a NUL, and where there is more.
  ! IFS= read -r -d '' -n 16384 wanted || bad_settings "settings" "a NUL, or more than 16 KiB" "the text of /etc/nim-ha-fence/$pair"
  wanted="${wanted%$'\n'}"
  while IFS= read -r line; do
    case "$line" in
      EXPORT=*) check_export_line "${line#*=}" ;;
      OPTIONS=*)
        check_options_line "${line#*=}"
        ((options_lines += 1))
        ;;
      NODE=*) check_node_line "${line#*=}" ;;
      KEYS=*) check_keys_line "${line#*=}" ;;
      *) bad_settings "a line of the settings" "$line" "EXPORT=, OPTIONS=, NODE= or KEYS=" ;;
    esac
  done <<<"$wanted"
  ((options_lines == 1)) || bad_settings "lines with OPTIONS" "$options_lines" 1
  # Only what fits, line by line, is read as settings.
  ((${#problems[@]})) || read_settings /dev/stdin <<<"$wanted"
  ((${#problems[@]})) || check_together
}
