#!/bin/bash
# fstab.sh VERB: the two lines of the share in /etc/fstab.
#   apply [take-over]  wanted lines on stdin; replaces those that an earlier apply wrote, with take-over also those that
#                      somebody else has for our mount points, and keeps every other byte of the file
#   check [take-over]  0 when that would change nothing
#   foreign            prints the lines for our mount points that are neither ours nor as wanted
#   below              prints the lines for directories below our mount points
#   remove             takes away what apply wrote, and puts back what it took over; a line that was there before us stays
# A line that apply wrote and somebody has edited is still ours: `remove` prints it as "edited LINE". The lines that are ours are on record in /var/lib/nim-ha/fstab.lines, those that were taken over in fstab.taken.

set -u
export LC_ALL=C
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "${BASH_SOURCE[0]%/*}/paths.sh"

record="$var_dir/fstab.lines"
taken_record="$var_dir/fstab.taken"
take_over="${2-}"
mount_points=("${clickhouse_mount#"$root"}" "${nms_mount#"$root"}")

# The file with its newlines: only so can one that does not end in a newline be left like that.
lines=() ours=() taken=() wanted=() wanted_points=() added=() edited=() result=()
mapfile lines < <(cat "$fstab" 2>/dev/null)
[[ ! -r $record ]] || mapfile -t ours <"$record"
[[ ! -r $taken_record ]] || mapfile -t taken <"$taken_record"

is_one_of() {
  local it="$1" other
  shift
  for other in "$@"; do
    [[ $it != "$other" ]] || return 0
  done
  return 1
}

# in_column_two LINE: sets `point`, in the one spelling that mount and systemd reduce all to: \155 is an m, /var//lib/./nms/ is /var/lib/nms.
point=
in_column_two() {
  local rest character
  read -r _ rest _ <<<"$1"
  point=
  while [[ $rest == *\\* ]]; do
    point+="${rest%%\\*}" rest="${rest#*\\}"
    if [[ $rest =~ ^[0-3][0-7][0-7] ]]; then
      printf -v character '%b' "\\0${BASH_REMATCH[0]}"
      point+="$character" rest="${rest:3}"
    else
      point+=\\
    fi
  done
  point="$point$rest/"
  while [[ $point == *//* || $point == */./* ]]; do point="${point//\/.\//\/}" point="${point//\/\//\/}"; done
  [[ $point == / ]] || point="${point%/}"
}

read_wanted() {
  local line pattern='^[][A-Za-z0-9._:-]+:/[A-Za-z0-9._/-]* /[A-Za-z0-9._/-]+ nfs4? [A-Za-z0-9._=,:/-]+ 0 0$'
  while IFS= read -r line || [[ -n $line ]]; do
    in_column_two "$line"
    if [[ ! $line =~ $pattern ]] || ! is_one_of "$point" "${mount_points[@]}"; then
      printf 'fstab: not a line for a mount point of ours: %q\n' "$line" >&2
      return 2
    fi
    wanted+=("$line")
    wanted_points+=("$point")
  done
  if ((${#wanted[@]} != 2)) || [[ ${wanted_points[0]} == "${wanted_points[1]}" ]]; then
    printf 'fstab: two lines are wanted, one for each of %s, got %s\n' "${mount_points[*]}" "${#wanted[@]}" >&2
    return 2
  fi
}

# is_edited LINE: not as it is on record, but with the mount point and the device of a line that is: somebody has added an option to it, and it
# mounts the share all the same. What was taken over is theirs.
is_edited() {
  local device own own_device at
  ! is_one_of "$1" "${ours[@]}" "${taken[@]}" || return 1
  in_column_two "$1"
  at="$point"
  read -r device _ <<<"$1"
  for own in "${ours[@]}"; do
    in_column_two "$own"
    read -r own_device _ <<<"$own"
    [[ -z $device || $device != "$own_device" || $at != "$point" ]] || return 0
  done
  return 1
}

# is_foreign LINE: for a mount point of ours, and neither ours nor as wanted.
is_foreign() {
  [[ ! $1 =~ ^[[:space:]]*# ]] || return 1
  in_column_two "$1"
  is_one_of "$point" "${mount_points[@]}" && ! is_one_of "$1" "${ours[@]}" "${wanted[@]}" && ! is_edited "$1"
}

# is_below LINE: for a directory in one of them, which a boot would mount on top of the share.
is_below() {
  [[ ! $1 =~ ^[[:space:]]*# ]] || return 1
  in_column_two "$1"
  [[ $point == "${mount_points[0]}"/* || $point == "${mount_points[1]}"/* ]]
}

# Our old lines, and those to be taken over, become the wanted ones where they stand; what is then still missing goes to the end.
compute() {
  local line bare new index missing=()
  added=()
  for line in "${lines[@]}"; do
    bare="${line%$'\n'}"
    if [[ -n $take_over ]] && is_foreign "$bare"; then
      is_one_of "$bare" "${taken[@]}" || taken+=("$bare")
    elif is_edited "$bare"; then
      edited+=("$bare")
    elif ! is_one_of "$bare" "${ours[@]}"; then
      result+=("$bare")
      continue
    fi
    in_column_two "$bare"
    for index in "${!wanted[@]}"; do
      new="${wanted[index]}"
      [[ ${wanted_points[index]} == "$point" ]] || continue
      is_one_of "$new" "${result[@]}" || { result+=("$new") && added+=("$new"); }
    done
  done
  for new in "${wanted[@]}"; do
    is_one_of "$new" "${result[@]}" || missing+=("$new")
  done
  result+=("${missing[@]}")
  added+=("${missing[@]}")
}

print_result() {
  local last=$'\n' text
  ((${#result[@]})) || return 0
  ((${#lines[@]} == 0)) || last="${lines[-1]}"
  text="$(printf '%s\n' "${result[@]}" && printf 'x')" # $(...) would eat newlines at the end
  text="${text%x}"
  [[ $last == *$'\n' ]] || text="${text%$'\n'}"
  printf '%s' "$text"
}

write_atomically() {
  local target new
  target="$(readlink -f "$1")" && new="$(mktemp "${target%/*}/.nim-ha.XXXXXX")" || return 1
  if [[ -e $target ]]; then
    chmod --reference="$target" "$new" && chown --reference="$target" "$new" || return 1
    ! command -v chcon >/dev/null || chcon --reference="$target" "$new" 2>/dev/null
  else
    chmod 0644 "$new"
  fi
  cat >"$new" && sync "$new" && mv -fT "$new" "$target"
}

apply() {
  read_wanted || return
  compute
  # On record before the file changes: a line of ours must never look like somebody else's, and none of theirs be lost.
  mkdir -p "$var_dir"
  ((${#taken[@]} == 0)) || printf '%s\n' "${taken[@]}" | write_atomically "$taken_record" || return 1
  printf '%s\n' "${ours[@]}" "${added[@]}" | sed '/^$/d' | sort -u | write_atomically "$record" || return 1
  if ! print_result | cmp -s - "$fstab"; then
    print_result | write_atomically "$fstab" || return 1
    echo changed
  fi
  printf '%s\n' "${added[@]}" | sed '/^$/d' | write_atomically "$record"
}

# An apply that was interrupted leaves lines on record that are in the file no more.
is_on_record() {
  cmp -s <(printf '%s\n' "${ours[@]}" | sed '/^$/d' | sort) <(printf '%s\n' "${added[@]}" | sed '/^$/d' | sort)
}

remove() {
  local line target
  for line in "${taken[@]}"; do
    in_column_two "$line"
    wanted+=("$line") wanted_points+=("$point")
  done
  compute
  if ! print_result | cmp -s - "$fstab"; then
    print_result | write_atomically "$fstab" || return 1
    echo changed
    ((${#edited[@]} == 0)) || printf 'edited %s\n' "${edited[@]}"
  fi
  # Also where an earlier try has written it: a power cut must not bring lines back that nobody knows as ours any more.
  target="$(readlink -f "$fstab")" && sync "${target%/*}" || return 1
  rm -f "$record" "$taken_record"
}

# print_lines TEST: those of the file that it is true for.
print_lines() {
  local line
  for line in "${lines[@]}"; do
    ! "$1" "${line%$'\n'}" || printf '%s\n' "${line%$'\n'}"
  done
}

foreign() {
  read_wanted && print_lines is_foreign
}

below() {
  print_lines is_below
}

# What cannot be kept is not written: bash takes a NUL for nothing.
if [[ -r $fstab ]] && ! printf '%s' "${lines[@]}" | cmp -s - "$fstab"; then
  printf 'fstab: %s has a NUL in it; take it out by hand\n' "${fstab#"$root"}" >&2
  exit 2
fi

case "${*-}" in
  apply | "apply take-over" | below | foreign | remove) "$1" ;;
  check | "check take-over") read_wanted && compute && print_result | cmp -s - "$fstab" && is_on_record ;;
  *)
    printf 'usage: %s apply [take-over] | check [take-over] | foreign | below | remove\n' "${0##*/}" >&2
    exit 2
    ;;
esac
