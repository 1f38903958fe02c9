import { DeployNode } from '../support/deploy-node';
import { Trouble, troubles } from '../support/trouble';

const at = (values: Record<string, string>) => (node: DeployNode) => node.upload(values);
/** Ends with `code` where the arguments fit, after what it prints. */
const when = (command: string, test: string, then: string) => (node: DeployNode) => node.wrap(command, `[[ ${test} ]] && { ${then}; }; next "$@"`);
const gone = (path: string) => (node: DeployNode) => node.bash(`rm -r "$NIM_HA_ROOT/${path}"`);

const SYSTEM: Trouble[] = [
  {
    trouble: 'a bash that is too old',
    id: 'node/bash',
    // The variable cannot be set, so the script as it was uploaded looks at another.
    make: (node) => {
      const script = 'home/ops/.nim-ha/scripts/preflight.sh';
      node.write(script, `#!/bin/bash\nOLD=(4 2)\n${node.read(script).replaceAll('BASH_VERSINFO', 'OLD').replace('$BASH_VERSION', '4.2.46(2)-release')}`);
    },
    says: 'bash, got 4.2.46(2)-release, expected 4.4 or newer; use a newer release of the operating system',
  },
  {
    trouble: 'a command is missing',
    id: 'node/tool',
    make: (node) => node.without('systemd-escape'),
    says: 'systemd-escape, got no such command, expected coreutils, util-linux, systemd, iproute2; install the package that has it',
  },
  {
    trouble: 'a systemd that is too old',
    id: 'node/systemd',
    make: when('systemctl', '$1 == --version', 'echo "systemd 239 (239-78)"; exit'),
    says: 'systemd, got 239, expected 240 or newer; use a newer release',
  },
  {
    trouble: 'control groups of version 1',
    id: 'node/cgroup',
    make: gone('sys/fs/cgroup/cgroup.controllers'),
    says: 'control groups, got version 1, expected version 2 in /sys/fs/cgroup; boot with systemd.unified_cgroup_hierarchy=1',
  },
  {
    trouble: 'another family of Linux',
    id: 'node/packages',
    make: (node) => node.without('apt-get', 'dnf', 'yum'),
    says: 'package manager, got none of apt-get, dnf, yum, expected one of them; use a Debian- or RHEL-based system',
  },
  {
    trouble: 'the disk is full',
    id: 'node/disk',
    make: when('df', '$* == *--output=avail*', 'printf "Avail\\n65536\\n"; exit'),
    run: (node) => node.bash('unset NIM_HA_FREE_KIB; bash "$HOME/.nim-ha/scripts/run-step.sh" preflight'),
    says: [
      'space in /var, got less than 64 MiB, expected 64 MiB; make room',
      'space in /usr, got less than 64 MiB, expected 64 MiB; make room',
    ],
  },
  {
    trouble: '/etc is read-only',
    id: 'node/read-only',
    make: when('findmnt', '$* == *" $NIM_HA_ROOT/etc"', 'echo ro,relatime,errors=remount-ro; exit'),
    says: 'file system of /etc, got read-only, expected one that can be written; see dmesg for what has made it that; then: mount -o remount,rw on it',
  },
  {
    trouble: 'somebody has taken the node out for maintenance',
    id: 'node/maintenance',
    make: (node) => node.write('var/lib/nim-ha/maintenance', ''),
    says: 'maintenance, got on, expected off; nim-ha maintenance off',
  },
  {
    trouble: 'SELinux is enforcing, without the label',
    id: 'node/selinux',
    make: (node) => {
      node.wrap('getenforce', 'echo Enforcing');
      node.wrap('matchpathcon', 'echo system_u:object_r:etc_t:s0');
    },
    says: ['check', 'notify'].map(
      (name) =>
        `label of /etc/nms/scripts/nms-${name}-keepalived.sh, got system_u:object_r:etc_t:s0, expected keepalived_unconfined_script_exec_t, for SELinux is enforcing; ` +
        `semanage fcontext -a -t keepalived_unconfined_script_exec_t /etc/nms/scripts/nms-${name}-keepalived.sh`,
    ),
  },
  {
    trouble: 'SELinux is enforcing, and nothing tells its labels',
    id: 'node/selinux',
    make: (node) => {
      node.wrap('getenforce', 'echo Enforcing');
      node.wrap('matchpathcon', 'exit 127');
    },
    says: Array(2).fill('label of /etc/nms/scripts/nms-…-keepalived.sh, got no answer of matchpathcon, expected keepalived_unconfined_script_exec_t, …; semanage fcontext …'),
  },
];

const NIM: Trouble[] = [
  {
    trouble: 'NIM is not installed: no service',
    id: 'nim/service',
    make: (node) => node.bash('rm "$FAKE"/units/nginx.service "$FAKE"/units/nms-core.service'),
    says: ['nginx', 'nms-core'].map(
      (name) => `${name}.service, got no such unit, expected NGINX Instance Manager installed; install it, or take the service out of monitoredServices`,
    ),
  },
  {
    trouble: 'a service is masked, as where somebody keeps it off the passive machine',
    id: 'nim/service',
    make: (node) => node.write('fake/units/nginx.service', 'masked inactive\n'),
    says: 'nginx.service, got masked, expected a unit that can start; systemctl unmask nginx.service',
  },
  {
    trouble: 'somebody has given a service a slice',
    id: 'nim/service',
    make: (node) => node.write('fake/slices/nginx.service', 'db.slice\n'),
    says: 'slice of nginx.service, got db.slice, expected none of its own, for all services of the pair run in nimha.slice; systemctl cat nginx.service shows where Slice= is; take it out',
  },
  {
    trouble: 'NIM is not installed: no user',
    id: 'nim/user',
    make: when('id', '$* == nms', 'exit 1'),
    says: 'user nms, got no such user, expected NGINX Instance Manager installed; install it',
  },
  {
    trouble: 'an old NIM without the directory of the scripts',
    id: 'nim/scripts',
    make: gone('etc/nms/scripts'),
    says: '/etc/nms/scripts, got no such directory, expected NGINX Instance Manager installed; install it',
  },
  {
    trouble: 'nms.conf is missing',
    id: 'nim/conf',
    make: gone('etc/nms/nms.conf'),
    says: 'mode of operation, got nms.conf: no file …/etc/nms/nms.conf, expected a readable /etc/nms/nms.conf; correct the file, or leave operationMode out',
  },
  {
    trouble: 'nms.conf is written so that a line of it cannot be changed',
    id: 'nim/conf',
    make: (node) => node.write('etc/nms/nms.conf', 'integrations: {license: {mode_of_operation: connected}}\n'),
    says: 'mode of operation, got nms.conf: line 1: integrations has its value on the same line (…); write it as a block, expected …; correct the file, …',
  },
];

const KEEPALIVED: Trouble[] = [
  {
    trouble: 'keepalived is not there, and is not to be installed',
    id: 'keepalived/missing',
    make: at({ INSTALL_KEEPALIVED: 'no' }),
    says: 'keepalived, got not installed, expected installed, for installKeepalived is off; install keepalived',
  },
  {
    trouble: 'keepalived is masked',
    id: 'keepalived/masked',
    make: (node) => node.write('fake/units/keepalived.service', 'masked inactive\n'),
    says: 'keepalived.service, got masked, expected a unit that can start; systemctl unmask keepalived.service (with --runtime where is-enabled says masked-runtime)',
  },
  {
    trouble: 'a user keepalived_script',
    id: 'keepalived/script-user',
    make: (node) => node.set('script-user'),
    says: 'user keepalived_script, got there, expected absent, for keepalived would run the scripts as this user, without the rights they need; remove the user, or use the hardened profile',
  },
  {
    trouble: 'a directory of scripts that keepalived does not trust',
    id: 'keepalived/script-directory',
    make: (node) => {
      node.upload({ PROFILE: 'hardened' });
      node.bash('chmod 0775 "$NIM_HA_ROOT/etc/nms"; chgrp 1 "$NIM_HA_ROOT/etc/nms"; chmod 0757 "$NIM_HA_ROOT/etc/nms/scripts"');
    },
    says: [
      "/etc/nms, got uid 0, gid 1, mode 775, expected root's, and writable for nobody else, for keepalived with script security to run the scripts in it; chown root:root /etc/nms; chmod go-w /etc/nms; or use the guide's profile",
      "/etc/nms/scripts, got uid 0, gid 0, mode 757, expected root's, and writable for nobody else, for keepalived with script security to run the scripts in it; chown root:root /etc/nms/scripts; chmod go-w /etc/nms/scripts; or use the guide's profile",
    ],
  },
  {
    trouble: 'keepalived is configured by somebody else',
    id: 'keepalived/foreign-conf',
    make: (node) => node.write('etc/keepalived/keepalived.conf', '# somebody else\n'),
    says: '/etc/keepalived/keepalived.conf, got a file that is not ours, expected none; a node of a pair runs no other keepalived: if this one was for the pair, takeOver; if nothing needs it, stop it and move the file away',
  },
  {
    trouble: "the example that keepalived's package brings on RHEL",
    id: 'keepalived/foreign-conf',
    make: (node) => {
      node.write('etc/keepalived/keepalived.conf', '! Configuration File for keepalived\n');
      node.wrap('rpm', '[[ "$*" == "--quiet -qf /etc/keepalived/keepalived.conf" || "$*" == "-V keepalived" ]]');
    },
    says: '/etc/keepalived/keepalived.conf, got the example of the package keepalived, unchanged, expected none; nothing needs it: takeOver, or mv /etc/keepalived/keepalived.conf /etc/keepalived/keepalived.conf.example',
  },
  {
    trouble: 'that example, with something of their own in it',
    id: 'keepalived/foreign-conf',
    make: (node) => {
      node.write('etc/keepalived/keepalived.conf', '! Configuration File for keepalived\n# ours\n');
      node.wrap('rpm', '[[ $* != "-V keepalived" ]] || { echo "S.5....T.  c /etc/keepalived/keepalived.conf"; exit 1; }');
    },
    says: '/etc/keepalived/keepalived.conf, got a file that is not ours, expected none; …',
  },
];

function mountedElsewhere(node: DeployNode): void {
  for (const name of ['clickhouse', 'nms']) {
    node.write(`fake/nfs/${name}/data`, '');
    node.bash(`mount -t nfs4 -o x nfs.example.org:/mnt/nfs_share/${name} "$NIM_HA_ROOT/var/lib/${name}"`);
  }
}

const sameExport = (how: string, todo: string): string[] =>
  ['clickhouse', 'nms'].map((name) => `/var/lib/${name}, got nfs.example.org:/mnt/nfs_share/${name} mounted, which is the same export ${how}, expected 192.0.2.13:/mnt/nfs_share/${name}; ${todo}`);

const SHARE: Trouble[] = [
  {
    trouble: "somebody else's line in /etc/fstab",
    id: 'storage/fstab',
    make: (node) => node.write('etc/fstab', '/dev/sdb /var/lib/nms ext4 defaults 0 2\n'),
    says: '/etc/fstab, got /dev/sdb /var/lib/nms ext4 defaults 0 2, expected no other line for the mount points of the share; remove the line, or takeOver',
  },
  {
    trouble: 'a line in /etc/fstab for a disk below a mount point',
    id: 'storage/fstab',
    make: (node) => node.write('etc/fstab', '/dev/sdb /var/lib/clickhouse/data ext4 defaults 0 2\n/dev/sdc /var/lib/clickhouse2 ext4 defaults 0 2\n'),
    says: '/etc/fstab, got /dev/sdb /var/lib/clickhouse/data ext4 defaults 0 2, expected no line for a directory below the mount points of the share; move its data into the mount point itself, and remove the line',
  },
  {
    trouble: 'lines for fstab that came out wrong',
    id: 'storage/fstab',
    make: at({ FSTAB: '192.0.2.13:/mnt/x /var/lib/nms nfs defaults 0 0' }),
    says: 'lines for /etc/fstab, got fstab: two lines are wanted, one for each of /var/lib/clickhouse /var/lib/nms, got 1, expected two lines that fit; correct the share in the program',
  },
  {
    trouble: 'no NFS client',
    id: 'storage/tools',
    make: (node) => node.without('mount.nfs4'),
    says: 'mount.nfs4, got no such command, expected an NFS client; install nfs-common (Debian) or nfs-utils (RHEL)',
  },
  {
    trouble: 'a firewall drops port 2049, or the NFS server is away',
    id: 'storage/server',
    make: (node) => node.set('server-away'),
    says: 'TCP port 2049 of 192.0.2.13, got no answer, expected an NFS server; start it, or open the firewall',
  },
  {
    trouble: 'a container without mount namespaces',
    id: 'storage/probe',
    make: (node) => node.wrap('unshare', 'exit 1'),
    says: 'trial mounts of the share, got no end within 150 s or an error (1), expected an end; see the lines above, and the log of the NFS server',
  },
  {
    trouble: 'the export is missing',
    id: 'storage/mount',
    make: (node) => node.bash('rm -r "$FAKE/nfs/clickhouse"'),
    says: 'mount of 192.0.2.13:/mnt/nfs_share/clickhouse, got mount.nfs4: access denied by server, expected success; export it to this node, read-write',
  },
  {
    trouble: 'the export is read-only',
    id: 'storage/write',
    make: when('mktemp', '$* == */nms/.nim-ha-probe*', 'exit 1'),
    says: "a new file on 192.0.2.13:/mnt/nfs_share/nms, got an error, expected success; export it read-write",
  },
  {
    trouble: "the share does not take this node's entry",
    id: 'storage/write',
    make: (node) => node.write('fake/nfs/nms/.nim-ha/nodes', 'a file in its place'),
    says: "this node's entry in .nim-ha/nodes, got an error, expected success; export it read-write",
  },
  {
    trouble: 'the server gives no locks',
    id: 'storage/lock',
    make: when('flock', '$* == "-n 9"', 'exit 1'),
    says: ['nms', 'clickhouse'].map(
      (name) => `flock on 192.0.2.13:/mnt/nfs_share/${name}, got an error, expected a lock; the pair cannot do without locks on the server; look at its lock manager`,
    ),
  },
  {
    trouble: 'root is squashed',
    id: 'storage/root-squash',
    make: when('chown', '$1 == nms || $1 == clickhouse', 'exit 1'),
    says: ['nms', 'clickhouse'].map(
      (name) => `chown to ${name} on 192.0.2.13:/mnt/nfs_share/${name}, got an error, expected success; export it with no_root_squash`,
    ),
  },
  {
    trouble: 'data on this node and on the share',
    id: 'storage/data-on-both',
    make: (node) => node.write('fake/nfs/clickhouse/theirs', 'x'),
    says: 'data of clickhouse, got some on this node and some on the share, expected one of them empty; look at both, and keep one: to keep the share\'s, move /var/lib/clickhouse on this node away; …',
  },
  {
    trouble: 'an empty share, for a node that has served from another one',
    id: 'storage/other-share',
    make: (node) => node.write('var/lib/nim-ha/manifest', ''),
    says: ['clickhouse', 'nms'].map(
      (name) =>
        `192.0.2.13:/mnt/nfs_share/${name}, got empty, while the pair has served from another share, expected the pair's data; ` +
        'correct nfsShare in the program; or, if the share moves, copy the old one to it while no node serves (cp -a, .nim-ha too)',
    ),
  },
  {
    trouble: 'another share for a node that serves',
    id: 'storage/moves-while-serving',
    make: (node) => {
      node.write('var/lib/nim-ha/manifest', '');
      node.write('run/nim-ha/lock-held', '');
      node.write('fake/nfs/nms/.nim-ha/imported', 'by=nim1\n');
      for (const name of ['clickhouse', 'nms']) node.bash(`echo "192.0.2.77:/mnt/nfs_share/${name} $NIM_HA_ROOT/var/lib/${name} nfs4 rw,vers=4.2,hard 0 0" >>"$NIM_HA_PROC_MOUNTS"`);
    },
    says:
      '192.0.2.13:/mnt/nfs_share/nms, got another share than that which this node serves from, 192.0.2.77:/mnt/nfs_share/nms, expected the same share, or a pair that is stopped; ' +
      'correct nfsShare in the program; or, if the share moves, stop the pair, copy the old one, .nim-ha too, and deploy',
  },
  {
    trouble: 'the share of another pair',
    id: 'storage/other-pair',
    make: (node) => {
      node.write('fake/nfs/nms/.nim-ha/imported', 'by=nim1\n');
      for (const other of ['primary@198.51.100.7', 'secondary@198.51.100.8']) node.write(`fake/nfs/nms/.nim-ha/nodes/${other}`, 'identity=x\n');
    },
    says:
      '192.0.2.13:/mnt/nfs_share/nms, got the data of a pair of other nodes: primary@198.51.100.7 secondary@198.51.100.8, expected an empty share, or that of 192.0.2.11 and 192.0.2.12; ' +
      'correct nfsShare in the program; where these two take the place of both others for good, delete .nim-ha/nodes on the share',
  },
  {
    trouble: 'the share of a later version',
    id: 'storage/other-version',
    make: (node) => node.write('fake/nfs/nms/.nim-ha/protocol', '2\n'),
    says:
      '192.0.2.13:/mnt/nfs_share/nms, got the share of a version whose nodes lock in way 2, expected way 1, as this version has it; ' +
      'deploy with the version that the pair was deployed with last, or a later one',
  },
  {
    trouble: 'the share is mounted under another name of its server',
    id: 'storage/other-name',
    make: mountedElsewhere,
    says: sameExport('in another way', 'takeOver, to have it mounted anew; or name it in the program as it is mounted, or unmount it before the deploy'),
  },
  {
    trouble: 'the program gives the server of a deployed pair another name',
    id: 'storage/other-name',
    make: (node) => {
      mountedElsewhere(node);
      node.write('var/lib/nim-ha/manifest', '');
    },
    says: sameExport('under another name', 'name the server in the program as it is mounted, or unmount it before the deploy'),
  },
  {
    trouble: 'a mount point is a symbolic link',
    id: 'storage/symlink',
    make: (node) => node.bash('mv "$NIM_HA_ROOT/var/lib/clickhouse" "$NIM_HA_ROOT/data"; ln -s "$NIM_HA_ROOT/data" "$NIM_HA_ROOT/var/lib/clickhouse"'),
    says: '/var/lib/clickhouse, got …/data, by a symbolic link, expected a directory, with no link on the way to it; put a directory in the place of the link, with its data in it',
  },
  {
    trouble: '/var/lib is a symbolic link',
    id: 'storage/symlink',
    make: (node) => node.bash('mv "$NIM_HA_ROOT/var/lib" "$NIM_HA_ROOT/srv"; ln -s ../srv "$NIM_HA_ROOT/var/lib"'),
    says: ['clickhouse', 'nms'].map((name) => `/var/lib/${name}, got …/srv/${name}, by a symbolic link, expected a directory, with no link on the way to it; put a directory in the place of the link, with its data in it`),
  },
  {
    trouble: 'a disk of their own is mounted on a mount point',
    id: 'storage/other-mount',
    make: (node) => node.write('proc/mounts', `/dev/sdb ${node.root}/var/lib/nms ext4 rw 0 0\n`),
    says: '/var/lib/nms, got /dev/sdb mounted, expected nothing, or the share; move its data to the share and unmount it',
  },
  {
    trouble: 'a disk is mounted below a mount point',
    id: 'storage/other-mount',
    make: (node) => node.write('proc/mounts', `/dev/sdb ${node.root}/var/lib/nms/data ext4 rw 0 0\n/dev/sdc ${node.root}/var/lib/nms2 ext4 rw 0 0\n`),
    says: '/var/lib/nms/data, got mounted below /var/lib/nms, expected nothing there, for the share takes the place of it all; move its data into /var/lib/nms itself, unmount it, and take it out of /etc/fstab',
  },
  {
    trouble: 'the export is too small for what the primary has',
    id: 'storage/space',
    make: when('df', '$* == *probe/clickhouse*', 'printf "Avail\\n 0\\n"; exit'),
    says: 'space on 192.0.2.13:/mnt/nfs_share/clickhouse, got 0 KiB, expected more than … KiB, for /var/lib/clickhouse; make room on the server',
  },
];

const TWO_NODES: Trouble[] = [
  {
    trouble: 'one machine for both nodes',
    id: 'data/same-node',
    make: at({ PEER_HOST: '192.0.2.11', PEER_NAME: 'primary' }),
    says: 'the two nodes, got 192.0.2.11 twice, expected two machines; correct it in the program',
  },
  {
    trouble: 'a value from another resource that does not fit',
    id: 'data/value',
    make: at({ ROLE: 'third' }),
    says: 'ROLE, got third, expected a value that fits; correct it in the program',
  },
  {
    trouble: 'both nodes have one hostname',
    id: 'node/hostname',
    make: (node) => node.write('fake/nfs/nms/.nim-ha/nodes/secondary@192.0.2.12', 'identity=node-primary\nclickhouse=101:101\nnms=102:102\n'),
    says: 'hostname, got node-primary on both nodes, expected two different ones; give this node another (hostnamectl set-hostname) and reboot it; with equal ones both get the lock on the share',
  },
  {
    trouble: 'the machine has no name of its own',
    id: 'node/hostname',
    make: (node) => node.write('fake/hostname', 'localhost.localdomain\n'),
    says: 'hostname, got localhost.localdomain, expected a name of its own; hostnamectl set-hostname NAME, and reboot',
  },
  {
    trouble: 'uids differ from those of the other node',
    id: 'node/uid',
    make: (node) => node.write('fake/nfs/nms/.nim-ha/nodes/secondary@192.0.2.12', 'identity=node-secondary\nclickhouse=101:101\nnms=7:7\n'),
    says: 'uid:gid of nms, got 102:102, expected 7:7 as on the peer; make those of this node equal to them (usermod -u, groupmod -g, chown -R), and run the deploy again',
  },
  {
    trouble: 'uids differ from those of the data on the share',
    id: 'node/uid',
    make: (node) => node.write('fake/nfs/nms/.nim-ha/imported', 'by=node-secondary\nclickhouse=9:101\nnms=102:102\n'),
    says: 'uid:gid of clickhouse, got 101:101, expected 9:101 as on the share; make those of this node equal to them (usermod -u, groupmod -g, chown -R), and run the deploy again',
  },
  {
    trouble: 'the clock is an hour ahead',
    id: 'node/clock',
    make: when('date', '$* == +%s', 'exec date -d "1 hour" +%s'),
    says: "clock of this node, got 36… s ahead of the NFS server's, expected at most 600 s between them; set the one that is wrong (date on both; timedatectl set-ntp true)",
  },
  {
    trouble: 'the clock is a day behind',
    id: 'node/clock',
    make: when('date', '$* == +%s', 'exec date -d "1 day ago" +%s'),
    says: "clock of this node, got -86… s ahead of the NFS server's, expected at most 600 s between them; set …",
  },
];

const NETWORK: Trouble[] = [
  {
    trouble: 'the interface is missing',
    id: 'network/interface',
    make: at({ INTERFACE: 'eth9' }),
    says: 'interface eth9, got no such interface; there are: ens32, expected one of them; correct networkInterface',
  },
  {
    trouble: 'the cable is out',
    id: 'network/link',
    make: when('ip', '$* == *"dev ens32 up"', 'exit 0'),
    says: 'interface ens32, got down, or without a carrier, expected up; ip link set ens32 up; check the cable',
  },
  {
    trouble: 'the virtual IP is of another network',
    id: 'network/subnet',
    make: at({ VIRTUAL_IP: '198.51.100.7' }),
    says: 'virtual IP 198.51.100.7, got in no subnet of ens32 (192.0.2.11/24), expected in one of them, or with a /prefix; choose another address, or say its prefix',
  },
  {
    trouble: 'the virtual IP is of another network than the ends of a tunnel',
    id: 'network/subnet',
    make: when('ip', '$* == *"address show dev ens32"', 'echo "2: ens32 inet 192.0.2.11 peer 192.0.2.12/32 scope global ens32"; exit'),
    says: 'virtual IP 192.0.2.100, got in no subnet of ens32 (192.0.2.11/32), expected in one of them, or with a /prefix; choose another address, or say its prefix',
  },
  ...['192.0.2.0', '192.0.2.255'].map((address): Trouble => ({
    trouble: `the virtual IP is no host's: ${address}`,
    id: 'network/subnet',
    make: at({ VIRTUAL_IP: address }),
    says: `virtual IP ${address}, got the network or broadcast address of 192.0.2.11/24, expected the address of a host; choose another address`,
  })),
  {
    trouble: 'the virtual IP is an address of this node',
    id: 'network/own-address',
    make: (node) => node.set('vip'),
    says: 'virtual IP 192.0.2.100, got an address of this node, expected a free address; choose another',
  },
  {
    trouble: 'the virtual IP is taken',
    id: 'network/stranger',
    make: (node) => node.set('stranger'),
    says: 'virtual IP 192.0.2.100, got used by 52:54:00:00:00:99, expected used by no one; choose a free address, or find that machine',
  },
];

troubles('preflight', ['preflight'], () => new DeployNode(), [...SYSTEM, ...NIM, ...KEEPALIVED, ...SHARE, ...TWO_NODES, ...NETWORK]);
