import { DeployNode, fstabLines } from '../support/deploy-node';
import { Trouble, troubles } from '../support/trouble';

type Role = DeployNode['role'];

/** A node after these steps, on which all went well. */
function after(role: Role, steps: string[], prepare: (node: DeployNode) => unknown = () => undefined): () => DeployNode {
  return () => {
    const node = new DeployNode(role);
    prepare(node);
    for (const step of steps) expect(node.step(...step.split(' '))).toEqual({ code: 0, out: expect.any(String) });
    return node;
  };
}

const when = (command: string, test: string, then = 'exit 1') => (node: DeployNode) => node.wrap(command, `[[ ${test} ]] && { ${then}; }; next "$@"`);
/** Another run of the deploy, with other values and another password. */
const stageAgain = (node: DeployNode, values: Record<string, string> = {}) => {
  node.upload(values);
  node.uploadSecret('other');
  expect(node.step('stage').code).toBe(0);
};
/** What keepalived leads to on this machine, instead of what the stand-in does. */
const startsAs = (commands: string) => (node: DeployNode) =>
  node.wrap('systemctl', `[[ $* == "restart keepalived.service" ]] && { (next "$@"); cd "$NIM_HA_ROOT/run/nim-ha"; ${commands}; exit 0; }; next "$@"`);
const holdLock = (work: string) => (node: DeployNode) => node.holdLock(work);
const letGo = (node: DeployNode) => node.letGo();
const run = (environment: string, number: number) => (node: DeployNode) =>
  node.bash(`${environment} bash "$HOME/.nim-ha/scripts/run-step.sh" rollout ${number}`);

const SHARE = '192.0.2.13:/mnt/nfs_share';
const WRITE = 'see the lines above; is a file system full or read-only?';
const AGAIN = "run the step stage again: terraform apply -replace of this node's stage";
const STAYS = 'keepalived does not start here, over reboots too, until a deploy has come to its end';

const FIRST: Trouble[] = [
  {
    trouble: 'nothing is staged',
    id: 'node/staged',
    name: 'node-primary',
    make: (node) => node.bash('rm -r "$NIM_HA_ROOT/var/lib/nim-ha/staged"'),
    says: `…/var/lib/nim-ha/staged, got nothing staged, expected the step stage before this; ${AGAIN}`,
  },
  {
    trouble: 'another deploy has uploaded since the stage',
    id: 'node/staged',
    make: (node) => node.upload({ VIRTUAL_IP: '192.0.2.101' }),
    says: `…/etc/nim-ha/node.data, got another than this deploy has uploaded, expected the same; ${AGAIN}`,
  },
  {
    trouble: 'a file of the stage was deleted',
    id: 'node/staged',
    code: 1,
    make: (node) => node.bash('rm "$NIM_HA_ROOT/var/lib/nim-ha/staged/root/etc/keepalived/keepalived.conf"'),
    says: '/etc/keepalived/keepalived.conf, got not as deployed, and no staged copy, expected a staged copy; deploy again with the step stage (for example: terraform apply -replace of it)',
    also: [STAYS],
  },
  {
    trouble: 'systemd does not say how the stand-alone services stand',
    id: 'node/systemctl',
    code: 1,
    make: when('systemctl', '$* == *--property=LoadState*" nms.service nginx.service"*'),
    says: 'systemctl show nms.service nginx.service nms-core.service, got an answer for 0 of 3 units, expected one for each, within 30 s; see what it says on this node; then run this again',
    also: [STAYS],
  },
  {
    trouble: 'the stand-alone services do not stop',
    id: 'rollout/services',
    code: 1,
    make: when('systemctl', '$* == "stop nms.service"*'),
    says: 'systemctl stop nms.service nginx.service nms-core.service, got an error, or no end in 300 s, expected stopped services; see: systemctl status nms.service nginx.service nms-core.service',
    also: [STAYS],
  },
  {
    trouble: 'processes of the services do not end',
    id: 'rollout/drain',
    code: 1,
    make: (node) => node.write('cgroup/cgroup.events', 'populated 1\n'),
    run: run('NIM_HA_DRAIN_LIMIT=0', 2),
    says: 'services, got still running, or the lock still held, after 0 s, expected none; see: systemctl status nimha.slice',
    also: [STAYS],
  },
  {
    trouble: 'the export went away since the preflight',
    id: 'storage/mount',
    code: 1,
    make: (node) => node.bash('rm -r "$FAKE/nfs/nms"'),
    says: `mount of ${SHARE}/nms, got mount.nfs4: access denied by server, expected success; does the server export it to this node? try: showmount -e 192.0.2.13`,
  },
  {
    trouble: 'the server mounts it otherwise than demanded',
    id: 'storage/mount',
    code: 1,
    make: when('mount', '$* == */var/lib/clickhouse', '(next "$@"); sed -i "s/,hard,/,soft,/" "$NIM_HA_PROC_MOUNTS"; exit 0'),
    says: '/var/lib/clickhouse after the mount, got a mount that is not hard, expected NFS version 4, hard, locks on the server; look at the options: nfsstat -m',
  },
  {
    trouble: 'somebody has written to the share since the preflight',
    id: 'storage/data-on-both',
    code: 1,
    make: (node) => node.write('fake/nfs/clickhouse/theirs', 'x'),
    says: `${SHARE}/clickhouse, got data that no import of ours put there, expected an empty export; look at both, and keep one: …`,
  },
  {
    trouble: 'somebody writes to the share during the copy',
    id: 'storage/data-on-both',
    code: 1,
    make: when('cp', '$* == *--update*/clickhouse/*', ': >"$FAKE/nfs/clickhouse/data"; next "$@"'),
    says: `${SHARE}/clickhouse/data, got there already, expected nothing of that name; somebody wrote to the share during the import; move it away`,
  },
  {
    trouble: 'the export is too small',
    id: 'storage/space',
    code: 1,
    make: when('df', '$* == *--output=avail*', 'printf "Avail\\n0\\n"; exit'),
    says: `space on ${SHARE}/clickhouse, got 0 KiB, expected more than … KiB; make room on the server`,
  },
  {
    trouble: 'something still writes to the data',
    id: 'storage/copy',
    code: 1,
    make: when('cp', '$* == *--update*', 'exit 0'),
    says: 'copy of /var/lib/clickhouse to the share, got not equal to its source, expected equal files; does anything still write to /var/lib/clickhouse? run the deploy again: the copy goes on',
  },
  {
    trouble: 'the share does not take the copy',
    id: 'storage/copy',
    code: 1,
    make: when('sync', '$* == *.nim-ha-import'),
    says: 'sync of the copy, got an error, expected success; look at the NFS server',
  },
  {
    trouble: 'the copy cannot be moved to its place',
    id: 'storage/rename',
    code: 1,
    make: when('mv', '$* == *import/data/*'),
    says: `data of the copy on ${SHARE}/clickhouse, got an error, expected its place in the export; look at the NFS server, then run the deploy again: it goes on from there`,
  },
  {
    trouble: 'root is squashed since the preflight',
    id: 'storage/root-squash',
    code: 1,
    make: when('chown', '$1 == --reference* && $2 == */share/clickhouse'),
    says: `owner of ${SHARE}/clickhouse, got an error, expected that of /var/lib/clickhouse; export it with no_root_squash`,
  },
  {
    trouble: 'a disk was mounted on a mount point since the preflight',
    id: 'storage/other-mount',
    code: 1,
    make: (node) => node.write('proc/mounts', `/dev/sdb ${node.root}/var/lib/nms ext4 rw 0 0\n`),
    says: '/var/lib/nms, got /dev/sdb mounted, expected the share; unmount it and take it out of /etc/fstab',
  },
  {
    trouble: '/var is read-only: the mark of the deploy',
    id: 'node/write',
    code: 1,
    make: when('sync', '$* == */pending'),
    says: '/var/lib/nim-ha/pending, got an error, expected success; is /var full or read-only?',
  },
  // A power cut must not take back what the next deploy counts on: Terraform does not run a step again that has ended well.
  ...['manifest', 'applied', 'generation'].map((name): Trouble => ({
    trouble: `the disk does not take what says what is in force: ${name}`,
    id: 'node/write',
    code: 1,
    make: when('sync', `$* == */nim-ha/${name}.new`),
    says: `/var/lib/nim-ha/${name}, got an error, expected success; is /var full or read-only?`,
  })),
  {
    trouble: '/var is full: the record of what was there before',
    id: 'node/write',
    code: 1,
    make: when('cp', '$* == *before/files/etc/nms/scripts*'),
    says: '…/var/lib/nim-ha/before, got an error, expected success; is /var full?',
  },
  {
    trouble: 'the disk does not take the record of what ran before, without which nothing stops',
    id: 'node/write',
    code: 1,
    make: when('sync', '$* == "-f "*/before && -e $NIM_HA_ROOT/var/lib/nim-ha/pending'),
    says: '…/var/lib/nim-ha/before, got an error, expected success; is /var full?',
    also: [STAYS],
  },
  {
    trouble: 'the disk does not take what was put in force',
    id: 'node/write',
    code: 1,
    make: when('sync', '$* == "-f "*/keepalived.conf'),
    says: `what was put in force, got an error, expected it on the disk; ${WRITE}`,
    also: [STAYS],
  },
  {
    trouble: 'the share does not take the list of what was imported',
    id: 'storage/copy',
    code: 1,
    make: when('sync', '$* == "-f "*/share/nms && -e $FAKE/nfs/nms/.nim-ha/imported.new'),
    says: 'sync of the mark on the share, got an error, expected success; look at the NFS server',
    also: [STAYS],
  },
  {
    trouble: '/usr is full',
    id: 'node/write',
    code: 1,
    make: when('install', '$* == *usr/local/lib/nim-ha/.nim-ha.new*'),
    says: `files in /usr/local/lib/nim-ha, got an error, expected success; ${WRITE}`,
  },
  {
    // A copy of it that stays would have the password.
    trouble: 'something is mounted over keepalived.conf',
    id: 'node/write',
    code: 1,
    make: when('mv', '$* == "-f -t "*/etc/keepalived" -- "*'),
    says: `files in /etc/keepalived, got an error, expected success; ${WRITE}`,
  },
  {
    trouble: '/etc is read-only: fstab',
    id: 'node/write',
    code: 1,
    make: when('mktemp', '$* == */etc/.nim-ha.*'),
    says: `/etc/fstab, got an error from: edit_fstab apply, expected success; ${WRITE}`,
  },
  {
    trouble: 'systemd does not read its units',
    id: 'node/daemon-reload',
    code: 1,
    make: when('systemctl', '$1 == daemon-reload'),
    says: 'systemctl daemon-reload, got an error, or no end in 60 s, expected success; see: journalctl -b -p err',
    also: [STAYS],
  },
  {
    trouble: 'the other node was given the same hostname meanwhile',
    id: 'node/hostname',
    code: 1,
    make: (node) => node.write('fake/nfs/nms/.nim-ha/nodes/secondary@192.0.2.12', 'identity=node-primary\n'),
    says: 'hostname, got node-primary on both nodes, expected two different ones; give this node another …',
    also: [STAYS],
  },
  {
    trouble: 'keepalived does not start',
    id: 'rollout/keepalived',
    code: 1,
    make: (node) => node.set('keepalived-fails'),
    says: 'systemctl restart keepalived, got an error, expected a running keepalived; see the journal above',
    also: ['the journal that explains it'],
  },
  {
    trouble: 'a service does not start',
    id: 'rollout/not-active',
    code: 1,
    make: (node) => node.set('services-fail'),
    says: 'phase, got FAILED (nginx is failed), expected ACTIVE within 2 s; see the journal above; then run the deploy again',
    also: ['the journal that explains it'],
  },
  {
    trouble: 'another pair has the same router id',
    id: 'rollout/another-master',
    code: 1,
    make: (node) => node.set('peer-active'),
    says:
      'VRRP on ens32, got another master of router id 251, expected none, for no node of this pair is active; ' +
      "find it (tcpdump -ni ens32 vrrp): the peer's keepalived, or another pair with the same router id; keepalived is stopped here",
    also: ['the journal that explains it', STAYS],
  },
  {
    trouble: 'elected, and another node has taken the lock',
    id: 'rollout/master-without-lock',
    code: 1,
    make: (node) => {
      node.write('fake/nfs/nms/.nim-ha/holder', 'node-secondary 1234\n');
      startsAs('rm lock-held; sed -i s/ACTIVE/WAITING/ state')(node);
    },
    says: "this node, got the virtual IP without the lock, expected both or none; another node has the lock (node-secondary 1234): do the nodes hear each other's VRRP?",
  },
  {
    trouble: 'elected without the lock, and nobody knows who has it',
    id: 'rollout/master-without-lock',
    code: 1,
    make: startsAs('rm lock-held; sed -i s/ACTIVE/WAITING/ state'),
    says: 'this node, got the virtual IP without the lock, expected both or none; another node has the lock (no name in …/var/lib/nms/.nim-ha/holder): …',
  },
  {
    trouble: 'a dead node still has the lock',
    id: 'rollout/lock',
    code: 1,
    make: holdLock('exec sleep 60'),
    undo: letGo,
    says: 'the lock on the share, got held without a heartbeat for 1 s, expected free, or the heartbeat of the active node; see on the other node: nim-ha status',
  },
];

troubles('the first roll-out on the primary', ['rollout', '2'], after('primary', ['preflight', 'stage']), FIRST);

const SECOND: Trouble[] = [
  {
    trouble: 'a firewall drops VRRP between the nodes',
    id: 'rollout/two-masters',
    code: 1,
    make: (node) => node.set('peer-unheard'),
    says: 'this node, got master, while another node has the lock, expected standby; do the nodes hear each other? VRRP is IP protocol 112 to 224.0.0.18 on ens32; keepalived is stopped here',
    also: [STAYS],
  },
  {
    trouble: 'it waits for the lock of a node that lives',
    id: 'rollout/two-masters',
    code: 1,
    make: (node) => {
      startsAs('sed -i s/STANDBY/WAITING/ state')(node);
      node.holdLock('while sleep 0.05; do printf + >&9 || exit; done');
    },
    undo: letGo,
    says: 'this node, got master, while another node has the lock, expected standby; …',
    also: [STAYS],
  },
  {
    // Out of the pair it would leave nobody to serve when the lease ends.
    trouble: 'it waits for the lock of a node that is dead',
    id: 'rollout/not-standby',
    code: 1,
    make: (node) => {
      startsAs('sed -i s/STANDBY/WAITING/ state')(node);
      node.holdLock();
    },
    run: (node) => {
      const result = node.step('rollout', '3');
      expect([node.read('fake/units/keepalived.service'), node.has('var/lib/nim-ha/pending')]).toEqual([expect.stringContaining(' active'), false]);
      return result;
    },
    undo: letGo,
    says: 'phase, got WAITING, able to take over: yes, expected STANDBY, able: yes; see the journal above; then run the deploy again',
  },
  {
    trouble: 'the standby does not see the NFS server',
    id: 'rollout/not-standby',
    code: 1,
    make: startsAs('sed -i -e s/able=yes/able=no/ -e "s/reason=.*/reason=the NFS server does not answer on port 2049/" state'),
    says: 'phase, got STANDBY, able to take over: no (the NFS server does not answer on port 2049), expected STANDBY, able: yes; see the journal above; then run the deploy again',
  },
  {
    trouble: 'the interface of the standby is down for VRRP',
    id: 'rollout/not-standby',
    code: 1,
    make: startsAs('echo FAULT >vrrp-state; sed -i -e "s/reason=.*/reason=keepalived keeps out of the election/" state'),
    says: 'phase, got STANDBY, able to take over: no (keepalived keeps out of the election), expected STANDBY, able: yes; see the journal above; then run the deploy again',
  },
  {
    trouble: 'uids were changed since the preflight',
    id: 'node/uid',
    code: 1,
    make: (node) => node.write('fake/nfs/nms/.nim-ha/nodes/primary@192.0.2.12', 'identity=node-primary\nclickhouse=101:101\nnms=7:7\n'),
    says: 'uid:gid of nms, got 102:102, expected 7:7 as on the peer; make those of this node equal to them (usermod -u, groupmod -g, chown -R), and run the deploy again',
    also: [STAYS],
  },
];

troubles('the first start of the secondary', ['rollout', '3'], after('secondary', ['preflight', 'stage', 'rollout 1'], (node) => node.set('peer-active')), SECOND);

const DEPLOYED: Trouble[] = [
  {
    trouble: 'keepalived does not stop',
    id: 'rollout/keepalived',
    code: 1,
    make: (node) => {
      node.upload({ NFS_SERVER: '192.0.2.99', FSTAB: fstabLines('192.0.2.99') });
      stageAgain(node);
      node.set('keepalived-stays');
    },
    says: 'systemctl stop keepalived, got an error, or no end in 90 s, expected a stopped keepalived; see: systemctl status keepalived',
    also: [STAYS],
  },
  {
    trouble: 'keepalived does not read its new configuration',
    id: 'rollout/keepalived',
    code: 1,
    make: (node) => {
      stageAgain(node);
      when('systemctl', '$1 == reload')(node);
    },
    says: 'systemctl reload keepalived, got an error, expected success; see: systemctl status keepalived',
  },
  {
    trouble: 'NIM does not restart for the mode of operation',
    id: 'rollout/services',
    code: 1,
    make: (node) => {
      stageAgain(node, { OPERATION_MODE: 'connected' });
      when('systemctl', '$* == "restart nms-core.service"')(node);
    },
    says: 'systemctl restart nms-core.service, got an error, expected success; see: systemctl status nms-core.service',
  },
  {
    trouble: 'a service runs in a slice of its own, which it was given since the preflight',
    id: 'rollout/slice',
    code: 1,
    make: (node) => {
      stageAgain(node);
      node.write('fake/groups/nginx.service', '/db.slice/nginx.service\n');
      node.write('fake/slices/nginx.service', 'db.slice\n');
    },
    says: 'nginx.service, got still outside of nimha.slice after systemctl restart, expected in it; systemctl cat nginx.service shows where Slice= is; take it out, systemctl daemon-reload',
  },
  {
    trouble: 'systemd does not say where the services run',
    id: 'node/systemctl',
    code: 1,
    make: (node) => {
      stageAgain(node);
      when('systemctl', '$* == *ControlGroup*')(node);
    },
    says: 'systemctl show nginx.service nms-core.service, got an answer for 0 of 2 units, expected one for each, within 30 s; see what it says on this node; then run this again',
  },
  {
    trouble: 'a shell in a directory of the share that is to be changed',
    id: 'storage/unmount',
    make: (node) => {
      node.bash('cp -a "$FAKE/nfs" "$FAKE/nfs-192.0.2.99"');
      stageAgain(node, { NFS_SERVER: '192.0.2.99', FSTAB: fstabLines('192.0.2.99') });
      // Two processes, of which the other is a service's.
      node.write('cgroup/nginx.service/cgroup.procs', '1\n');
      when('find', '$1 == /proc/*', `printf "/proc/%s/cwd\\n" 1 ${process.pid}; exit`)(node);
    },
    run: run('NIM_HA_UNMOUNT_LIMIT=0', 2),
    says: `/var/lib/clickhouse and /var/lib/nms, to be mounted anew, got in use by ${process.pid} (…), expected no users but the pair's services; end what uses it`,
  },
  {
    trouble: 'something that no process shows is in a directory of the share that is to be changed',
    id: 'storage/unmount',
    code: 1,
    make: (node) => {
      node.bash('cp -a "$FAKE/nfs" "$FAKE/nfs-192.0.2.99"');
      stageAgain(node, { NFS_SERVER: '192.0.2.99', FSTAB: fstabLines('192.0.2.99') });
      when('umount', '$* == */var/lib/clickhouse', 'echo "umount: $1: target is busy." >&2; exit 32')(node);
    },
    run: run('NIM_HA_UNMOUNT_LIMIT=0', 2),
    says: 'umount /var/lib/clickhouse, got umount: …/var/lib/clickhouse: target is busy., expected success; end what uses it: no process is seen; a mount below it?',
    also: [STAYS],
  },
  {
    trouble: 'the share that it is to change to is served from by another pair',
    id: 'storage/other-pair',
    make: (node) => {
      node.write('fake/nfs-192.0.2.99/nms/.nim-ha/holder', 'nim-b1 1234\n');
      node.bash('mkdir "$FAKE/nfs-192.0.2.99/clickhouse"');
      stageAgain(node, { NFS_SERVER: '192.0.2.99', FSTAB: fstabLines('192.0.2.99') });
      node.holdLock('while sleep 0.05; do printf . >&9 || exit; done', 'nfs-192.0.2.99');
    },
    undo: letGo,
    says:
      'the lock on 192.0.2.99:/mnt/nfs_share/nms, got held by nim-b1, expected a free one, for this node is the active one of its pair; ' +
      'correct nfsShare in the program; or, if the share moves there, stop what has the lock',
  },
  {
    trouble: 'the share that it is to change to is gone since the preflight',
    id: 'storage/mount',
    code: 1,
    make: (node) => {
      node.bash('mkdir "$FAKE/nfs-192.0.2.99"');
      stageAgain(node, { NFS_SERVER: '192.0.2.99', FSTAB: fstabLines('192.0.2.99') });
    },
    says: 'mount of 192.0.2.99:/mnt/nfs_share/nms, got mount.nfs4: access denied by server, expected success; does the server export it to this node? …',
  },
  {
    trouble: 'the other node was the active one at its turn, and did not step aside',
    id: 'rollout/role-moved',
    make: (node) => {
      stageAgain(node);
      node.write('fake/nfs/nms/.nim-ha/not-aside/secondary@192.0.2.12', '');
    },
    says: 'the active node, got not secondary any more, which was that at its turn just now, and has not stepped aside, expected the same one in all turns; run the deploy again: it begins with secondary',
  },
  {
    trouble: 'this node answers for the virtual IP, and the other one has the lock',
    id: 'rollout/two-masters',
    make: (node) => {
      node.bash('systemctl stop keepalived.service');
      node.set('vip');
      holdLock('while sleep 0.05; do printf . >&9 || exit; done')(node);
    },
    undo: letGo,
    says: 'this node, got the virtual IP, while another node has the lock, expected one master; do the nodes hear each other? VRRP is IP protocol 112 to 224.0.0.18 on ens32',
  },
];

troubles('another roll-out on the active primary', ['rollout', '2'], after('primary', ['preflight', 'stage', 'rollout 2', 'rollout 4']), DEPLOYED);
