import type { Settled } from './audit';
import type { Fault, Timing } from './faults/fault';
import type { Entry } from './history';
import { isolationOf } from './isolation';
import { NODES, type NodeName } from './machines';

/** A node that has become active: when, on the host's clock, and how long its services took. */
export interface Start {
  readonly node: NodeName;
  readonly at: number;
  /** Seconds from the lock, with fencing from when the peer is shut out, to the last service. */
  readonly seconds: number;
}

/** What a fault came to, seen by the LAN and by the nodes' journals. */
export interface Course extends Settled {
  /** The fault was there by then, and was over then, whatever had to come back after it; milliseconds of the host's clock. */
  readonly injected: number;
  readonly undone: number;
  /** Which nodes they are now. Unset: the pair did not become whole. */
  readonly settled?: Settled;
  readonly journal: readonly Entry[];
  /** Seconds in which two nodes answered for the virtual IP, or said that they are master. */
  readonly twoHolders: number;
}

const LOCK_UNIT = 'nim-ha-lock.service';

/** Each time that a node has become active. The unit of the lock counts as started when nobody else can write any more. */
export function startsIn(journal: readonly Entry[]): Start[] {
  return NODES.flatMap((node) => {
    const starts: Start[] = [];
    let since: number | undefined;
    for (const { at, about, text } of [...journal].filter((entry) => entry.node === node).sort((a, b) => a.at - b.at)) {
      if (about === LOCK_UNIT && /^Started /.test(text)) since = at;
      if (since === undefined || about !== 'nim-ha' || !/-> ACTIVE$/.test(text)) continue;
      starts.push({ node, at, seconds: (at - since) / 1000 });
      since = undefined;
    }
    return starts;
  });
}

/** Each time that a node says that it has become active. Whether something may have happened at all is not left to a line that comes before. */
const activationsIn = (journal: readonly Entry[]): Entry[] => journal.filter(({ about, text }) => about === 'nim-ha' && /-> ACTIVE$/.test(text));

const namesIn = (entries: readonly Entry[]): string => [...new Set(entries.map(({ node }) => node))].join(' and ');

/** What the design does not allow, whatever the time it took: that is measured, and stands beside its bound. */
export function judge(fault: Fault, timing: Timing, course: Course): string[] {
  const { active, standby, settled, journal, twoHolders } = course;
  const found: string[] = [];
  const allowed = fault.twoHolders?.(timing) ?? 1;
  if (twoHolders > allowed) found.push(`two masters, or two answers for the virtual IP, for ${twoHolders.toFixed(1)} s, allowed ${allowed}`);
  const activations = activationsIn(journal);
  if (fault.serves === 'active') {
    if (activations.length > 0) found.push(`${namesIn(activations)} became active, though nothing was to happen to ${active}`);
    const left = journal.filter(({ node, about, text }) => node === active && about === 'nim-ha' && /^ACTIVE -> /.test(text));
    if (left.length > 0) found.push(`${active}: ${left.map(({ text }) => text).join(', ')}, though nothing was to happen to it`);
    if (settled && settled.active !== active) found.push(`${settled.active} is active, though nothing was to happen to ${active}`);
  }
  if (fault.serves === 'nobody') {
    const meanwhile = activations.filter(({ at }) => at > course.injected && at < course.undone);
    if (meanwhile.length > 0) found.push(`${namesIn(meanwhile)} became active while no node may be`);
  }
  if (fault.isolates) found.push(...isolationOf(active, course.injected, timing.lease, journal));
  if (timing.fencing && fault.fences !== undefined) {
    const first = startsIn(journal).find(({ node }) => node === standby);
    const fenced = journal.some(({ node, at, about, text }) => node === standby && about === 'nim-ha' && /^the NFS server has fenced /.test(text) && (!first || at < first.at));
    if (fenced !== fault.fences) found.push(fault.fences ? `${standby} serves without having fenced ${active}` : `${standby} has fenced ${active}, and was to have no way to`);
  }
  return found;
}
