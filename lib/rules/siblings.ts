import { sameHost, withoutPrefix } from './host';
import { NodeInput, nodesOf, present, problem, quoted, Rule, RuleInput, Sibling } from './rule';

/** The pairs that name the same segment. Two that name none may be anywhere: not judged. */
function onSameSegment({ virtualIp, siblings }: RuleInput): Sibling[] {
  return (siblings ?? []).filter(({ segment }) => segment !== undefined && segment === virtualIp?.segment);
}

const viaOf = ({ ssh }: RuleInput, node: NodeInput): string | undefined => (node.ssh ?? ssh)?.via;

/** Behind different bastions the same address is that of another machine. */
function inOneNetwork(input: RuleInput, { nodes }: Sibling): boolean {
  return nodes === undefined || nodesOf(input).some(({ node }) => nodes.some(({ via }) => via === viaOf(input, node)));
}

/** What two pairs have in common that they must not have on one segment, where it was not said for both which one they are on. */
export function inOneSegmentOrNot(input: RuleInput): Array<{ path: string; both: string }> {
  const { virtualIp, siblings } = input;
  const id = virtualIp?.virtualRouterId;
  const address = withoutPrefix(virtualIp?.address);
  return (siblings ?? [])
    .filter((sibling) => !(sibling.namesSegment && virtualIp?.segment !== undefined) && inOneNetwork(input, sibling))
    .map((sibling) => ({
      path: sibling.path,
      both: present([
        id !== undefined && sibling.virtualRouterId === id ? `virtualRouterId ${id}` : undefined,
        sameHost(withoutPrefix(sibling.virtualIp), address) ? `the virtual IP ${quoted(address!)}` : undefined,
      ]).join(' and '),
    }))
    .filter(({ both }) => both !== '');
}

export const siblingRules: Rule[] = [
  {
    id: 'segment/router-id-twice',
    summary: 'Two pairs on one network segment have different virtual router ids.',
    check: (input) => {
      const id = input.virtualIp?.virtualRouterId;
      const demand = 'must be the only one of its number on its segment';
      return onSameSegment(input)
        .filter((sibling) => id !== undefined && sibling.virtualRouterId === id)
        .map(({ path }) => {
          const got = `${id} as ${path} has on the segment ${quoted(input.virtualIp!.segment!)}`;
          return problem('virtualIp.virtualRouterId', demand, got, 'choose another one');
        });
    },
  },
  {
    id: 'segment/address-twice',
    summary: 'Two pairs on one network segment have different virtual IPs.',
    guide: 'Reserve a virtual IP address',
    check: (input) =>
      onSameSegment(input)
        .filter((sibling) => sameHost(withoutPrefix(input.virtualIp!.address), withoutPrefix(sibling.virtualIp)))
        .map(({ path }) => {
          const got = `${quoted(input.virtualIp!.address!)} as ${path} has on the segment ${quoted(input.virtualIp!.segment!)}`;
          return problem('virtualIp.address', 'must be an unused address', got, 'reserve another one');
        }),
  },
  {
    id: 'pairs/node-twice',
    summary: 'No machine is a node of two pairs: there is one keepalived.conf on it.',
    check: (input) =>
      nodesOf(input).flatMap(({ node, path }) =>
        (input.siblings ?? [])
          .filter((sibling) =>
            sibling.nodes?.some(
              ({ host, port, via }) =>
                sameHost(host, node.host) && port !== undefined && port === node.port && via === viaOf(input, node),
            ),
          )
          .map((sibling) =>
            problem(
              `${path}.host`,
              'must be a node of one pair only',
              `${quoted(node.host!)}, a node of ${sibling.path} too`,
              'give each pair its own servers',
            ),
          ),
      ),
  },
  {
    id: 'pairs/fencing-name-twice',
    summary: 'No two pairs have the same name on an NFS server that fences.',
    check: (input) =>
      (input.siblings ?? [])
        .filter(
          (sibling) =>
            inOneNetwork(input, sibling) &&
            sameHost(sibling.nfs?.server, input.nfs?.server) &&
            sibling.nfs?.fencingName !== undefined &&
            sibling.nfs.fencingName === input.nfs?.fencing?.name,
        )
        .map(({ path }) =>
          problem(
            'nfsShare.fencing.name',
            'must be the name of one pair only',
            `${quoted(input.nfs!.fencing!.name!)}, the name of ${path} too`,
            'choose another one',
          ),
        ),
  },
  {
    id: 'pairs/share-twice',
    summary: 'No two pairs use the same NFS share: they would write into the same data.',
    check: (input) =>
      (input.siblings ?? [])
        .filter(
          (sibling) =>
            inOneNetwork(input, sibling) &&
            sameHost(sibling.nfs?.server, input.nfs?.server) &&
            input.nfs!.exportPath !== undefined &&
            input.nfs!.exportPath === sibling.nfs!.exportPath,
        )
        .map(({ path }) =>
          problem(
            'nfsShare.exportPath',
            'must be the share of one pair only',
            `${quoted(input.nfs!.exportPath!)}, the share of ${path} too`,
            'give each pair its own',
          ),
        ),
  },
];
