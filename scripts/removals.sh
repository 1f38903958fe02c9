# shellcheck shell=bash disable=SC2154
# Notes on the share of the machines that the pair was removed from, and that have served their own data since:
# <nms export>/.nim-ha/removed/<machine id>, with the hostname in it. Needs paths.sh.

# The name of this machine's note. Its hostname may be another one by the next deploy; where it has no id, that is all there is.
removal_note() {
  local id=
  read -r id 2>/dev/null <"$root/etc/machine-id"
  [[ $id =~ ^[0-9a-f]{32}$ ]] || id="$(uname -n)"
  printf '%s' "$id"
}

# removal_notes DIRECTORY_OF_THE_NMS_EXPORT: those of this machine, one a line. By the hostname where it was installed anew, or where the note
# is of a time when they were named by that.
removal_notes() {
  local note id host
  id="$(removal_note)" host="$(uname -n)"
  for note in "$1"/.nim-ha/removed/*; do
    [[ -f $note ]] || continue
    [[ ${note##*/} != "$id" && ${note##*/} != "$host" && "$(<"$note")" != "$host" ]] || printf '%s\n' "$note"
  done
}
