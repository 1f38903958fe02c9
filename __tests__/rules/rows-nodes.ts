import { Rows } from './row';

const host = (text: string) => ({ primary: { host: text } });
const networkInterface = (name: string) => ({ secondary: { networkInterface: name } });

const NAME = 'must be 1 to 63 letters, digits, ".", "_" or "-", the first a letter or digit';
const HOST = 'primary.host: must be a host name or an IP address and nothing else, got';
const INTERFACE = 'secondary.networkInterface: must be the name of a network interface, at most 15 characters, got';
// 253 characters.
const LONGEST = `${`${'a'.repeat(49)}.`.repeat(5)}aaa`;
const SEE_LINK = 'see `ip link` on the node for its name';

export const nodeRows: Rows = {
  'node/name-syntax': {
    passes: ['a', 'nim-a.example.com', 'a'.repeat(63)].map((name) => ({ primary: { name } })),
    fails: ['', 'nim a', '-a', 'ä', 'a'.repeat(64)].map((name) => [
      { primary: { name } },
      `primary.name: ${NAME}, got "${name}"; rename the node`,
    ]),
  },
  'node/names-equal': {
    passes: [{ primary: { name: 'x' }, secondary: { name: 'y' } }],
    fails: [
      [
        { secondary: { name: 'nim-a' } },
        'secondary.name: must differ from primary\'s, got "nim-a"; rename one of the two',
      ],
      [
        { secondary: { name: 'NIM-A' } },
        'secondary.name: must differ from primary\'s, got "NIM-A"; rename one of the two',
      ],
    ],
  },
  'node/host-syntax': {
    passes: [
      'nim-a',
      'nim_a.example.com',
      '2001:db8::11',
      '2001:db8:0:0:0:0:0:11',
      '127.0.0.1',
      // Letters only in front of the digits, or only behind them.
      'nim1',
      '1nim',
      LONGEST,
    ].map(host),
    fails: [
      [host('ssh://nim-a'), `${HOST} "ssh://nim-a"; write "nim-a"`],
      [host('[2001:db8::11]'), `${HOST} "[2001:db8::11]"; write "2001:db8::11"`],
      [host('nim-a:2222'), `${HOST} "nim-a:2222"; leave the port out`],
      // There could be a password in front of the @.
      [host('ops:Hidden1@nim-a'), `${HOST} a value with "@"; leave out what stands before it, the user belongs to ssh`],
      ...[
        '',
        ' nim-a',
        'nim a',
        'nim-a\nx',
        '-nim',
        '192.0.2.300',
        '192.0.2',
        '0.0.0.0',
        '::',
        '::1',
        'fe80::1%eth0',
        `${'a'.repeat(64)}.example.com`,
        `${LONGEST}a`,
        // Only nearly the forms that have an answer of their own.
        'nim-a:22x',
        '2001:db8::g:1',
        'x[2001:db8::11]',
        '[2001:db8::11]:22',
      ].map((text): [object, string] => [
        host(text),
        `${HOST} ${JSON.stringify(text)}; write one like "192.0.2.11" or "nim-a.example.com"`,
      ]),
      [
        { primary: { host: '' }, secondary: { host: 'b b' } },
        `${HOST} ""; write one like "192.0.2.11" or "nim-a.example.com"`,
        'secondary.host: must be a host name or an IP address and nothing else, got "b b"; write one like "192.0.2.11" or "nim-a.example.com"',
      ],
    ],
  },
  'node/hosts-equal': {
    // Port forwarding: one host, two ports, two machines.
    passes: [{ primary: { host: '127.0.0.1', port: 2201 }, secondary: { host: '127.0.0.1', port: 2202 } }],
    fails: [
      [
        host('192.0.2.12'),
        'secondary.host: must be another machine than primary, got "192.0.2.12"; give the address of the second server',
      ],
      [
        { primary: { host: 'NIM.example.com' }, secondary: { host: 'nim.example.com' } },
        'secondary.host: must be another machine than primary, got "nim.example.com"; give the address of the second server',
      ],
      [
        { primary: { host: '2001:db8::1' }, secondary: { host: '2001:DB8:0::0:1' } },
        'secondary.host: must be another machine than primary, got "2001:DB8:0::0:1"; give the address of the second server',
      ],
    ],
  },
  'node/port-range': {
    passes: [{ primary: { port: 1 } }, { primary: { port: 65535 } }],
    fails: [0, 65536, 22.5].map((port) => [
      { primary: { port } },
      `primary.port: must be a whole number from 1 to 65535, got ${port}; give the port of the node's sshd, usually 22`,
    ]),
  },
  'node/interface-name': {
    passes: ['eth0', 'enp0s31f6', 'bond0.100', 'br-1_a', 'abcdefghijklmno', 'a.', '.a'].map(networkInterface),
    fails: [
      ...['', '<NETWORK_INTERFACE>', 'abcdefghijklmnop', 'eth 0', 'eth/0', '..', 'eth 0@eth1'].map((name): [object, string] => [
        networkInterface(name),
        `${INTERFACE} "${name}"; ${SEE_LINK}`,
      ]),
      [networkInterface('eth0.7@eth0'), `${INTERFACE} "eth0.7@eth0"; write "eth0.7"`],
      [networkInterface('eth0:1'), `${INTERFACE} "eth0:1"; write "eth0"`],
      [
        networkInterface('lo'),
        'secondary.networkInterface: must be an interface that reaches the other node, got "lo"; see `ip route` on the node for its name',
      ],
    ],
  },
};
