import { hostProblem, sameHost } from './host';
import { nodesOf, problem, quoted, Rule } from './rule';

const GUIDE = 'Configure Network File System (NFS) for shared storage';
// What fstab, exports and a shell all carry without quoting.
const EXPORT_PATH = /^\/(?:[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*)?$/;
const LOOPBACK = /^(?:localhost(?:\..*)?|127\.[0-9.]+)$/i;

export const nfsShareRules: Rule[] = [
  {
    id: 'nfs/server-syntax',
    summary: 'The NFS server is a host name or an IP address.',
    guide: GUIDE,
    check: ({ nfs }) => {
      const wrong = nfs?.server === undefined ? undefined : hostProblem('nfsShare.server', nfs.server);
      return wrong === undefined ? [] : [wrong];
    },
  },
  {
    id: 'nfs/server-is-loopback',
    summary: 'The NFS server is not the loopback: each node would mount a share of its own.',
    guide: GUIDE,
    check: ({ nfs }) =>
      nfs?.server !== undefined && LOOPBACK.test(nfs.server)
        ? [
            problem(
              'nfsShare.server',
              'must be the same machine for both nodes',
              quoted(nfs.server),
              'give its address on the network',
            ),
          ]
        : [],
  },
  {
    id: 'nfs/server-is-node',
    summary: 'The NFS server is not a node of the pair: the data would go down with that node.',
    guide: GUIDE,
    check: (input) =>
      nodesOf(input)
        .filter(({ node }) => sameHost(input.nfs?.server, node.host))
        .map(({ path }) =>
          problem(
            'nfsShare.server',
            'must be a third machine, or the data goes down with the node',
            `that of ${path}.host`,
            'move the share to another server',
          ),
        ),
  },
  {
    id: 'nfs/export-path',
    summary:
      'The export path is absolute, of letters, digits, ".", "_" and "-", without ".." and without a slash at its end.',
    guide: GUIDE,
    check: ({ nfs }) => {
      const path = nfs?.exportPath;
      if (path === undefined || isExportPath(path)) return [];
      return [
        problem(
          'nfsShare.exportPath',
          'must be an absolute path of letters, digits, ".", "_", "-" and single "/"',
          quoted(path),
          todoForPath(path),
        ),
      ];
    },
  },
];

function isExportPath(path: string): boolean {
  return (
    EXPORT_PATH.test(path) && path.length <= 1024 && !path.split('/').some((part) => part === '.' || part === '..')
  );
}

function todoForPath(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (path.includes(':')) return 'leave the server out, it is nfsShare.server';
  if (isExportPath(trimmed)) return `write ${quoted(trimmed)}`;
  return 'write one like "/mnt/nfs_share"';
}
