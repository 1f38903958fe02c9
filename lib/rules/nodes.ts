import { hostProblem, sameHost } from './host';
import { NAME, perNode, portProblem, problem, quoted, Rule } from './rule';

// Linux refuses longer names, and keepalived a name it does not find.
const INTERFACE = /^[A-Za-z0-9_.-]{1,15}$/;

export const nodeRules: Rule[] = [
  perNode(
    { id: 'node/name-syntax', summary: 'The name of a node is 1 to 63 letters, digits, ".", "_" and "-".' },
    ({ name }, path) =>
      name === undefined || NAME.test(name)
        ? undefined
        : problem(
            `${path}.name`,
            'must be 1 to 63 letters, digits, ".", "_" or "-", the first a letter or digit',
            quoted(name),
            'rename the node',
          ),
  ),
  {
    id: 'node/names-equal',
    summary: 'The two nodes have different names.',
    check: ({ primary, secondary }) =>
      sameHost(primary?.name, secondary?.name)
        ? [problem('secondary.name', "must differ from primary's", quoted(secondary!.name!), 'rename one of the two')]
        : [],
  },
  perNode(
    {
      id: 'node/host-syntax',
      summary: 'The host of a node is a host name or an IP address, without user, scheme or port.',
    },
    ({ host }, path) => (host === undefined ? undefined : hostProblem(`${path}.host`, host)),
  ),
  {
    id: 'node/hosts-equal',
    summary:
      'The two nodes are two machines: no two have the same host, unless their SSH ports differ (port forwarding).',
    guide: 'Before you begin',
    check: ({ primary, secondary }) => {
      const samePort = primary?.port !== undefined && primary.port === secondary?.port;
      if (!samePort || !sameHost(primary!.host, secondary!.host)) return [];
      return [
        problem(
          'secondary.host',
          'must be another machine than primary',
          quoted(secondary!.host!),
          'give the address of the second server',
        ),
      ];
    },
  },
  perNode({ id: 'node/port-range', summary: 'The SSH port is a whole number from 1 to 65535.' }, ({ port }, path) =>
    portProblem(`${path}.port`, port, "the node's sshd"),
  ),
  perNode(
    {
      id: 'node/interface-name',
      summary: 'The network interface is the name that Linux gives it, at most 15 characters, and not the loopback.',
      guide: 'Configure keepalived',
    },
    ({ networkInterface }, path) =>
      networkInterface === undefined ? undefined : interfaceProblem(`${path}.networkInterface`, networkInterface),
  ),
];

function interfaceProblem(path: string, name: string): string | undefined {
  const demand = 'must be the name of a network interface, at most 15 characters';
  // What `ip address` prints: `eth0.7@eth0` for a VLAN, `eth0:1` for an alias. The interface is what stands before.
  const before = /^([A-Za-z0-9_.-]+)[@:]/.exec(name)?.[1];
  if (before) return problem(path, demand, quoted(name), `write ${quoted(before)}`);
  if (name === 'lo')
    return problem(
      path,
      'must be an interface that reaches the other node',
      '"lo"',
      'see `ip route` on the node for its name',
    );
  if (!INTERFACE.test(name) || /^\.+$/.test(name))
    return problem(path, demand, quoted(name), 'see `ip link` on the node for its name');
  return undefined;
}
