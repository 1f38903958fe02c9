#!/bin/bash
# preflight: everything that would go wrong later, in one report, before anything changes. Reads only, but for the share: a
# private mount of it shows whether locks and chown work there, and leaves this node's entry in .nim-ha/nodes (peers.sh).

set -u
export LC_ALL=C
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
installed_node_data="$node_data"
node_data="$NIM_HA_JOB/node.data"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=data.sh
. "$lib/data.sh"
load_data "$node_data"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$lib/report.sh"
# shellcheck source-path=SCRIPTDIR source=files.sh
. "$lib/files.sh"
# shellcheck source-path=SCRIPTDIR source=refused-options.sh
. "$lib/refused-options.sh"
# shellcheck source-path=SCRIPTDIR source=preflight-network.sh
. "$lib/preflight-network.sh"
# shellcheck source-path=SCRIPTDIR source=preflight-fencing.sh
. "$lib/preflight-fencing.sh"

# First, for an older one cannot read what the others look at.
check_bash() {
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) ||
    refuse node/bash bash "$BASH_VERSION" "4.4 or newer" "use a newer release of the operating system"
}

check_data() {
  local key
  for key in "${!bad[@]}"; do
    problem data/value "$key" "${bad[$key]}" "a value that fits" "correct it in the program"
  done
  ((${#bad[@]})) || [[ "${data[HOST]}" != "${data[PEER_HOST]}" || "${data[NAME]}" != "${data[PEER_NAME]}" ]] ||
    problem data/same-node "the two nodes" "${data[HOST]} twice" "two machines" "correct it in the program"
  check_options nfsShare.mountOptions "${data[MOUNT_OPTIONS]-}"
  check_options nfsShare.fstabOptions "$(sed -n '1s/^[^ ]* [^ ]* [^ ]* \([^ ]*\) .*/\1/p' <<<"${data[FSTAB]-}")"
  # Nothing below makes sense with data like that.
  end_on_problems "$exit_refused"
}

# check_options WHERE OPTIONS: mount takes each of them without a word, and what it then does shows when a node fails.
check_options() {
  local option demand todo options=()
  IFS=, read -r -a options <<<"$2"
  for option in "${options[@]-}"; do
    ! refused_option "$1" "$option" || problem data/option "$1" "$option" "one that fits: $demand" "$todo"
  done
}

check_system() {
  local tool version
  for tool in flock mount umount findmnt unshare logger sync timeout base64 sha256sum systemd-run systemd-escape journalctl ip; do
    command -v "$tool" >/dev/null || problem node/tool "$tool" "no such command" "coreutils, util-linux, systemd, iproute2" \
      "install the package that has it"
  done
  version="$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')"
  ((${version:-0} >= 240)) || problem node/systemd systemd "${version:-none}" "240 or newer" "use a newer release"
  [[ -e $root/sys/fs/cgroup/cgroup.controllers ]] || problem node/cgroup "control groups" "version 1" \
    "version 2 in /sys/fs/cgroup" "boot with systemd.unified_cgroup_hierarchy=1"
  command -v apt-get >/dev/null || command -v dnf >/dev/null || command -v yum >/dev/null ||
    problem node/packages "package manager" "none of apt-get, dnf, yum" "one of them" "use a Debian- or RHEL-based system"
  for tool in var usr; do
    ((${NIM_HA_FREE_KIB:-$(df --output=avail -k "$root/$tool" | tail -n 1)} > 65536)) ||
      problem node/disk "space in /$tool" "less than 64 MiB" "64 MiB" "make room"
  done
  check_read_only
}

check_read_only() {
  local directory
  for directory in /etc /usr/local /var/lib; do
    [[ ",$(findmnt -n -o OPTIONS -T "$root$directory" 2>/dev/null)," != *,ro,* ]] ||
      problem node/read-only "file system of $directory" "read-only" "one that can be written" \
        "see dmesg for what has made it that; then: mount -o remount,rw on it"
  done
}

check_nim() {
  local service name load
  for service in ${data[SERVICES]}; do
    load="${unit_load["$service.service"]}"
    case "$load" in
      not-found)
        problem nim/service "$service.service" "no such unit" \
          "NGINX Instance Manager installed" "install it, or take the service out of monitoredServices"
        ;;
      # It would be found out at the first failover, or with nothing running any more.
      masked) problem nim/service "$service.service" masked "a unit that can start" "systemctl unmask $service.service" ;;
      error | bad-setting) problem nim/service "$service.service" "$load" "a unit that can start" "systemctl status $service.service says what is wrong" ;;
    esac
    # Set by a drop-in that comes after ours, it would have the service run where the lock holder does not look. Instances of a template have one each.
    [[ ${unit_slice["$service.service"]-} == @(|nimha.slice|system.slice) || ($service == *@* && ${unit_slice["$service.service"]} == system-*.slice) ]] ||
      problem nim/service "slice of $service.service" "${unit_slice["$service.service"]}" "none of its own, for all services of the pair run in nimha.slice" \
        "systemctl cat $service.service shows where Slice= is; take it out"
  done
  for name in clickhouse nms; do
    id "$name" >/dev/null 2>&1 || problem nim/user "user $name" "no such user" "NGINX Instance Manager installed" "install it"
  done
  [[ -d $scripts_dir ]] || problem nim/scripts "/etc/nms/scripts" "no such directory" \
    "NGINX Instance Manager installed" "install it"
  if [[ -n "${data[OPERATION_MODE]}" ]]; then
    name="$(bash "$lib/operation-mode.sh" get 2>&1)" || problem nim/conf "mode of operation" "${name:-an error}" \
      "a readable /etc/nms/nms.conf" "correct the file, or leave operationMode out"
  fi
}

check_keepalived() {
  local path
  if [[ ${unit_load["keepalived.service"]} == not-found && "${data[INSTALL_KEEPALIVED]}" == no ]]; then
    problem keepalived/missing keepalived "not installed" "installed, for installKeepalived is off" "install keepalived"
  fi
  # stage masks it itself while it installs the package; one that died in between left a note.
  if [[ ${unit_boot["keepalived.service"]} == masked* && ! -e $before_dir/packages.unfinished ]]; then
    problem keepalived/masked keepalived.service masked "a unit that can start" \
      "systemctl unmask keepalived.service (with --runtime where is-enabled says masked-runtime)"
  fi
  if [[ "${data[PROFILE]}" == guide ]] && id keepalived_script >/dev/null 2>&1; then
    problem keepalived/script-user "user keepalived_script" "there" \
      "absent, for keepalived would run the scripts as this user, without the rights they need" \
      "remove the user, or use the hardened profile"
  fi
  [[ "${data[PROFILE]}" != hardened ]] || check_script_directories
  path="${keepalived_conf#"$root"}"
  if has_foreign_conf; then
    if takes_over; then
      say "$path is not ours; the roll-out replaces it, and a removal puts it back"
    elif is_example "$path"; then
      problem keepalived/foreign-conf "$path" "the example of the package keepalived, unchanged" "none" \
        "nothing needs it: takeOver, or mv $path $path.example"
    else
      problem keepalived/foreign-conf "$path" "a file that is not ours" "none" \
        "a node of a pair runs no other keepalived: if this one was for the pair, takeOver; if nothing needs it, stop it and move the file away"
    fi
  fi
  [[ ! -e $maintenance_file ]] || problem node/maintenance "maintenance" "on" "off" "nim-ha maintenance off"
}

# By script security keepalived runs nothing that another user than root could have put there, and says so in its log only.
check_script_directories() {
  local path uid gid mode
  for path in /etc /etc/nms /etc/nms/scripts; do
    read -r uid gid mode < <(stat -Lc '%u %g %a' "$root$path" 2>/dev/null) || continue
    ((uid == EUID && !(0$mode & 02) && (gid == 0 || !(0$mode & 020)))) || problem keepalived/script-directory "$path" "uid $uid, gid $gid, mode $mode" \
      "root's, and writable for nobody else, for keepalived with script security to run the scripts in it" \
      "chown root:root $path; chmod go-w $path; or use the guide's profile"
  done
}

# The package of the RHEL family brings one, with addresses that nobody has.
is_example() {
  command -v rpm >/dev/null && rpm --quiet -qf "$1" && ! rpm -V keepalived | grep -q " $1\$"
}

check_selinux() {
  local file kind
  [[ "$(getenforce 2>/dev/null)" == Enforcing ]] || return 0
  for file in nms-check-keepalived.sh nms-notify-keepalived.sh; do
    kind="$(matchpathcon -n "/etc/nms/scripts/$file" 2>/dev/null)"
    [[ $kind == *keepalived_unconfined_script_exec_t* ]] || problem node/selinux "label of /etc/nms/scripts/$file" \
      "${kind:-no answer of matchpathcon}" "keepalived_unconfined_script_exec_t, for SELinux is enforcing" \
      "semanage fcontext -a -t keepalived_unconfined_script_exec_t /etc/nms/scripts/$file"
  done
}

check_fstab() {
  local line lines
  if ! lines="$(bash "$lib/fstab.sh" foreign 2>&1 <<<"${data[FSTAB]}")"; then
    problem storage/fstab "lines for /etc/fstab" "$lines" "two lines that fit" "correct the share in the program"
    return
  fi
  while IFS= read -r line; do
    if [[ -z $line ]]; then
      continue
    elif takes_over; then
      say "/etc/fstab, '$line' is not ours; the roll-out replaces it, and a removal puts it back"
    else
      problem storage/fstab "/etc/fstab" "$line" "no other line for the mount points of the share" "remove the line, or takeOver"
    fi
  done <<<"$lines"
  while IFS= read -r line; do
    [[ -z $line ]] || problem storage/fstab "/etc/fstab" "$line" "no line for a directory below the mount points of the share" \
      "move its data into the mount point itself, and remove the line"
  done <<<"$(bash "$lib/fstab.sh" below)"
}

# The share can hang. So this runs in a child that is killed in the end, in a mount namespace that vanishes with it.
check_share() {
  local server rc
  server="${data[NFS_SERVER]}"
  command -v mount.nfs4 >/dev/null || {
    problem storage/tools mount.nfs4 "no such command" "an NFS client" "install nfs-common (Debian) or nfs-utils (RHEL)"
    return
  }
  # shellcheck disable=SC2016 # $1 is for the inner shell
  timeout -s KILL 10 bash -c 'exec 3<>"/dev/tcp/$1/2049"' _ "$server" 2>/dev/null || {
    problem storage/server "TCP port 2049 of $server" "no answer" "an NFS server" "start it, or open the firewall"
    return
  }
  NIM_HA_NODE_DATA="$node_data" timeout -s KILL 150 unshare --mount -- bash "$lib/preflight-share.sh"
  rc=$?
  ((rc == 0)) || problem storage/probe "trial mounts of the share" "no end within 150 s or an error ($rc)" "an end" \
    "see the lines above, and the log of the NFS server"
}

say "looking; nothing is changed"
check_bash
check_data
check_system
read -r -a services <<<"${data[SERVICES]}"
look_at_units keepalived.service "${services[@]/%/.service}"
check_nim
check_keepalived
check_selinux
check_fstab
check_share
check_network
check_fencing
end_on_problems "$exit_refused"
say "hostname $(uname -n); everything needed is there"
