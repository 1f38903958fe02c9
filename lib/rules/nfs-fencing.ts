import { isIPv4, isIPv6 } from 'net';
import { hostProblem } from './host';
import { NAME, portProblem, present, problem, quoted, Rule, RuleInput } from './rule';

const OPTION = /^[a-z][a-z0-9_=.:-]*$/;
const NEEDED_OPTIONS = ['rw', 'sync', 'no_root_squash'];
// A map, for an object also has "constructor".
const HARMFUL_OPTIONS = new Map([
  ['ro', 'the active node writes'],
  ['async', 'the server would confirm what a power cut then takes away'],
  ['root_squash', 'root on the nodes gives the files to the services'],
  ['all_squash', 'the services write as users of their own'],
  ...['fsid', 'uuid'].map((name): [string, string] => [name, 'both exports would have the same one, and the server would show one directory in place of the other']),
]);

/** Of `fsid=7` it is `fsid`. */
function harmOf(option: string): string | undefined {
  return HARMFUL_OPTIONS.get(option.replace(/=.*/, ''));
}

/** The addresses of both nodes, each with what the user typed. */
function addressesOf({ nfs }: RuleInput): Array<{ path: string; address: string }> {
  const sides = { primary: nfs?.fencing?.primaryAddresses, secondary: nfs?.fencing?.secondaryAddresses };
  return Object.entries(sides).flatMap(([role, addresses]) =>
    (addresses ?? []).flatMap((address, index) =>
      address === undefined ? [] : [{ path: `nfsShare.fencing.clientAddresses.${role}[${index}]`, address }],
    ),
  );
}

export const nfsFencingRules: Rule[] = [
  {
    id: 'fencing/host-syntax',
    summary: 'The host of the NFS server for SSH is a host name or an IP address, without user, scheme or port.',
    check: ({ nfs }) => {
      const host = nfs?.fencing?.host;
      return present([host === undefined ? undefined : hostProblem('nfsShare.fencing.host', host)]);
    },
  },
  {
    id: 'fencing/port-range',
    summary: 'The SSH port of the NFS server is a whole number from 1 to 65535.',
    check: ({ nfs }) => {
      const { port, nodePort } = nfs?.fencing ?? {};
      // By default the one is the other: said once.
      const ports = Object.entries({ port, nodePort: nodePort === port ? undefined : nodePort });
      return present(ports.map(([name, got]) => portProblem(`nfsShare.fencing.${name}`, got, 'the sshd there')));
    },
  },
  {
    id: 'fencing/name-syntax',
    summary: 'The name of the pair on the NFS server is 1 to 63 letters, digits, ".", "_" and "-".',
    check: ({ nfs }) => {
      const name = nfs?.fencing?.name;
      if (name === undefined || NAME.test(name)) return [];
      const demand = 'must be 1 to 63 letters, digits, ".", "_" or "-", the first a letter or digit';
      return [problem('nfsShare.fencing.name', demand, quoted(name), 'choose another one')];
    },
  },
  {
    id: 'fencing/host-keys-missing',
    summary: 'The NFS server that fences has a host key: by it the nodes know whom they ask.',
    check: ({ nfs }) =>
      nfs?.fencing?.hostKeys?.length !== 0
        ? []
        : [
            problem(
              'nfsShare.fencing.hostKeys',
              'without a key the nodes do not know whom they ask for a fence',
              'none',
              'add those of /etc/ssh/ssh_host_*_key.pub on the NFS server',
            ),
          ],
  },
  {
    id: 'fencing/server-ipv6',
    summary: 'The NFS server that fences is reached by IPv4: its exports are to IPv4 addresses.',
    check: ({ nfs }) =>
      nfs?.fencing && nfs.server !== undefined && isIPv6(nfs.server)
        ? [problem('nfsShare.server', 'must be an IPv4 address, or a name of one, for fencing', quoted(nfs.server), 'give its IPv4 address, or leave fencing out')]
        : [],
  },
  {
    id: 'fencing/client-address',
    summary: 'Each node has one or more IPv4 addresses towards the NFS server that fences.',
    check: (input) => {
      const { primaryAddresses, secondaryAddresses } = input.nfs?.fencing ?? {};
      const none = Object.entries({ primary: primaryAddresses, secondary: secondaryAddresses })
        .filter(([, addresses]) => addresses?.length === 0)
        .map(([role]) => problem(`nfsShare.fencing.clientAddresses.${role}`, 'must name the address that the node mounts from', 'none', 'add it'));
      const wrong = addressesOf(input)
        .filter(({ address }) => !isIPv4(address) || /^(?:0|127|22[4-9]|23[0-9]|2[45][0-9])\./.test(address))
        .map(({ path, address }) => problem(path, 'must be the IPv4 address of a host', quoted(address), 'give the address that the node mounts the share from'));
      return [...none, ...wrong];
    },
  },
  {
    id: 'fencing/client-address-twice',
    summary: 'No two nodes have the same address towards the NFS server: it could not tell whom it fences.',
    check: (input) => {
      const all = addressesOf(input);
      return all
        .filter(({ address }, index) => all.findIndex((other) => other.address === address) < index)
        .map(({ path, address }) => problem(path, 'must be the address of one node only, and once', `${quoted(address)} twice`, 'give each node its own'));
    },
  },
  {
    id: 'fencing/export-options',
    summary: 'The exports are read-write and synchronous, root on the nodes stays root, and each export is known as itself.',
    check: ({ nfs }) => {
      const options = nfs?.fencing?.exportOptions;
      if (options === undefined) return [];
      const path = 'nfsShare.fencing.exportOptions';
      const known = present(options);
      const missing = known.length < options.length ? [] : NEEDED_OPTIONS.filter((option) => !known.includes(option));
      return [
        ...missing.map((option) => problem(path, `must have ${quoted(option)} among them`, known.length ? quoted(known.join(',')) : 'none', `add ${quoted(option)}`)),
        ...known.flatMap((option) => {
          const harm = harmOf(option);
          return harm === undefined ? [] : [problem(path, harm, quoted(option), 'remove it')];
        }),
        ...known
          .filter((option) => !OPTION.test(option))
          .map((option) => problem(path, 'each option must be one word of exports(5)', quoted(option), 'write the options one by one, without spaces')),
      ];
    },
  },
];
