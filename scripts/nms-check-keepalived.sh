#!/bin/bash
# keepalived's check, every 10 seconds. 0: this node may be master. 1: it may not.
# It reads what the agent wrote and nothing else: a check that touches a hung mount would hang with it.

run_dir="${NIM_HA_ROOT-}/run/nim-ha"
max_age=30 # seconds; the agent writes every three, and a busy machine may be slow

able=no updated=0
while IFS='=' read -r key value; do
  case "$key" in
    able) able="$value" ;;
    updated) updated="$value" ;;
  esac
done 2>/dev/null <"$run_dir/state"

read -r now _ <"${NIM_HA_UPTIME:-/proc/uptime}"
# A keepalived that stands still shows in nothing else. Who is not keepalived writes it elsewhere.
printf '%s\n' "${now%.*}" 2>/dev/null >"${NIM_HA_CHECKED:-$run_dir/checked}"
[[ $updated =~ ^[0-9]+$ ]] || exit 1
((${now%.*} - updated <= max_age)) || exit 1
[[ $able == yes ]]
