#!/bin/bash
# Stands in for one of NGINX Instance Manager's services: once a second appends a line to a file that it holds open
# on /var/lib/nms and forces it to the disk. Two nodes that do so at the same time damage each other's data, as the
# real ones would; this one notices, and says so in the journal (priority err) and in the file "conflicts" beside. Each
# line that is on the share for good is noted on the node's own disk, too: one that is missing there later is lost. What
# a stand-alone node writes is not noted: the data of one of the two stays where it is when they become a pair.
#
#   usage: stand-in.sh SERVICE
#   line:  SEQ HOST BOOT_ID STARTED MONOTONIC_SECONDS, SEQ going on over restarts and takeovers; STARTED, in seconds of
#          the same clock, tells one run of the service from the next
set -u

service=$1
base=${NMS_STATE_DIR:-/var/lib/nms}
notes=${NMS_LOG_DIR:-/var/log/nms}/$service
boot_id=$(</proc/sys/kernel/random/boot_id)
read -r started _ </proc/uptime
# The line's format, so that what a crash or another writer has torn is recognised.
line_format='^([0-9]+) [^ ]+ [0-9a-f-]{36} [0-9]+\.[0-9]+ [0-9]+\.[0-9]+$'

complain() {
  printf '<3>conflict in %s: %s\n' "$service" "$1"
  printf '%s %s %s\n' "$(date +%s)" "$HOSTNAME" "$1" >>conflicts
}

# A pause without starting a program each time: emulated machines are slow.
pause() {
  read -rt "$1" -u "$never"
}

mkdir -p "$base/$service" && cd "$base/$service" || exit 1
exec {never}<> <(:) {data}>>data || exit 1

[[ $(stat -f -c %T .) == "${NMS_SHARE_TYPE:-nfs}" ]] || notes=/dev/null

seq=0
last=$(tail -n 1 data) || exit 1
if [[ -n $last ]]; then
  if [[ $last =~ $line_format ]]; then
    seq=${BASH_REMATCH[1]}
  else
    complain "the last line is damaged: '$last'"
  fi
fi
printf '<5>%s starts after line %s\n' "$service" "$seq"

beat=0
while true; do
  seq=$((seq + 1))
  read -r uptime _ </proc/uptime
  line="$seq $HOSTNAME $boot_id $started $uptime"
  # conv=fsync is called on the inherited descriptor, the one held open.
  printf '%s\n' "$line" | dd conv=fsync status=none >&"$data" || exit 1
  # A full disk of the node's own is no trouble of the service's.
  printf '%s\n' "$line" 2>/dev/null >>"$notes"
  # Opening the file anew asks the server what it has; ours must be its last line.
  if ((beat++ % 3 == 0)); then
    last=$(tail -n 1 data) || exit 1
    if [[ $last != "$line" ]]; then
      complain "wrote '$line', but the file ends with '$last'"
      [[ $last =~ $line_format ]] && ((BASH_REMATCH[1] > seq)) && seq=${BASH_REMATCH[1]}
    fi
  fi
  pause "${NMS_BEAT_SECONDS:-1}"
done
