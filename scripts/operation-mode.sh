#!/bin/bash
# operation-mode.sh get | set connected|disconnected | unset: integrations.license.mode_of_operation in nms.conf (YAML).
# Edits lines, for a YAML library would drop the comments: block style only, and everything else stays as it is.
#   get    prints the value, or nothing
#   set    prints "changed" when it was another
#   unset  takes the line away

set -u
export LC_ALL=C
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "${BASH_SOURCE[0]%/*}/paths.sh"

keys=(integrations license mode_of_operation)
lines=()
cr=
# at[n]: index of the line of keys[n], or empty. indent[n]: of that line. child[n]: of the first key below it.
at=() indent=() child=()

read_file() {
  [[ -r $nms_conf ]] || { printf 'nms.conf: no file %s\n' "$nms_conf" >&2 && return 1; }
  mapfile lines <"$nms_conf"
  [[ ${lines[0]-} != *$'\r\n' ]] || cr=$'\r'
}

# Walks the lines once; `depth` is how many of the keys the current line lies below.
find_keys() {
  local i text depth=0 spaces key value
  local pattern='^( *)["'\'']?([A-Za-z0-9_.-]+)["'\'']?[[:space:]]*:([[:space:]].*)?$'
  for i in "${!lines[@]}"; do
    text="${lines[i]%$'\n'}"
    text="${text%$'\r'}"
    [[ $text =~ ^[[:space:]]*(#.*)?$ || $text == ---* ]] && continue
    spaces="${text%%[! ]*}"
    # Out of a block again: later keys of the same name are another's.
    while ((depth > 0)) && ((${#spaces} <= indent[depth - 1])); do depth=$((depth - 1)); done
    [[ $text =~ $pattern ]] || continue
    key="${BASH_REMATCH[2]}" value="${BASH_REMATCH[3]}"
    if ((depth > 0)) && [[ -z ${child[depth - 1]-} ]]; then child[depth - 1]=${#spaces}; fi
    if ((depth == 3)) || [[ $key != "${keys[depth]}" || -n ${at[depth]-} ]]; then continue; fi
    # Directly below its parent, not deeper.
    ((${#spaces} == (depth ? child[depth - 1] : 0))) || continue
    at[depth]=$i indent[depth]=${#spaces}
    if ((depth < 2)); then
      [[ $value =~ ^[[:space:]]*(#.*)?$ ]] || {
        printf 'nms.conf: line %s: %s has its value on the same line (%s); write it as a block\n' \
          "$((i + 1))" "$key" "${value# }" >&2
        return 1
      }
      depth=$((depth + 1))
    fi
  done
}

current_value() {
  local text
  [[ -n ${at[2]-} ]] || return 0
  text="${lines[at[2]]#*:}"
  text="${text%%#*}"
  text="${text//[$' \t\r\n"'\']/}"
  printf '%s' "$text"
}

set_value() {
  local mode="$1" n space addition='' after last
  [[ "$(current_value)" != "$mode" ]] || return 0
  if [[ -n ${at[2]-} ]]; then
    last="${lines[at[2]]}"
    [[ ${last%%[$'\r\n']*} =~ ^([^:]*:)[[:space:]]*[^[:space:]#]*(.*)$ ]]
    after="${BASH_REMATCH[2]}"
    [[ $after != '#'* ]] || after=" $after"
    lines[at[2]]="${BASH_REMATCH[1]} $mode$after${last:${#BASH_REMATCH[0]}}"
  else
    n=0 space=0
    while [[ -n ${at[n]-} ]]; do
      space="${child[n]-$((indent[n] + 2))}"
      n=$((n + 1))
    done
    if ((n)); then after="${at[n - 1]}"; else after=$((${#lines[@]} - 1)); fi
    for (( ; n < 3; n++)); do
      addition+="$(printf '%*s%s:' "$space" '' "${keys[n]}")"
      ((n < 2)) || addition+=" $mode"
      addition+="$cr"$'\n'
      space=$((space + 2))
    done
    if ((after < 0)); then
      lines=("$addition")
    else
      last="${lines[after]}"
      if [[ $last == *$'\n' ]]; then
        lines[after]="$last$addition"
      else # the last line of a file that does not end in a newline
        lines[after]="$last$cr"$'\n'"${addition%"$cr"$'\n'}"
      fi
    fi
  fi
  write_back
}

write_back() {
  local target new
  target="$(readlink -f "$nms_conf")" && new="$(mktemp "${target%/*}/.nim-ha.XXXXXX")" || return 1
  chmod --reference="$target" "$new" && chown --reference="$target" "$new" || return 1
  ! command -v chcon >/dev/null || chcon --reference="$target" "$new" 2>/dev/null
  printf '%s' "${lines[@]}" >"$new" && sync "$new" && mv -fT "$new" "$target" && echo changed
}

case "${1-} ${2-}" in
  "get " | "set connected" | "set disconnected" | "unset ") ;;
  *)
    printf 'usage: %s get | set connected|disconnected | unset\n' "${0##*/}" >&2
    exit 2
    ;;
esac
read_file && find_keys || exit 1
case "$1" in
  get) current_value ;;
  set) set_value "$2" ;;
  unset) [[ -z ${at[2]-} ]] || { lines[at[2]]='' && write_back; } ;;
esac
