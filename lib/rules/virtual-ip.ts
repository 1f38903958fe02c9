import { isIPv4, isIPv6 } from 'net';
import { sameHost, withoutPrefix } from './host';
import { nodesOf, problem, quoted, Rule, RuleInput } from './rule';

const PATH = 'virtualIp.address';
const GUIDE = 'Reserve a virtual IP address';

interface Parsed {
  /** As one number. */
  value: number;
  first: number;
  prefix?: number;
}

/** Undefined for anything but an IPv4 address with an optional prefix. */
function parse(address: string | undefined): Parsed | undefined {
  const match = address?.match(/^([0-9.]+)(?:\/(0|[1-9][0-9]?))?$/);
  if (!match || !isIPv4(match[1])) return undefined;
  const [, ip, prefix] = match;
  const octets = ip.split('.').map(Number);
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return { value, first: octets[0], prefix: prefix === undefined ? undefined : Number(prefix) };
}

/** With or without a prefix. */
const isVersion6 = (address: string): boolean => isIPv6(address.split('/')[0]);

/** Why no machine can serve at this address, whatever the network. */
function special({ value, first }: Parsed): string | undefined {
  if (value === 2 ** 32 - 1) return 'the broadcast address';
  if (first === 0) return 'an address that means "this host"';
  if (first === 127) return 'a loopback address';
  if (first >= 224 && first < 240) return 'a multicast address';
  return first >= 240 ? 'a reserved address' : undefined;
}

function insideOfSubnet({ value, prefix }: Parsed): string | undefined {
  // /31 and /32 have neither a network nor a broadcast address (RFC 3021).
  if (prefix === undefined || prefix < 1 || prefix > 30) return undefined;
  const size = 2 ** (32 - prefix);
  if (value % size === 0) return 'the network address';
  return value % size === size - 1 ? 'the broadcast address' : undefined;
}

export const virtualIpRules: Rule[] = [
  {
    id: 'vip/address-ipv6',
    summary: 'The virtual IP is an IPv4 address: IPv6 makes keepalived speak VRRPv3, which has no authentication.',
    guide: GUIDE,
    check: ({ virtualIp }) => {
      const address = virtualIp?.address;
      if (address === undefined || !isVersion6(address)) return [];
      const demand = 'IPv6 forces VRRPv3, where keepalived ignores authentication';
      return [problem(PATH, demand, quoted(address), 'reserve an IPv4 address')];
    },
  },
  {
    id: 'vip/address-syntax',
    summary: 'The virtual IP is an IPv4 address with an optional prefix.',
    guide: GUIDE,
    check: ({ virtualIp }) => {
      const address = virtualIp?.address;
      if (address === undefined || parse(address) || isVersion6(address)) return [];
      return [
        problem(
          PATH,
          'must be an IPv4 address with an optional prefix',
          quoted(address),
          'write one like "192.0.2.100" or "192.0.2.100/24"',
        ),
      ];
    },
  },
  {
    id: 'vip/prefix-range',
    summary: 'The prefix of the virtual IP is from 1 to 32.',
    check: ({ virtualIp }) => {
      const prefix = parse(virtualIp?.address)?.prefix;
      if (prefix === undefined || (prefix >= 1 && prefix <= 32)) return [];
      return [
        problem(
          PATH,
          'the prefix must be from 1 to 32',
          prefix,
          "take that of the interface's network, or leave it out",
        ),
      ];
    },
  },
  {
    id: 'vip/address-special',
    summary: 'The virtual IP is an address that a machine can have: not loopback, multicast, broadcast or reserved.',
    guide: GUIDE,
    check: (input) => refuse(input, special, 'must be an address that a machine can have'),
  },
  {
    id: 'vip/address-in-subnet',
    summary: 'The virtual IP is neither the network nor the broadcast address of its own prefix.',
    guide: GUIDE,
    check: (input) => refuse(input, insideOfSubnet, 'must be the address of a host inside its subnet'),
  },
  {
    id: 'vip/address-is-node',
    summary: 'The virtual IP is not the address of a node: it moves, and the node would go with it.',
    guide: GUIDE,
    check: (input) =>
      nodesOf(input)
        .filter(({ node }) => sameHost(withoutPrefix(input.virtualIp?.address), node.host))
        .map(({ path }) => problem(PATH, 'must be an unused address', `that of ${path}.host`, 'reserve another one')),
  },
  {
    id: 'vip/address-is-nfs-server',
    summary: 'The virtual IP is not the address of the NFS server.',
    guide: GUIDE,
    check: ({ virtualIp, nfs }) =>
      sameHost(withoutPrefix(virtualIp?.address), nfs?.server)
        ? [problem(PATH, 'must be an unused address', 'that of nfsShare.server', 'reserve another one')]
        : [],
  },
  {
    id: 'vip/router-id-range',
    summary: 'The virtual router id is a whole number from 1 to 255.',
    check: ({ virtualIp }) => {
      const id = virtualIp?.virtualRouterId;
      if (id === undefined || (Number.isInteger(id) && id >= 1 && id <= 255)) return [];
      return [
        problem(
          'virtualIp.virtualRouterId',
          'must be a whole number from 1 to 255',
          id,
          'choose one that no other VRRP router on the segment has',
        ),
      ];
    },
  },
];

function refuse({ virtualIp }: RuleInput, why: (parsed: Parsed) => string | undefined, demand: string): string[] {
  const parsed = parse(virtualIp?.address);
  const reason = parsed && why(parsed);
  return reason ? [problem(PATH, demand, `${quoted(virtualIp!.address!)}, ${reason}`, 'reserve another one')] : [];
}
