#!/bin/bash
# Runs once inside the new root tree: what makes a Debian of the packages into the image of the lab's machines.
# Whatever it leaves in /lab-out is taken out of the image: kernel, initrd and the packages that a deploy will install.
set -euo pipefail

# keepalived is not in the image, for the deploy has to install it: its package is the lab's repository. The libraries that it
# wants are in the image: unpacking them takes two minutes on an emulated machine and shows nothing.
repository() {
  mkdir -p /lab-out/apt
  apt-get clean
  apt-get update
  apt-get install --yes --download-only --no-install-recommends keepalived
  cp /var/cache/apt/archives/keepalived_*.deb /lab-out/apt/
  apt-get install --yes --no-install-recommends keepalived
  dpkg --purge keepalived
}

# One number on all machines, as sharing files over NFS needs it. The person who deploys is not root.
users() {
  groupadd --gid 990 nms
  useradd --system --uid 990 --gid nms --home-dir /var/lib/nms --shell /usr/sbin/nologin nms
  useradd --uid 1000 --user-group --create-home --shell /bin/bash ops
  echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops
  chmod 0440 /etc/sudoers.d/ops
  rm -f /etc/ssh/ssh_host_*
}

# What runs is said by each machine's seed. Emulated machines are slow, so nothing runs that nobody needs: no login
# on a console, no hardware to wait for but disk and network, no generators (which every daemon-reload runs) but those
# for NFS, fstab and init scripts.
units() {
  systemctl set-default multi-user.target
  systemctl disable nfs-server.service nfs-blkmap.service rpcbind.service
  # Not by systemctl, which would turn their init scripts' links around: on a node these are those of an enabled service.
  rm -f /etc/systemd/system/multi-user.target.wants/{clickhouse-server,nginx}.service
  systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer systemd-tmpfiles-clean.timer \
    getty@tty1.service getty.target systemd-pstore.service systemd-logind.service \
    dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount kmod-static-nodes.service modprobe@.service systemd-binfmt.service \
    proc-sys-fs-binfmt_misc.automount systemd-ask-password-console.path systemd-ask-password-wall.path \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-initctl.socket ifupdown-pre.service
  mkdir -p /etc/systemd/system-generators /var/log/journal
  local generator
  for generator in /lib/systemd/system-generators/*; do
    case ${generator##*/} in
      systemd-fstab-generator | systemd-sysv-generator | nfs-server-generator | rpc-pipefs-generator) ;;
      *) ln -s /dev/null "/etc/systemd/system-generators/${generator##*/}" ;;
    esac
  done
  # Says "nothing to update" to the units that would rebuild caches on a first boot.
  touch /etc/.updated /var/.updated
}

# A few modules, a static busybox and /lab-init, which image.ts has put there.
initrd() {
  local tree kernel path
  tree=$(mktemp -d)
  kernel=$(basename /lib/modules/*)
  mkdir -p "$tree/bin" "$tree/modules"
  cp /bin/busybox "$tree/bin/"
  ln -s busybox "$tree/bin/sh"
  mv /lab-init "$tree/init"
  for path in virtio_pci virtio_blk virtio_net ext4; do
    modprobe --set-version "$kernel" --show-depends "$path"
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
    cp "$path" "$tree/modules/"
    basename "$path" >>"$tree/modules/order"
  done
  (cd "$tree" && find . | cpio --quiet --create --format=newc >/lab-out/initrd)
  rm -r "$tree"
  mv /boot/vmlinuz-* /lab-out/vmlinuz
  rm -f /boot/initrd.img-*
}

repository
users
units
initrd
