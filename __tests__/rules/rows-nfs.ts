import { Rows } from './row';

const server = (text: string) => ({ nfs: { server: text } });
const exportPath = (text: string) => ({ nfs: { exportPath: text } });
const mount = (...mountOptions: string[]) => ({ nfs: { mountOptions } });
const fstab = (fstabOptions: string) => ({ nfs: { fstabOptions } });

const both = (mountOptions: Array<string | undefined>, fstabOptions: string) => ({ nfs: { mountOptions, fstabOptions } });
/** Options that only begin or end like the one. */
const around = (option: string): string[] => [`${option}x`, `x${option}`];

const MOUNT = 'nfsShare.mountOptions:';
const FSTAB = 'nfsShare.fstabOptions:';
const SERVER = 'nfsShare.server: must be a host name or an IP address and nothing else, got';
const LOOPBACK = 'nfsShare.server: must be the same machine for both nodes, got';
const THIRD = 'nfsShare.server: must be a third machine, or the data goes down with the node, got that of';
const PATH = 'nfsShare.exportPath: must be an absolute path of letters, digits, ".", "_", "-" and single "/", got';
const WORD = 'each option must be one word of letters, digits and "._=:/-", got';
const ONE_BY_ONE = 'write the options one by one, without spaces';
const LOCKS = 'locks must be held by the server, or both nodes write, got';
const VERSION = 'must be NFS 4, where the lock of a dead node ends with its lease, got';
const SOFT = 'a write must wait for the server, one that is given up can corrupt data, got';
const TWICE = 'one of two options is ignored without a word, got';
const AT_BOOT = 'the share must be mounted at boot, or the standby cannot take over, got';
const NOFAIL = 'remove it; "nofail" lets a boot go on without the server';

export const nfsRows: Rows = {
  'nfs/server-syntax': {
    passes: [...['nfs.example.com', 'nfs'].map(server), { nfs: { server: '2001:db8::13', mountOptions: ['proto=tcp6'] } }],
    fails: [
      [
        server('192.0.2.13:/mnt/nfs_share'),
        `${SERVER} "192.0.2.13:/mnt/nfs_share"; write one like "192.0.2.11" or "nim-a.example.com"`,
      ],
      [server('nfs://192.0.2.13'), `${SERVER} "nfs://192.0.2.13"; write "192.0.2.13"`],
      [server('[2001:db8::13]'), `${SERVER} "[2001:db8::13]"; write "2001:db8::13"`],
    ],
  },
  'nfs/server-is-loopback': {
    passes: ['localhost-nfs.example.com', 'nfs-localhost'].map(server),
    fails: ['localhost', 'LOCALHOST.localdomain', '127.0.0.1', '127.1.2.3'].map((text) => [
      server(text),
      `${LOOPBACK} "${text}"; give its address on the network`,
    ]),
  },
  'nfs/server-is-node': {
    passes: [server('192.0.2.14')],
    fails: [
      [server('192.0.2.11'), `${THIRD} primary.host; move the share to another server`],
      [server('192.0.2.12'), `${THIRD} secondary.host; move the share to another server`],
    ],
  },
  'nfs/export-path': {
    passes: ['/', '/srv', '/mnt/nfs-share_1/v2.0', '/a..b', `/${'x'.repeat(1023)}`].map(exportPath),
    fails: [
      ...[
        '',
        'mnt/nfs_share',
        '/mnt/nfs share',
        '/mnt/../etc',
        '/mnt/./x',
        '/mnt//x',
        '/mnt/"x"',
        `/${'x'.repeat(1024)}`,
        '/mnt\n/x',
        '//',
      ].map((text): [object, string] => [
        exportPath(text),
        `${PATH} ${JSON.stringify(text)}; write one like "/mnt/nfs_share"`,
      ]),
      [exportPath('/mnt/nfs_share//'), `${PATH} "/mnt/nfs_share//"; write "/mnt/nfs_share"`],
      [exportPath('/mnt/nfs_share/'), `${PATH} "/mnt/nfs_share/"; write "/mnt/nfs_share"`],
      [exportPath('192.0.2.13:/mnt'), `${PATH} "192.0.2.13:/mnt"; leave the server out, it is nfsShare.server`],
    ],
  },
  'nfs/option-syntax': {
    passes: [mount('rw'), mount('sec=krb5:krb5i'), fstab('vers=4.2,nofail,x-systemd.mount-timeout=30s')],
    fails: [
      [mount(), `${MOUNT} must have at least one option, got none; leave it out for the guide's`],
      ...['rw,hard', 'rw hard', '', ' rw', 'rw#', '"rw"', 'a\\040b', 'rw\n'].map((text): [object, string] => [
        mount(text),
        `${MOUNT} ${WORD} ${JSON.stringify(text)}; ${ONE_BY_ONE}`,
      ]),
      [fstab(''), `${FSTAB} ${WORD} ""; ${ONE_BY_ONE}`],
      [fstab('rw,'), `${FSTAB} ${WORD} ""; ${ONE_BY_ONE}`],
      [fstab('rw, hard'), `${FSTAB} ${WORD} " hard"; ${ONE_BY_ONE}`],
    ],
  },
  'nfs/option-breaks-locks': {
    passes: ['lock', 'local_lock=none', ...around('nolock'), 'xlocal_lock=all'].map((text) => mount(text)),
    fails: [
      [mount('hard', 'nolock'), `${MOUNT} ${LOCKS} "nolock"; remove it`],
      ...['all', 'flock', 'posix', 'nonesuch'].map((kind): [object, string] => [
        mount(`local_lock=${kind}`),
        `${MOUNT} ${LOCKS} "local_lock=${kind}"; remove it`,
      ]),
      [fstab('defaults,nolock'), `${FSTAB} ${LOCKS} "nolock"; remove it`],
    ],
  },
  'nfs/version': {
    passes: ['vers=4', 'vers=4.0', 'nfsvers=4.1', 'v4.2', 'xvers=3', 'xv3', 'vx'].map((text) => mount(text)),
    fails: [
      ...['vers=3', 'nfsvers=3', 'vers=2', 'v3', 'vers=', 'vers=4.9', 'vers=40'].map((text): [object, string] => [
        mount(text),
        `${MOUNT} ${VERSION} "${text}"; write "vers=4.2"`,
      ]),
      [fstab('nfsvers=3'), `${FSTAB} ${VERSION} "nfsvers=3"; write "vers=4.2"`],
    ],
  },
  'nfs/option-soft': {
    passes: ['hard', ...around('soft'), 'softreval'].map((text) => mount(text)),
    fails: [
      [mount('soft'), `${MOUNT} ${SOFT} "soft"; write "hard"`],
      [mount('softerr'), `${MOUNT} ${SOFT} "softerr"; write "hard"`],
      [fstab('soft'), `${FSTAB} ${SOFT} "soft"; write "hard"`],
    ],
  },
  'nfs/option-read-only': {
    passes: ['rw', ...around('ro')].map((text) => mount(text)),
    fails: [
      [mount('ro'), `${MOUNT} the active node must write to the share, got "ro"; write "rw"`],
      [fstab('ro'), `${FSTAB} the active node must write to the share, got "ro"; write "rw"`],
    ],
  },
  'nfs/option-stale-cache': {
    passes: ['cto', ...around('nocto')].map((text) => mount(text)),
    fails: [
      [mount('nocto'), `${MOUNT} a node that takes over must see what the other one wrote, got "nocto"; remove it`],
    ],
  },
  'nfs/option-background': {
    // In fstab systemd makes of it a mount that it tries for ever, and does not wait for.
    passes: [fstab('bg'), ...['fg', ...around('bg')].map((text) => mount(text))],
    fails: [[mount('bg'), `${MOUNT} mount must not report success before the share is there, got "bg"; remove it`]],
  },
  'nfs/option-not-at-boot': {
    passes: [
      mount('noauto'),
      ...['auto', 'defaults,nofail,_netdev', ...around('noauto'), ...around('x-systemd.automount')].map(fstab),
    ],
    fails: [
      [fstab('defaults,noauto'), `${FSTAB} ${AT_BOOT} "noauto"; ${NOFAIL}`],
      [fstab('x-systemd.automount'), `${FSTAB} ${AT_BOOT} "x-systemd.automount"; ${NOFAIL}`],
    ],
  },
  'nfs/option-family': {
    passes: [
      { nfs: { server: '2001:db8::13', mountOptions: ['rw', 'proto=tcp6'], fstabOptions: 'defaults' } },
      { nfs: { server: '192.0.2.13', mountOptions: ['rw', 'proto=tcp'] } },
      { nfs: { server: 'nfs.example', mountOptions: ['rw', 'proto=tcp6'] } },
    ],
    fails: [
      [
        { nfs: { server: '2001:db8::13', mountOptions: ['rw', 'proto=tcp'], fstabOptions: 'defaults,tcp' } },
        'nfsShare.mountOptions: must be of IPv6, as the server\'s address is, or mount does not find it, got "proto=tcp"; write "proto=tcp6"',
        'nfsShare.fstabOptions: must be of IPv6, as the server\'s address is, or mount does not find it, got "tcp"; write "proto=tcp6"',
      ],
      [
        { nfs: { server: '192.0.2.13', mountOptions: ['rw', 'proto=rdma6'] } },
        'nfsShare.mountOptions: must be of IPv4, as the server\'s address is, or mount does not find it, got "proto=rdma6"; write "proto=rdma"',
      ],
    ],
  },
  'nfs/sync-half': {
    passes: [
      both(['hard', 'sync'], 'defaults,sync'),
      both(['hard'], 'defaults'),
      both(['hard', 'sync'], 'sync,nofail'),
      both(['hard', 'async'], 'defaults'),
    ],
    fails: [
      [both(['hard', 'sync'], 'defaults'), `${FSTAB} must have "sync", for mountOptions has it, got "defaults"; write "defaults,sync"`],
      [
        both(['hard', 'sync', undefined], 'rw,hard'),
        `${FSTAB} must have "sync", for mountOptions has it, got "rw,hard"; write "defaults,sync"`,
      ],
      [both(['hard', 'rw'], 'sync'), `${MOUNT} must have "sync", for fstabOptions has it, got "hard,rw"; add it`],
      [both(['hard'], 'defaults,sync'), `${MOUNT} must have "sync", for fstabOptions has it, got "hard"; add it`],
    ],
  },
  'nfs/option-repeated': {
    passes: [
      mount('rsize=1', 'wsize=1', 'timeo=1', 'retrans=1'),
      // Neither is "v4" or has "no" in front.
      mount('xv4', 'vers=4.2', 'xnoac', 'xac'),
      fstab('x-systemd.requires=a,x-systemd.requires=b'),
    ],
    fails: [
      [mount('hard', 'rw', 'hard'), `${MOUNT} ${TWICE} "hard" and "hard"; keep one of them`],
      [mount('rsize=1', 'rsize=2'), `${MOUNT} ${TWICE} "rsize=1" and "rsize=2"; keep one of them`],
      [mount('vers=4.2', 'nfsvers=4.1'), `${MOUNT} ${TWICE} "vers=4.2" and "nfsvers=4.1"; keep one of them`],
      [mount('v4.1', 'vers=4.2'), `${MOUNT} ${TWICE} "v4.1" and "vers=4.2"; keep one of them`],
      [mount('proto=tcp', 'tcp'), `${MOUNT} ${TWICE} "proto=tcp" and "tcp"; keep one of them`],
      [mount('udp', 'rdma'), `${MOUNT} ${TWICE} "udp" and "rdma"; keep one of them`],
      [mount('proto=tcp', 'udp'), `${MOUNT} ${TWICE} "proto=tcp" and "udp"; keep one of them`],
      [mount('rdma', 'proto=tcp'), `${MOUNT} ${TWICE} "rdma" and "proto=tcp"; keep one of them`],
      [both(['sync', 'async'], 'sync'), `${MOUNT} ${TWICE} "sync" and "async"; keep one of them`],
      [mount('ac', 'noac'), `${MOUNT} ${TWICE} "ac" and "noac"; keep one of them`],
      [fstab('bg,fg'), `${FSTAB} ${TWICE} "bg" and "fg"; keep one of them`],
    ],
  },
};
