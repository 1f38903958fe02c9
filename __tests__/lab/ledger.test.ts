import { readLedger } from '../../lab/ledger';

const BOOT = '11111111-2222-3333-4444-555555555555';
const line = (sequence: number, host = 'node-a') => `${sequence} ${host} ${BOOT} ${sequence}.50`;
const file = (...lines: string[]) => lines.map((text) => `${text}\n`).join('');

test('a file without damage: every line once, in order, over takeovers', () => {
  expect(readLedger(file(line(1), line(2), line(3, 'node-b'), line(4)))).toEqual({ lines: 4, tenures: ['node-a', 'node-b', 'node-a'], damage: [] });
  expect(readLedger('')).toEqual({ lines: 0, tenures: [], damage: [] });
});

test.each([
  ['a lost write', file(line(1), line(3)), 'line 2 of node-a is number 3, not 2'],
  ['two writers', file(line(1), line(2), line(2, 'node-b')), 'line 3 of node-b is number 2, not 3'],
  ['a replayed write', file(line(1), line(2, 'node-b'), line(3, 'node-b'), line(2)), 'line 4 of node-a is number 2, not 4'],
  ['a torn write', `${file(line(1))}2 node-a 1111`, 'line 2 is torn: "2 node-a 1111"'],
  ['a hole of zeros', file(line(1), '\0\0\0'), 'line 2 is torn: "\\u0000\\u0000\\u0000"'],
])('%s', (_, text, damage) => {
  expect(readLedger(text).damage).toEqual([damage]);
});
