#!/bin/sh
# The whole initrd but for a static busybox and a few modules: it finds the disk, on the first boot unpacks the second disk (a
# bare tar file, the machine's seed) over it, and hands over to systemd. This early, so that the machine starts with its own
# name, keys and units and never has to change them while it runs. Without udev, which costs an emulated machine ten seconds.

/bin/busybox mkdir -p /dev /root
/bin/busybox mount -t devtmpfs devtmpfs /dev
while read -r module; do
  /bin/busybox insmod "/modules/$module"
done </modules/order
/bin/busybox mount -t ext4 -o rw /dev/vda /root || exec /bin/busybox sh
if [ -b /dev/vdb ] && [ ! -e /root/var/lib/lab-seeded ]; then
  /bin/busybox chroot /root /bin/tar --extract --preserve-permissions --numeric-owner --file=- </dev/vdb &&
    : >/root/var/lib/lab-seeded
fi
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
