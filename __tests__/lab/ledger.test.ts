import { missingFrom, readLedger } from '../../lab/ledger';

const BOOT = '11111111-2222-3333-4444-555555555555';
const line = (sequence: number, host = 'node-a', started = '0.50') => `${sequence} ${host} ${BOOT} ${started} ${sequence}.50`;
const file = (...lines: string[]) => lines.map((text) => `${text}\n`).join('');

test('a file without damage: every line once, in order, over takeovers', () => {
  expect(readLedger(file(line(1), line(2), line(3, 'node-b'), line(4, 'node-a', '3.50')))).toMatchObject({ tenures: ['node-a', 'node-b', 'node-a'], damage: [] });
  expect(readLedger('')).toEqual({ lines: [], tenures: [], damage: [] });
});

test.each([
  ['a lost write', file(line(1), line(3)), 'line 2 of node-a is number 3, not 2'],
  ['two writers', file(line(1), line(2), line(2, 'node-b')), 'line 3 of node-b is number 2, not 3'],
  ['two writers that count on from each other', file(line(1), line(2, 'node-b'), line(3)), 'line 3: node-a writes on after node-b has begun'],
  ['a replayed write', file(line(1), line(2), line(3), line(2)), 'line 4 of node-a is number 2, not 4'],
  ['a torn write', `${file(line(1))}2 node-a 1111`, 'line 2 is torn: "2 node-a 1111"'],
  ['a hole of zeros', file(line(1), '\0\0\0'), 'line 2 is torn: "\\u0000\\u0000\\u0000"'],
])('%s', (_, text, damage) => {
  expect(readLedger(text).damage).toEqual([damage]);
});

test('a line that a node has written for good is there, or missing; of one that its own disk has torn, nothing is known', () => {
  const ledger = readLedger(file(line(1), line(3)));
  expect(missingFrom(ledger, `${file(line(1), line(2), line(3), '\0\0')}${line(4).slice(0, -1)}`)).toEqual([line(2)]);
});
