# shellcheck shell=bash disable=SC2034,SC2154
# The lease: for so many seconds the server keeps the locks of a client that is silent. When it ends another node may write, so
# before then nothing here may be able to any more. Needs paths.sh, pause.sh.

# Sets `lease` to the least of all mounts', or to the default of a Linux server where the kernel does not tell. In one piece, as in
# find_mount: line by line this takes ten times as long.
read_lease() {
  local line lines=()
  lease=0
  mapfile -t lines 2>/dev/null <"$mountstats"
  for line in "${lines[@]}"; do
    [[ $line == *lease_time=* && $line =~ lease_time=([0-9]+) ]] || continue
    ((lease && lease <= BASH_REMATCH[1])) || lease="${BASH_REMATCH[1]}"
  done
  ((lease)) || lease=90
}

# Sets `beat` to the uptime of the last heartbeat that the server has answered. What cannot be read (a full /run) is no heartbeat.
read_beat() {
  local value=
  read -r value 2>/dev/null <"$beat_file"
  [[ ! $value =~ ^[0-9]+$ ]] || beat="$value"
}

# Sets `deadline`, an uptime: what is left of the lease after it is for the reboot.
lease_deadline() {
  deadline=$((beat + lease * 9 / 10))
}

# reboot_now WHY: at once, without a sync, which would wait for the server, and without a process, for there may be none to be had.
# "user.crit" is what journald writes to the disk without delay.
reboot_now() {
  printf '<10>nim-ha: %s; rebooting at once\n' "$1" >"$kmsg"
  pause 0.2 # for the journal
  echo b >"$sysrq"
}
