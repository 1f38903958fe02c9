# shellcheck shell=bash disable=SC2154
# Part of the agent: its state as /run/nim-ha/nim-ha.prom, for the textfile collector of a Prometheus node exporter.
# Needs paths.sh, services.sh.

phases=(STANDBY WAITING STARTING ACTIVE FAILED DRAINING ISOLATED FENCED MAINTENANCE)

# gauge NAME HELP VALUE
gauge() {
  printf '# HELP nim_ha_%s %s\n# TYPE nim_ha_%s gauge\nnim_ha_%s %s\n' "$1" "$2" "$1" "$1" "$3"
}

write_metrics() {
  local text each is_it is_able=0 elected=0 holds=0 fences=1
  # Nor one that serves on, and may not hear that another node is to take over.
  ! could_serve "$vrrp" || [[ $notify_works == no ]] || is_able=1
  [[ ! -e $want_master ]] || elected=1
  [[ ! -e $lock_held ]] || holds=1
  [[ ! -e $unheard_file && ($holds == 0 || ! -e $at_large_file) ]] || fences=0
  text="$(
    printf '# HELP nim_ha_phase The phase that this node is in: 1 for one of them.\n# TYPE nim_ha_phase gauge\n'
    for each in "${phases[@]}"; do
      is_it=0
      [[ $each != "$phase" ]] || is_it=1
      printf 'nim_ha_phase{phase="%s"} %s\n' "$each" "$is_it"
    done
    gauge able "Whether this node may be, or become, the active one." "$is_able"
    gauge elected "Whether VRRP has elected this node." "$elected"
    gauge lock_held "Whether this node holds the lock on the share." "$holds"
    [[ -z $fence_server ]] || gauge fence_answers "Whether the NFS server tells this node if it is fenced, or has fenced its peer for it." "$fences"
    printf '# HELP nim_ha_phase_changes_total Changes of the phase since the agent began.\n# TYPE nim_ha_phase_changes_total counter\n'
    printf 'nim_ha_phase_changes_total %s\n' "$phase_changes"
  )"
  # In a full /run the last ones stay, and grow old.
  printf '%s\n' "$text" >"$run_dir/nim-ha.prom.new" 2>/dev/null && mv -f "$run_dir/nim-ha.prom.new" "$run_dir/nim-ha.prom"
}
