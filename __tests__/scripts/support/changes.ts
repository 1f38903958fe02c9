import { DeployNode } from './deploy-node';

/** What is different from before, as far as it is not the deploy's own notes. A path, or the call of a command that changes something. */
type Change = string;

// docs/troubleshooting.md says of the preflight that it leaves an entry on the share, ARCHITECTURE.md what else is ours there: the lock grows
// by its holder's heartbeat, and a removal leaves a note, as an active secondary does.
const NOTES = /^(?:run\/nim-ha|var\/lib\/nim-ha|fake\/nfs\/nms\/\.nim-ha\/(?:nodes|lock|removed|not-aside))(?:\/|$)|^fake\/nfs\/nms\/\.nim-ha$/;

export interface Machine {
  readonly tree: Record<string, string>;
  readonly calls: number;
}

/** Files, units, packages, mounts and the share. */
export function look(node: DeployNode): Machine {
  // The stand-in for systemd keeps nothing of a unit that nobody has enabled or started, until it is stopped.
  const units = Object.entries(node.tree(['fake/units'])).filter(([, text]) => !text.endsWith('disabled inactive\n'));
  return {
    tree: { ...node.tree(['etc', 'usr', 'var', 'run', 'fake/nfs']), ...Object.fromEntries(units), packages: node.read('fake/packages'), mounts: node.read('proc/mounts') },
    calls: node.read('fake/calls').length,
  };
}

export function changesSince({ tree, calls }: Machine, node: DeployNode): { paths: Change[]; calls: Change[] } {
  const now = look(node).tree;
  const paths = [...new Set([...Object.keys(tree), ...Object.keys(now)])].filter((path) => tree[path] !== now[path] && !NOTES.test(path));
  return { paths: paths.sort(), calls: node.read('fake/calls').slice(calls).split('\n').filter((call) => call !== '') };
}

const below = (directory: string) => (change: Change) => change === directory || change.startsWith(`${directory}/`);
const unitsOf = (names: string): string[] => names.split(' ').map((name) => name.replace(/\.service$/, ''));

/** What is meant by an entry of "changed so far". An entry that nobody knows here is an error. */
function meaning(entry: string): (change: Change) => boolean {
  const forms: Array<[RegExp, (...found: string[]) => (change: Change) => boolean]> = [
    [/^\d+ files in \/(.*)$/, (directory) => below(directory)],
    [/^(?:took back )?\/([^: ]*)(?:$|:)/, (path) => below(path)],
    [/^(?:out of|into) the boot(?:, as before)?: (.*)$/, units],
    [/^(?:started|stopped|restarted) (.*?)(?: for the mode of operation|, as before)?$/, units],
    [/^(\S+) is no longer monitored/, units],
    [/^keepalived read its new configuration$/, () => (change) => change === 'systemctl reload keepalived.service'],
    [/^(?:installed|removed) (.*)$/, () => (change) => change === 'packages' || change === 'fake/units/keepalived.service'],
    [/^began a copy of \/var\/lib\/(\S+) on the share, in \.nim-ha-import$/, (name) => below(`fake/nfs/${name}`)],
    [/^copied \/var\/lib\/(\S+) to the share$/, (name) => below(`fake/nfs/${name}`)],
    [/^marked the share/, () => below('fake/nfs/nms/.nim-ha/imported')],
    [/^mounted \S+ on \/(\S+)$/, mounted],
    [/^mounted \/(\S+), as before$/, mounted],
    [/^unmounted \/(\S+)$/, mounted],
    [/^the lines of the share in \/etc\/fstab as before$/, () => below('etc/fstab')],
    [/^files as before$/, () => (change) => below('etc')(change) || below('usr')(change)],
    [/^mode of operation in \/etc\/nms\/nms.conf as before$/, () => below('etc/nms/nms.conf')],
  ];
  const [form, make] = forms.find(([each]) => each.test(entry)) ?? [];
  if (!form || !make) throw new Error(`an entry of "changed so far" that no test knows: ${entry}`);
  return make(...form.exec(entry)!.slice(1));
}

function units(names: string): (change: Change) => boolean {
  const all = unitsOf(names);
  return (change) => all.some((name) => change === `fake/units/${name}.service` || change === `fake/units/${name}` || (change.startsWith('systemctl ') && change.includes(name)));
}

const mounted = (point: string) => (change: Change) => change === 'mounts' || below(point)(change) || below(`${point}.beneath`)(change);

/** A directory is made, and counts, with what is in it. */
const holds = (path: Change, other: Change) => other.startsWith(`${path}/`);

/** Where what the step says and what has happened are not the same. */
export function unaccounted(said: string[], { paths, calls }: { paths: Change[]; calls: Change[] }): string[] {
  const meanings = said.map((entry) => ({ entry, means: meaning(entry) }));
  const told = paths.filter((path) => meanings.some(({ means }) => means(path)));
  return [
    ...paths.filter((path) => !told.includes(path) && !told.some((other) => holds(path, other))).map((path) => `changed, and not told: ${path}`),
    ...meanings.filter(({ means }) => ![...paths, ...calls].some(means)).map(({ entry }) => `told, and not changed: ${entry}`),
  ];
}
