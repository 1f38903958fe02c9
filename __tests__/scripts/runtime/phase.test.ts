import { readFileSync } from 'fs';
import { join } from 'path';
import { root } from '../../built-library';
import { StandInNode } from './node';

/** previous, wish, lock, populated, services, fault, maintenance, seconds of starting => phase */
const TABLE: [string, string, string, string, string, string, string, number, string][] = [
  ['STANDBY', 'no', 'no', 'no', 'down', 'none', 'no', 0, 'STANDBY'],
  ['STANDBY', 'no', 'no', 'no', 'down', 'hold-down', 'no', 0, 'STANDBY'],
  ['STANDBY', 'no', 'no', 'no', 'down', 'none', 'yes', 0, 'MAINTENANCE'],
  ['STANDBY', 'yes', 'no', 'no', 'down', 'none', 'no', 0, 'WAITING'],
  ['WAITING', 'yes', 'no', 'no', 'down', 'none', 'no', 9999, 'WAITING'],
  ['WAITING', 'yes', 'yes', 'no', 'down', 'none', 'no', 0, 'STARTING'],
  ['WAITING', 'no', 'no', 'no', 'down', 'none', 'no', 0, 'STANDBY'],
  ['STARTING', 'yes', 'yes', 'yes', 'changing', 'none', 'no', 10, 'STARTING'],
  ['STARTING', 'yes', 'yes', 'yes', 'down', 'none', 'no', 10, 'STARTING'],
  ['STARTING', 'yes', 'yes', 'yes', 'down', 'none', 'no', 101, 'FAILED'],
  ['STARTING', 'yes', 'yes', 'yes', 'active', 'none', 'no', 10, 'ACTIVE'],
  ['ACTIVE', 'yes', 'yes', 'yes', 'active', 'none', 'no', 0, 'ACTIVE'],
  ['ACTIVE', 'yes', 'yes', 'yes', 'changing', 'none', 'no', 0, 'STARTING'],
  ['ACTIVE', 'yes', 'yes', 'yes', 'down', 'none', 'no', 0, 'FAILED'],
  ['ACTIVE', 'yes', 'no', 'yes', 'down', 'none', 'no', 0, 'WAITING'],
  ['FAILED', 'yes', 'yes', 'yes', 'active', 'hold-down', 'no', 0, 'FAILED'],
  ['FAILED', 'no', 'yes', 'yes', 'down', 'hold-down', 'no', 0, 'DRAINING'],
  ['ACTIVE', 'no', 'yes', 'yes', 'active', 'none', 'no', 0, 'DRAINING'],
  ['DRAINING', 'no', 'no', 'yes', 'down', 'none', 'no', 0, 'DRAINING'],
  ['DRAINING', 'no', 'yes', 'no', 'down', 'none', 'no', 0, 'DRAINING'],
  ['DRAINING', 'no', 'no', 'no', 'down', 'none', 'no', 0, 'STANDBY'],
  ['DRAINING', 'no', 'no', 'no', 'down', 'none', 'yes', 0, 'MAINTENANCE'],
];

describe('phase.sh: the state machine of ARCHITECTURE.md', () => {
  const node = new StandInNode();
  afterAll(() => node.destroy());

  test.each(TABLE)('%s with wish=%s lock=%s populated=%s services=%s fault=%s maintenance=%s after %d s is %s', (...row) => {
    const expected = row[8];
    const args = [...row.slice(0, 7), String(row[7]), '100'] as string[];
    const next = (cutOff: string, fenced: string) => node.bash('. ./phase.sh; next_phase "$@"; echo "$phase"', ...args, cutOff, fenced).stdout.trim();
    expect(next('no', 'no')).toBe(expected);
    // Cut off from the share, or denied it, nothing else counts.
    expect(next('yes', 'no')).toBe('ISOLATED');
    expect(next('no', 'yes')).toBe('FENCED');
    expect(next('yes', 'yes')).toBe(row[2] === 'yes' ? 'ISOLATED' : 'FENCED');
  });
});

describe('each phase that a node can be in has its name wherever they are listed', () => {
  const text = (file: string): string => readFileSync(join(root, file), 'utf8');
  const phases = [...new Set([...text('scripts/phase.sh').matchAll(/\bphase=([A-Z]+)$/gm)].map(([, name]) => name))].sort();

  test.each([
    ['README.md', /^\| `phase` \|(.*)\|$/m, ['UNKNOWN']],
    ['lib/observed-state.ts', /\/\*\*(.*)\*\/\n {2}public get phase\(\)/, ['UNKNOWN']],
    // Of a node that does not answer there are no metrics.
    ['scripts/metrics.sh', /^phases=\((.*)\)$/m, []],
  ])('%s', (file, list, more) => {
    const named = [...list.exec(text(file))![1].matchAll(/\b[A-Z]{5,}\b/g)].map(([name]) => name);
    expect(named.sort()).toEqual([...phases, ...more].sort());
  });
});
