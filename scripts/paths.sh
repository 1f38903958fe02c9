# shellcheck shell=bash disable=SC2034
# Every path that more than one script names. NIM_HA_ROOT is empty on a node; the tests set it to run the
# same scripts on a tree of their own.

root="${NIM_HA_ROOT-}"

lib_dir="$root/usr/local/lib/nim-ha"
node_data="$root/etc/nim-ha/node.data"
scripts_dir="$root/etc/nms/scripts"
keepalived_conf="$root/etc/keepalived/keepalived.conf"
units_dir="$root/etc/systemd/system"
fstab="$root/etc/fstab"
nms_conf="$root/etc/nms/nms.conf"

# This boot.
run_dir="$root/run/nim-ha"
want_master="$run_dir/want-master"
lock_held="$run_dir/lock-held"
letting_go="$run_dir/letting-go" # the lock holder kills the services, and why: their end is no failure of theirs
state_file="$run_dir/state"
failed_file="$run_dir/failed"                 # this election failed; goes with the wish
hold_down_file="$run_dir/hold-down"           # when, and why: the check says "unable" for a while, elected or not
beat_file="$run_dir/beat"                     # uptime of the last heartbeat that the server has answered
isolating_file="$run_dir/isolating"           # the lease, and the mounts that have to be off before it ends
start_deadline_file="$run_dir/start-deadline" # seconds, where a start has needed longer than the usual ones
checked_file="$run_dir/checked"               # uptime of the last run of keepalived's check
vrrp_file="$run_dir/vrrp-state"               # what keepalived has told notify last; STOP while it does not run
stepped_down_file="$run_dir/stepped-down"     # when, and for how long at most: this was a master without the lock
booted_file="$run_dir/booted"                 # an agent has run since the boot
fenced_file="$run_dir/fenced"                 # the name of the fence that this node is under, or ? where the server has yet to be asked
rejoin_why_file="$run_dir/rejoin-why"         # why a fenced node is not back yet
devices_file="$run_dir/devices"               # of the mounts that this node has had the lock on
heard_file="$run_dir/heard-peer"              # keepalived has heard the peer since it began
unheard_file="$run_dir/fence-unheard"         # since when, and why: the NFS server has not told this node whether it is fenced
at_large_file="$run_dir/at-large"             # why a peer is not fenced that may still write, while this node serves

# Outlives a boot.
var_dir="$root/var/lib/nim-ha"
applied_file="$var_dir/applied"
before_dir="$var_dir/before"
share_off="$var_dir/share-off" # a removal has taken the share off, and /etc/fstab is as before; until a deploy begins to put it back
staged_dir="$var_dir/staged"
maintenance_file="$var_dir/maintenance"
left_data="$var_dir/left.data"  # node.data of what the active node may still serve with, where a deploy has changed it here
pending_file="$var_dir/pending" # a deploy has stopped keepalived here, and has yet to start it
uploads_file="$var_dir/uploads" # where deploys have put scripts and data, a directory per line: another user has a home of its own
fence_key="$var_dir/fence_key"  # lets this node ask the NFS server for a fence, and for nothing else
fence_user=nim-ha-fence

# The two mount points of the guide; the lock lives on the second.
clickhouse_mount="$root/var/lib/clickhouse"
nms_mount="$root/var/lib/nms"
share_dir="$nms_mount/.nim-ha"
share_lock="$share_dir/lock"
share_holder="$share_dir/holder"
share_protocol="$share_dir/protocol" # which of the ways below its nodes lock in; there is none where it is the first
marks_dir="$share_dir/marks"         # of nodes that may have written and have not ended in order
not_aside_dir="$share_dir/not-aside" # of a secondary that is active and has its turn in a deploy yet to come

proc_mounts="${NIM_HA_PROC_MOUNTS:-/proc/mounts}"
mountstats="${NIM_HA_MOUNTSTATS:-/proc/self/mountstats}"
mountinfo="${NIM_HA_MOUNTINFO:-/proc/self/mountinfo}"
nfs_volumes="${NIM_HA_NFS_VOLUMES:-/proc/fs/nfsfs/volumes}"
slice_cgroup="${NIM_HA_SLICE_CGROUP:-/sys/fs/cgroup/nimha.slice}"
lock_cgroup="${NIM_HA_LOCK_CGROUP:-/sys/fs/cgroup/system.slice/nim-ha-lock.service}"
isolate_cgroup="${lock_cgroup%/*}/nim-ha-isolate.service"
sysrq="${NIM_HA_SYSRQ:-/proc/sysrq-trigger}"
kmsg="${NIM_HA_KMSG:-/dev/kmsg}"
uptime_file="${NIM_HA_UPTIME:-/proc/uptime}"

# How nodes keep each other out: flock on share_lock, for as long as anybody of the services lives, and a byte every two seconds. A version that does it in
# another way puts its number on the share: two nodes that do not agree would both serve.
lock_protocol=1

step_unit=nim-ha-step.service
