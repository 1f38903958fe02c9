import * as fs from 'node:fs';
import * as path from 'node:path';
import { FAULTS } from '../../lab/faults';
import { comparisonOf, fencingComparisonOf, linesOf, parseLines, runsOf, tablesOf } from '../../lab/record';
import { outcome, timing } from './outcome';

const read = (file: string): string => fs.readFileSync(path.resolve(__dirname, '../..', file), 'utf8');
const escaped = (words: string): string => words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const report = { command: '', seed: 7, profile: 'guide', timing, accel: 'tcg', skipped: 0, broken: [], outcomes: [outcome, { ...outcome, active: 'node-b' as const, vipAway: 0.714, findings: ['red'] }] };

test('a line for each fault, and the tables over them', () => {
  const runs = parseLines(linesOf(runsOf(report)));
  expect(runs).toHaveLength(2);
  expect(runs[1]).toMatchObject({ at: '1970-01-01T00:16:40.000Z', profile: 'guide', lease: 30, holdDown: 120, active: 'node-b', vipAway: 0.71, findings: ['red'] });
  expect(tablesOf(runs)).toContain('## Profile guide, lease 30 s, hold-down 120 s\n\n2 runs, 1 audits failed.\n');
  expect(tablesOf(runs)).toContain('| 1 + 1 | 1 | 0 | 0.60 / 0.66 / 0.71 | 0.57 | 8.00 / 8.00 / 8.00 | 30.0 | 0.00 |\n');
  expect(comparisonOf(runs).split('\n')).toHaveLength(3);
  expect(fencingComparisonOf(runs).split('\n')).toHaveLength(3);
  expect(fencingComparisonOf([...runs, { ...runs[0], fencing: true, lease: 90, writesAway: 3 }])).toContain('| 2 / 1 | 0.71 / 0.60 | 8.00 / 3.00 | 0.00 / 0.00 |\n');
  expect(comparisonOf([...runs, { ...runs[0], profile: 'hardened', vipAway: 3 }])).toContain('| 2 / 1 | 0.71 / 3.00 | 8.00 / 8.00 | 0.00 / 0.00 |\n');
});

describe('what the docs say of the recorded runs', () => {
  const runs = parseLines(read('docs/faults.jsonl'));
  const readme = read('README.md');

  test('the tables are those of the runs', () => {
    for (const tables of [tablesOf(runs), fencingComparisonOf(runs), comparisonOf(runs)]) expect(read('docs/faults.md')).toContain(tables);
  });

  test('the README has some rows of one of them', () => {
    const [head, line, ...rows] = comparisonOf(runs).trim().split('\n');
    const [, shown] = new RegExp(`^${escaped(head)}\\n${escaped(line)}\\n((?:\\|.*\\n)+)`, 'm').exec(readme)!;
    const some = shown.trim().split('\n');
    expect(some.length).toBeGreaterThan(2);
    expect(some.filter((row) => !rows.includes(row))).toEqual([]);
  });

  test('the README counts them', () => {
    const red = runs.filter(({ findings }) => findings.length > 0);
    expect(readme).toContain(`has ${runs.length} recorded runs of faults, on emulated machines. The audits after ${red.length} of them are red,`);
  });

  test('so does its table of the NFS server, and what it says of a share that moves', () => {
    const of = (name: string) => runs.filter(({ fault, profile, fencing, lease }) => fault === name && profile === 'guide' && !fencing && lease === 40).map(({ writesAway }) => writesAway);
    const digits = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
    const shown = [...readme.matchAll(/\(`(nfs-[a-z]+)`\) \| (\d+) \| ([\d. a-z]+) \|$/gm)].map(([, ...words]) => words);
    expect(shown.map(([name]) => name)).toEqual(['nfs-restarted', 'nfs-rebooted', 'nfs-stopped']);
    for (const [name, count, seconds] of shown) {
      const [best, worst] = [Math.min(...of(name)), Math.max(...of(name))].map(digits);
      expect([name, count, seconds]).toEqual([name, `${of(name).length}`, best === worst ? best : `${best} to ${worst}`]);
    }
    expect(readme).toContain(`In the lab no row was accepted for up to ${Math.round(Math.max(...of('change-share')))} s (\`change-share\``);
  });

  test('the number of faults is that of the list', () => {
    expect(read('docs/faults.md')).toContain(`\`npm run lab\` knows ${FAULTS.length} faults,`);
    expect(FAULTS.length).toBeGreaterThan(100);
  });
});
