import { Rows } from './row';

const address = (text: string) => ({ virtualIp: { address: text } });
const authPass = (text: string) => ({ virtualIp: { authPass: text } });
const routerId = (id: number) => ({ virtualIp: { virtualRouterId: id } });

const SYNTAX = 'virtualIp.address: must be an IPv4 address with an optional prefix, got ';
const LIKE = '; write one like "192.0.2.100" or "192.0.2.100/24"';
const SPECIAL = 'virtualIp.address: must be an address that a machine can have, got ';
const INSIDE = 'virtualIp.address: must be the address of a host inside its subnet, got ';
const IPV6 = 'virtualIp.address: IPv6 forces VRRPv3, where keepalived ignores authentication, got ';
const ROUTER_ID = 'virtualIp.virtualRouterId: must be a whole number from 1 to 255, got ';
const PREFIX = 'virtualIp.address: the prefix must be from 1 to 32, got ';
const TAKE = "; take that of the interface's network, or leave it out";
const CHOOSE = '; choose one that no other VRRP router on the segment has';
const CHARACTERS = 'virtualIp.authPass: keepalived reads only letters, digits, ".", "_" and "-" as they are, got ';
const LENGTH = 'virtualIp.authPass: keepalived uses only the first 8 characters, got ';

export const vipRows: Rows = {
  'vip/address-ipv6': {
    passes: [address('192.0.2.100')],
    fails: [
      [address('2001:db8::100'), `${IPV6}"2001:db8::100"; reserve an IPv4 address`],
      [address('2001:db8::100/64'), `${IPV6}"2001:db8::100/64"; reserve an IPv4 address`],
    ],
  },
  'vip/address-syntax': {
    passes: [address('10.0.0.1'), address('192.0.2.100/24')],
    fails: [
      '',
      '<VIRTUAL_IP_ADDRESS>',
      '192.0.2',
      '192.0.2.256',
      '192.0.2.010',
      '192.0.2.1/',
      '192.0.2.1/024',
      '192.0.2.1/24/24',
      '192.0.2.1 dev x',
      'x192.0.2.1',
      'vip.example.com',
    ].map((text) => [address(text), `${SYNTAX}"${text}"${LIKE}`]),
  },
  'vip/prefix-range': {
    passes: [address('192.0.2.100/1'), address('192.0.2.100/32')],
    fails: [
      [address('192.0.2.100/33'), `${PREFIX}33${TAKE}`],
      [address('192.0.2.100/0'), `${PREFIX}0${TAKE}`],
    ],
  },
  'vip/address-special': {
    passes: [address('1.0.0.1'), address('126.0.0.1'), address('128.0.0.1'), address('223.255.255.254')],
    fails: [
      [address('0.0.0.0'), `${SPECIAL}"0.0.0.0", an address that means "this host"; reserve another one`],
      [address('127.0.0.1'), `${SPECIAL}"127.0.0.1", a loopback address; reserve another one`],
      [address('224.0.0.18'), `${SPECIAL}"224.0.0.18", a multicast address; reserve another one`],
      [address('239.1.2.3/24'), `${SPECIAL}"239.1.2.3/24", a multicast address; reserve another one`],
      [address('240.0.0.1'), `${SPECIAL}"240.0.0.1", a reserved address; reserve another one`],
      [address('255.255.255.255'), `${SPECIAL}"255.255.255.255", the broadcast address; reserve another one`],
    ],
  },
  'vip/address-in-subnet': {
    // Without a prefix nothing is known of the subnet; /31 has no such addresses.
    passes: [
      '192.0.2.0',
      '192.0.2.255',
      '192.0.2.1/24',
      '192.0.2.254/24',
      '192.0.2.0/31',
      '192.0.2.255/32',
      '192.0.3.0/23',
    ].map(address),
    fails: [
      [address('192.0.2.0/24'), `${INSIDE}"192.0.2.0/24", the network address; reserve another one`],
      [address('192.0.2.255/24'), `${INSIDE}"192.0.2.255/24", the broadcast address; reserve another one`],
      [address('128.0.0.0/1'), `${INSIDE}"128.0.0.0/1", the network address; reserve another one`],
      [address('192.0.2.131/30'), `${INSIDE}"192.0.2.131/30", the broadcast address; reserve another one`],
    ],
  },
  'vip/address-is-node': {
    passes: [address('192.0.2.14/24')],
    fails: [
      [
        address('192.0.2.11'),
        'virtualIp.address: must be an unused address, got that of primary.host; reserve another one',
      ],
      [
        address('192.0.2.12/24'),
        'virtualIp.address: must be an unused address, got that of secondary.host; reserve another one',
      ],
    ],
  },
  'vip/address-is-nfs-server': {
    passes: [{ nfs: { server: '192.0.2.101' } }],
    fails: [
      [
        address('192.0.2.13/24'),
        'virtualIp.address: must be an unused address, got that of nfsShare.server; reserve another one',
      ],
    ],
  },
  'vip/router-id-range': {
    passes: [routerId(1), routerId(255)],
    fails: [0, 256, -1, 1.5, NaN].map((id) => [routerId(id), `${ROUTER_ID}${id}${CHOOSE}`]),
  },
  'vip/auth-pass-empty': {
    passes: [authPass('a')],
    fails: [
      [
        authPass(''),
        'virtualIp.authPass: must not be empty, got an empty one; set 1 to 8 characters, the same secret on both nodes',
      ],
    ],
  },
  'vip/auth-pass-length': {
    passes: [authPass('12345678')],
    fails: [
      [authPass('123456789'), `${LENGTH}9; shorten it to 8 or fewer`],
      [authPass('Top-Secret-1'), `${LENGTH}12; shorten it to 8 or fewer`],
    ],
  },
  'vip/auth-pass-characters': {
    passes: [authPass('aZ09._-')],
    fails: [
      [authPass('ab#c'), `${CHARACTERS}1 other character; choose a password without them`],
      [authPass('a b'), `${CHARACTERS}1 other character; choose a password without them`],
      [authPass('x{y}z!'), `${CHARACTERS}3 other characters; choose a password without them`],
      [authPass('naïve'), `${CHARACTERS}1 other character; choose a password without them`],
      [authPass('line\n'), `${CHARACTERS}1 other character; choose a password without them`],
    ],
  },
};
