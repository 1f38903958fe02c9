import * as fs from 'node:fs';
import * as path from 'node:path';
import { comparisonOf, fencingComparisonOf, linesOf, parseLines, runsOf, tablesOf } from '../../lab/record';
import { outcome, timing } from './outcome';

const read = (file: string): string => fs.readFileSync(path.resolve(__dirname, '../..', file), 'utf8');
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

test('the tables in the docs are those of the recorded runs', () => {
  const runs = parseLines(read('docs/faults.jsonl'));
  expect(read('docs/faults.md')).toContain(tablesOf(runs));
  expect(read('docs/faults.md')).toContain(fencingComparisonOf(runs));
  expect(read('README.md')).toContain(comparisonOf(runs));
});
