# shellcheck shell=bash
# The body of nms-notify-keepalived.sh, which sets check_nms_services and sources this file.
# keepalived calls it with: TYPE NAME STATE PRIORITY. With --services it prints the array.
#
# keepalived does not wait for notify, runs several at once, and kills what they started when it ends. So this writes
# down what is wanted, nudges systemd without waiting, and is done; the journal, which may hang, comes last.

lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"

# Clock ticks since boot at which keepalived forked this call: calls may overtake each other on the way here.
forked_at() {
  local stat
  read -r stat <"/proc/$$/stat"
  stat="${stat##*) }"
  # shellcheck disable=SC2086
  set -- $stat
  printf '%s' "${20}"
}

# Sets `said` to the line for the journal.
record_wish() {
  local state="$1" stamp last=0
  stamp="$(forked_at)"
  [[ -r $run_dir/notify.last ]] && read -r last <"$run_dir/notify.last"
  if ((stamp < last)); then
    said="keepalived said $state, but a later word is already in force"
    return
  fi
  said="keepalived says $state"
  printf '%s\n' "$stamp" >"$run_dir/notify.last"
  printf '%s\n' "$state" >"$vrrp_file"
  if [[ $state == MASTER ]]; then
    : >"$want_master"
    systemctl --no-block start nim-ha.target
  else
    rm -f "$want_master" "$failed_file"
    systemctl --no-block stop nim-ha.target nim-ha-lock.service
  fi
}

case "${1-} ${3-}" in
  "--services ")
    # shellcheck disable=SC2154
    printf '%s\n' "${check_nms_services[@]}"
    ;;
  "INSTANCE MASTER" | "INSTANCE BACKUP" | "INSTANCE FAULT" | "INSTANCE STOP")
    mkdir -p "$run_dir"
    exec 8>"$run_dir/notify.lock"
    # On STOP there is about a second before keepalived is gone.
    flock -w 1 8 || stuck=" (without its turn: another notify is stuck)"
    record_wish "$3"
    exec 8>&-
    timeout 2 logger -t nim-ha "$said${stuck-}"
    ;;
  *)
    printf 'usage: %s INSTANCE NAME MASTER|BACKUP|FAULT|STOP PRIORITY | --services; got: %s\n' "${0##*/}" "$*" >&2
    exit 2
    ;;
esac
