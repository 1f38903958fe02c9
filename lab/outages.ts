import type { Sighting } from './sighting';

/** Silence that is no outage yet: an emulated machine may be slow to answer a few questions. */
export const SILENCE_MS = 400;

/** A master speaks every second. */
const ADVERTS_MS = 2500;

/** A time in which the virtual IP did not answer, or the moment in which another machine began to. */
export interface Outage {
  readonly goneAt: number;
  /** Absent while nobody answers. */
  readonly backAt?: number;
  readonly fromMac: string;
  readonly toMac?: string;
}

/** A time in which two machines answered for the virtual IP: a few milliseconds at a handover, or split brain. */
export interface Overlap {
  readonly from: number;
  readonly to: number;
  readonly macs: readonly string[];
}

export function holdersIn(timeline: readonly Sighting[]): string[] {
  return [...new Set(timeline.filter(isAnswer).map((sighting) => sighting.mac))];
}

/** Seconds of the longest of them. @param until where one is not over */
export function longestIn(outages: readonly Outage[], until: number): number {
  return Math.max(0, ...outages.map(({ goneAt, backAt }) => ((backAt ?? until) - goneAt) / 1000));
}

/** How often another machine began to answer than the one before it. */
export function changesIn(timeline: readonly Sighting[]): number {
  const tenures = tenuresIn(timeline);
  return tenures.slice(1).filter(({ mac }, index) => mac !== tenures[index].mac).length;
}

/** @param now the end of the observation: silence up to it may be an outage that is not over */
export function outagesIn(timeline: readonly Sighting[], now: number): Outage[] {
  const outages: Outage[] = [];
  let last: Tenure | undefined;
  for (const next of tenuresIn(timeline)) {
    if (last && next.from > last.to) outages.push({ goneAt: last.to, backAt: next.from, fromMac: last.mac, toMac: next.mac });
    if (!last || next.to > last.to) last = next;
  }
  if (last && now - last.to > SILENCE_MS) outages.push({ goneAt: last.to, fromMac: last.mac });
  return outages;
}

/** Times in which two machines answered by turns. */
export function overlapsIn(timeline: readonly Sighting[]): Overlap[] {
  return overlaps(tenuresIn(timeline));
}

/** Times in which two machines said by turns that they are master; one that says so with priority 0 takes its leave. */
export function doubleMastersIn(timeline: readonly Sighting[]): Overlap[] {
  return overlaps(tenuresIn(timeline, (sighting) => sighting.kind === 'advert' && sighting.priority > 0, ADVERTS_MS));
}

/** Seconds of all of them together. */
export function secondsIn(all: readonly Overlap[]): number {
  return all.reduce((total, { from, to }) => total + (to - from) / 1000, 0);
}

function overlaps(tenures: readonly Tenure[]): Overlap[] {
  return tenures.flatMap((one, index) =>
    tenures
      .slice(index + 1)
      .filter((other) => other.mac !== one.mac && other.from < one.to)
      .map((other) => ({ from: other.from, to: Math.min(one.to, other.to), macs: [one.mac, other.mac] })),
  );
}

/** A time in which one machine answered without a pause. */
interface Tenure {
  readonly mac: string;
  readonly from: number;
  to: number;
}

/** Ordered by their beginning. */
function tenuresIn(timeline: readonly Sighting[], counts = isAnswer, silence = SILENCE_MS): Tenure[] {
  const all: Tenure[] = [];
  const latest = new Map<string, Tenure>();
  for (const { mac, at } of timeline.filter(counts)) {
    const running = latest.get(mac);
    if (running && at - running.to <= silence) running.to = at;
    else {
      const tenure = { mac, from: at, to: at };
      latest.set(mac, tenure);
      all.push(tenure);
    }
  }
  return all;
}

function isAnswer(sighting: Sighting): boolean {
  return sighting.kind === 'answer';
}
