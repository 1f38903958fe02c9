import { GUIDE_SERVICES } from '../lib/config/model';
import type { Outcome } from './outcome';
import { MACHINES, NODES, type NodeName } from './machines';

/** A stretch of time in which something was the case; milliseconds of the host's clock. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
}

/** A master advertises every second, and a holder is asked every 50 ms: longer silence is an end. */
const SILENCE_MS = { advert: 1800, answer: 400 } as const;

const PHASE = /^([A-Z]+) -> ([A-Z]+)/;
const ENDED = /^Stopped |Deactivated successfully|Failed with result|Main process exited/;

/** What a fault did to the pair, one lane per fact, from outside (VRRP, address) and by the journals (the rest). */
export function lanesOf(outcome: Outcome, window: { from: number; to: number }): Lane[] {
  return NODES.flatMap((node) => [
    { name: `${node} VRRP master`, spans: heard(outcome, node, 'advert') },
    { name: `${node} virtual IP`, spans: heard(outcome, node, 'answer') },
    { name: `${node} phase`, spans: phases(outcome, node, window) },
    { name: `${node} lock`, spans: between(outcome, node, window, 'nim-ha', /^holds the lock/, /^let go|^isolation: nothing/, outcome.active === node) },
    ...services(outcome).map((service) => ({
      name: `${node} ${service}`,
      spans: between(outcome, node, window, `${service}.service`, /^Started /, ENDED, outcome.active === node),
    })),
  ]);
}

function services({ journal }: Outcome): string[] {
  return GUIDE_SERVICES.filter((service) => journal.some(({ about }) => about === `${service}.service`));
}

function heard({ timeline }: Outcome, node: NodeName, kind: 'advert' | 'answer'): Span[] {
  const { lanMac } = MACHINES.find(({ name }) => name === node)!;
  const spans: { from: number; to: number; label: string }[] = [];
  for (const sighting of timeline) {
    if (sighting.kind !== kind || sighting.mac !== lanMac) continue;
    const last = spans[spans.length - 1];
    const label = sighting.kind === 'advert' ? String(sighting.priority) : '';
    if (last && sighting.at - last.to <= SILENCE_MS[kind]) last.to = sighting.at;
    else spans.push({ from: sighting.at, to: sighting.at, label });
  }
  return spans;
}

function phases({ journal, active }: Outcome, node: NodeName, window: { from: number; to: number }): Span[] {
  const changes = ordered(journal.filter((entry) => entry.node === node && entry.about === 'nim-ha' && PHASE.test(entry.text)));
  const first = changes.length ? PHASE.exec(changes[0].text)![1] : active === node ? 'ACTIVE' : 'STANDBY';
  const starts = [{ at: window.from, label: first }, ...changes.map(({ at, text }) => ({ at, label: PHASE.exec(text)![2] }))];
  return starts.map(({ at, label }, index) => ({ from: at, to: starts[index + 1]?.at ?? window.to, label }));
}

/** From a line that says that it began to one that says that it ended; what was the case before the first of them is derived from it. */
function between({ journal }: Outcome, node: NodeName, window: { from: number; to: number }, about: string, begins: RegExp, ends: RegExp, atFirst: boolean): Span[] {
  const entries = ordered(journal.filter((entry) => entry.node === node && entry.about === about && (begins.test(entry.text) || ends.test(entry.text))));
  const spans: Span[] = [];
  let since: number | undefined = (entries.length ? ends.test(entries[0].text) : atFirst) ? window.from : undefined;
  for (const { at, text } of entries) {
    if (begins.test(text)) since ??= at;
    else if (since !== undefined) {
      spans.push({ from: since, to: at, label: '' });
      since = undefined;
    }
  }
  return since === undefined ? spans : [...spans, { from: since, to: window.to, label: '' }];
}

function ordered<T extends { at: number }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => a.at - b.at);
}
