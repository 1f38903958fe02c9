import { HOST_KEYS, guidePair } from '../config/pairs';
import { Rows } from './row';

const there = {
  name: 'demo',
  host: '192.0.2.13',
  port: 22,
  nodePort: 22,
  hostKeys: [HOST_KEYS.primary],
  exportOptions: ['rw', 'sync', 'no_subtree_check', 'no_root_squash'],
  primaryAddresses: ['192.0.2.11'],
  secondaryAddresses: ['192.0.2.12'],
};
const fencing = (change: Partial<typeof there>, server = guidePair().nfs.server) => ({ nfs: { server, fencing: { ...there, ...change } } });

const HOST = 'nfsShare.fencing.host: must be a host name or an IP address and nothing else, got';
const PORT = 'must be a whole number from 1 to 65535, got';
const PORT_TODO = 'give the port of the sshd there, usually 22';
const NAME = 'nfsShare.fencing.name: must be 1 to 63 letters, digits, ".", "_" or "-", the first a letter or digit, got';
const ADDRESS = (side: string, index = 0) => `nfsShare.fencing.clientAddresses.${side}[${index}]: must be the IPv4 address of a host, got`;
const ADDRESS_TODO = 'give the address that the node mounts the share from';
const SAME_ID = 'both exports would have the same one, and the server would show one directory in place of the other';
const OPTIONS = 'nfsShare.fencing.exportOptions:';

export const fencingRows: Rows = {
  'fencing/host-syntax': {
    passes: [fencing({ host: 'nfs.example.com' }), fencing({ host: '2001:db8::13' })],
    fails: [[fencing({ host: 'root@192.0.2.13' }), `${HOST} a value with "@"; leave out what stands before it, the user belongs to ssh`]],
  },
  'fencing/port-range': {
    passes: [1, 22, 65535].flatMap((port) => [fencing({ port }), fencing({ nodePort: port })]),
    fails: [
      ...[0, 65536, 2.5, -1].map((port): [ReturnType<typeof fencing>, string] => [fencing({ port, nodePort: port }), `nfsShare.fencing.port: ${PORT} ${port}; ${PORT_TODO}`]),
      [fencing({ nodePort: 0 }), `nfsShare.fencing.nodePort: ${PORT} 0; ${PORT_TODO}`],
    ],
  },
  'fencing/name-syntax': {
    passes: ['a', 'nim.prod_1-x', 'a'.repeat(63)].map((name) => fencing({ name })),
    fails: ['', '.hidden', 'a b', 'a/b', 'a'.repeat(64)].map((name) => [fencing({ name }), `${NAME} ${JSON.stringify(name)}; choose another one`]),
  },
  'fencing/host-keys-missing': {
    passes: [fencing({})],
    fails: [
      [
        fencing({ hostKeys: [] }),
        'nfsShare.fencing.hostKeys: without a key the nodes do not know whom they ask for a fence, got none; ' +
          'add those of /etc/ssh/ssh_host_*_key.pub on the NFS server',
      ],
    ],
  },
  'fencing/server-ipv6': {
    passes: [fencing({}, 'nfs.example.com'), fencing({ host: '2001:db8::13' })],
    fails: [
      [
        { nfs: { ...fencing({}, '2001:db8::13').nfs, mountOptions: ['proto=tcp6'] } },
        'nfsShare.server: must be an IPv4 address, or a name of one, for fencing, got "2001:db8::13"; give its IPv4 address, or leave fencing out',
      ],
    ],
  },
  'fencing/client-address': {
    passes: [fencing({ primaryAddresses: ['198.51.100.11', '192.0.2.11'] }), fencing({ secondaryAddresses: ['1.2.3.4'] }), fencing({ primaryAddresses: ['223.255.255.1'] })],
    fails: [
      ...['nim-a.example.com', '2001:db8::11', '192.0.2.11/24', '', '0.0.0.1', '127.0.0.1', '224.0.0.18', '239.1.1.1', '240.0.0.1', '255.255.255.255'].map(
        (address): [ReturnType<typeof fencing>, string] => [fencing({ primaryAddresses: [address] }), `${ADDRESS('primary')} "${address}"; ${ADDRESS_TODO}`],
      ),
      [fencing({ secondaryAddresses: ['192.0.2.12', 'nim-b'] }), `${ADDRESS('secondary', 1)} "nim-b"; ${ADDRESS_TODO}`],
      [fencing({ primaryAddresses: [] }), 'nfsShare.fencing.clientAddresses.primary: must name the address that the node mounts from, got none; add it'],
      [fencing({ secondaryAddresses: [] }), 'nfsShare.fencing.clientAddresses.secondary: must name the address that the node mounts from, got none; add it'],
    ],
  },
  'fencing/client-address-twice': {
    passes: [fencing({ primaryAddresses: ['192.0.2.11', '198.51.100.11'] })],
    fails: [
      [
        fencing({ secondaryAddresses: ['192.0.2.12', '192.0.2.11'] }),
        'nfsShare.fencing.clientAddresses.secondary[1]: must be the address of one node only, and once, got "192.0.2.11" twice; give each node its own',
      ],
      [
        fencing({ primaryAddresses: ['192.0.2.11', '192.0.2.11'] }),
        'nfsShare.fencing.clientAddresses.primary[1]: must be the address of one node only, and once, got "192.0.2.11" twice; give each node its own',
      ],
    ],
  },
  'fencing/export-options': {
    passes: [fencing({ exportOptions: ['no_root_squash', 'sync', 'rw', 'sec=sys', 'anonuid=7', 'reexport=auto-fsidnum', 'no_wdelay', 'constructor'] })],
    fails: [
      [fencing({ exportOptions: ['rw', 'sync'] }), `${OPTIONS} must have "no_root_squash" among them, got "rw,sync"; add "no_root_squash"`],
      [
        fencing({ exportOptions: [] }),
        ...['rw', 'sync', 'no_root_squash'].map((option) => `${OPTIONS} must have "${option}" among them, got none; add "${option}"`),
      ],
      ...Object.entries({
        ro: 'the active node writes',
        async: 'the server would confirm what a power cut then takes away',
        root_squash: 'root on the nodes gives the files to the services',
        all_squash: 'the services write as users of their own',
        'fsid=7': SAME_ID,
        'fsid=root': SAME_ID,
        'fsid=': SAME_ID,
        fsid: SAME_ID,
        'uuid=6c2f0c52-3a0e-4d55-9a5e-0d2b6d3c7f11': SAME_ID,
      }).map(([option, why]): [ReturnType<typeof fencing>, string] => [
        fencing({ exportOptions: ['rw', 'sync', 'no_root_squash', option] }),
        `${OPTIONS} ${why}, got "${option}"; remove it`,
      ]),
      [
        fencing({ exportOptions: ['rw', 'sync', 'no_root_squash', 'a b'] }),
        `${OPTIONS} each option must be one word of exports(5), got "a b"; write the options one by one, without spaces`,
      ],
      [
        fencing({ exportOptions: ['rw', 'sync', 'no_root_squash', ''] }),
        `${OPTIONS} each option must be one word of exports(5), got ""; write the options one by one, without spaces`,
      ],
    ],
  },
  'pairs/fencing-name-twice': {
    passes: [
      { ...fencing({}), siblings: [{ path: 'other', nfs: { server: '192.0.2.13', exportPath: '/b', fencingName: 'other' } }] },
      { ...fencing({}), siblings: [{ path: 'other', nfs: { server: '192.0.2.14', exportPath: '/b', fencingName: 'demo' } }] },
      { siblings: [{ path: 'other', nfs: { server: '192.0.2.13', exportPath: '/b' } }] },
    ],
    fails: [
      [
        { ...fencing({}), siblings: [{ path: 'other', nfs: { server: '192.0.2.13', exportPath: '/b', fencingName: 'demo' } }] },
        'nfsShare.fencing.name: must be the name of one pair only, got "demo", the name of other too; choose another one',
      ],
    ],
  },
};
