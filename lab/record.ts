import type { Outcome } from './outcome';
import { rowsOf, type Report } from './report';
import { comparisonTable, faultTable } from './tables';

/** What came of one fault, without how it went: a line of docs/faults.jsonl. */
export interface Run extends Pick<Outcome, 'fault' | 'what' | 'active' | 'bound' | 'vipAway' | 'writesAway' | 'twoHolders' | 'findings' | 'expected'> {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly profile: string;
  readonly fencing?: true;
  readonly lease: number;
  readonly holdDown: number;
  readonly accel: string;
  /** Not in the oldest lines. */
  readonly start?: number;
}

export function runsOf({ outcomes, profile, timing: { fencing, lease, holdDown }, accel }: Report): Run[] {
  const hundredths = (value: number): number => Math.round(value * 100) / 100;
  return outcomes.map(({ fault, what, active, from, bound, start, vipAway, writesAway, twoHolders, findings, expected }) => ({
    at: new Date(from).toISOString(), profile, ...(fencing && { fencing }), lease, holdDown, accel, fault, what, active,
    bound: { vip: hundredths(bound.vip), writes: hundredths(bound.writes) }, start: hundredths(start),
    vipAway: hundredths(vipAway), writesAway: hundredths(writesAway), twoHolders: hundredths(twoHolders), findings, expected,
  }));
}

/** JSON Lines. */
export const linesOf = (runs: readonly Run[]): string => runs.map((run) => `${JSON.stringify(run)}\n`).join('');
export const parseLines = (text: string): Run[] => text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Run);

/** Markdown: one table for each profile and pair of timings, in the order in which they first came. */
export function tablesOf(runs: readonly Run[]): string {
  const setting = ({ profile, fencing, lease, holdDown }: Run): string => `Profile ${profile}${fencing ? ' with fencing' : ''}, lease ${lease} s, hold-down ${holdDown} s`;
  return [...new Set(runs.map(setting))]
    .map((heading) => {
      const these = runs.filter((run) => setting(run) === heading);
      const failed = these.filter(({ findings }) => findings.length > 0).length;
      return `## ${heading}\n\n${these.length} runs, ${failed} audits failed.\n\n${faultTable(rowsOf(these))}`;
    })
    .join('\n');
}

/** Markdown: the faults that both profiles have been through, side by side. */
export function comparisonOf(runs: readonly Run[]): string {
  return sideBySide('GUIDE / HARDENED', runs.filter(({ profile, fencing }) => profile === 'guide' && !fencing), runs.filter(({ profile, fencing }) => profile === 'hardened' && !fencing));
}

/** The same of pairs without and with fencing, whatever the lease was: with it nothing waits for that. */
export function fencingComparisonOf(runs: readonly Run[]): string {
  const guide = runs.filter(({ profile }) => profile === 'guide');
  return sideBySide('without / with fencing', guide.filter(({ fencing }) => !fencing), guide.filter(({ fencing }) => fencing));
}

function sideBySide(settings: string, one: readonly Run[], other: readonly Run[]): string {
  const others = new Map(rowsOf(other).map((row) => [row.fault, row]));
  return comparisonTable(settings, rowsOf(one).flatMap((row) => (others.has(row.fault) ? [[row, others.get(row.fault)!] as const] : [])));
}
