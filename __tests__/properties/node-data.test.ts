import { spawnSync } from 'child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, resolve } from 'path';
import fc from 'fast-check';
import { PairModel } from '../../lib/config/model';
import { encodeLiteral, nodeDataEntries, renderNodeData } from '../../lib/config/node-data';
import { checkAll } from '../../lib/rules';
import { pairs, pairWith } from './pairs';
import { hostile, oneIn, sample, wrong } from './support';

const SCRIPTS = resolve(__dirname, '../../scripts');
const model = pairWith([], 'hardened') as PairModel;
// The files are long, and what is in them plays no part here.
const meant = nodeDataEntries(model, model.primary, { GENERATION: '1', FILES: '0644 /etc/a dGV4dA==\n0755 /etc/b dGV4dA==' }, encodeLiteral);
const KEYS = meant.map(([key]) => key);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nim-ha-data-'));
  mkdirSync(join(directory, 'cwd'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What a script of bash prints, as texts that each end with a NUL. It runs where a file that a value makes would be seen. */
function bash(script: string, input: string): Buffer[] {
  const cwd = join(directory, 'cwd');
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `. "$0/node-data.sh"; . "$0/data.sh"\n${script}`, SCRIPTS], { cwd, input, maxBuffer: 2 ** 30 });
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
  expect(spawnSync('ls', ['-A', cwd], { encoding: 'utf8' }).stdout).toBe('');
  const parts: Buffer[] = [];
  for (let at = 0, end; (end = stdout.indexOf(0, at)) >= 0; at = end + 1) parts.push(stdout.subarray(at, end));
  return parts;
}

/** Writes the lines of each `node.data` into a file of its own. */
function written(all: Array<Array<[string, string]>>): string[] {
  return all.map((entries, index) => {
    const file = join(directory, String(index));
    writeFileSync(file, renderNodeData(entries, encodeLiteral));
    return file;
  });
}

const LOAD = `while IFS= read -r file; do
  load_data "$file"
  for key in ${KEYS.join(' ')}; do
    if [[ -n \${bad[$key]-} ]]; then printf 'bad\\0'; else printf '=%s\\0' "\${data[$key]}"; fi
  done
done`;

/** Of each key: its value, with a "=" before it, or "bad". */
function load(files: string[]): Buffer[][] {
  const parts = bash(LOAD, `${files.join('\n')}\n`);
  expect(parts).toHaveLength(files.length * KEYS.length);
  return files.map((_, index) => parts.slice(index * KEYS.length, (index + 1) * KEYS.length));
}

const isAsMeant = (got: Buffer, value: string): boolean => got.equals(Buffer.from(`=${value}`));
const isPlain = (key: string, value: string): boolean => ['FSTAB', 'FILES', 'FENCE_HOST_KEYS'].includes(key) || /^[A-Za-z0-9 ._@:=,/+-]*$/.test(value);

test('each value arrives byte for byte where a step reads it, or is refused', () => {
  const file = fc.tuple(...meant.map(([key, value]) => hostile(value).map((text): [string, string] => [key, text])));
  const all = sample('node.data', file, Math.ceil(oneIn(4) / KEYS.length));
  const got = load(written(all)).flatMap((values, index) => values.map((value, at) => ({ key: KEYS[at], value, meant: all[index][at][1] })));
  expect(wrong(got, ({ key, value, meant: text }) => String(value) !== 'bad' && !(isAsMeant(value, text) && isPlain(key, text)))).toEqual([]);
  // A NUL ends values, so no value of such a file counts.
  const withNul = new Set(all.flatMap((entries, index) => (entries.some(([, text]) => text.includes('\0')) ? [index] : [])));
  expect(withNul.size).toBeGreaterThan(0);
  expect(wrong(got, ({ value }, index) => withNul.has(Math.floor(index / KEYS.length)) && String(value) !== 'bad')).toEqual([]);
  // What is meant to pass does.
  expect(got.filter(({ value }) => String(value) !== 'bad').length).toBeGreaterThan(got.length / 5);
});

test('what the rules let pass arrives, whole', () => {
  const accepted = sample('pairs to nodes', pairs, Math.ceil(oneIn(5) / KEYS.length)).filter((pair) => checkAll(pair).length === 0) as PairModel[];
  expect(accepted.length).toBeGreaterThan(20);
  const all = accepted.map((pair) => nodeDataEntries(pair, pair.primary, { GENERATION: '1' }, encodeLiteral));
  const texts = all.map((entries) => new Map(entries));
  const got = load(written(all)).flatMap((values, index) => values.map((value, at) => ({ value: String(value), meant: `=${texts[index].get(KEYS[at]) ?? ''}` })));
  expect(wrong(got, ({ value, meant: text }) => value !== text)).toEqual([]);
});

// A value is a file here, for $(...) would leave out a newline at its end.
const ASK = `index=0; value=../value
while read -r key; do
  if node_value "$key" "../$index" 2>/dev/null >"$value"; then printf =; cat "$value"; else printf bad; fi
  printf '\\0'
  index=$((index + 1))
done`;

test('each value arrives byte for byte where one is asked for, or is refused', () => {
  const one = fc.constantFrom(...meant).chain(([key, value]) => hostile(value).map((text): [string, string] => [key, text]));
  const all = sample('node_value', one, oneIn(20));
  written(all.map((entry) => [entry]));
  const parts = bash(ASK, all.map(([key]) => `${key}\n`).join(''));
  expect(parts).toHaveLength(all.length);
  expect(wrong(all, ([key, text], index) => String(parts[index]) !== 'bad' && !(isAsMeant(parts[index], text) && isPlain(key, text)))).toEqual([]);
  expect(parts.filter((part) => String(part) !== 'bad').length).toBeGreaterThan(parts.length / 5);
});
