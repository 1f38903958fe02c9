import { spawnSync } from 'child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { isIPv6 } from 'net';
import { tmpdir } from 'os';
import { join, resolve } from 'path';
import fc from 'fast-check';
import { renderFstab } from '../../lib/config/fstab';
import { PairModel } from '../../lib/config/model';
import { checkAll } from '../../lib/rules';
import { guidePair } from '../config/pairs';
import { pairs } from './pairs';
import { hostile, holds, must, oneIn, sample, wrong } from './support';

const SCRIPTS = resolve(__dirname, '../../scripts');
const POINTS = ['/var/lib/clickhouse', '/var/lib/nms'];

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'nim-ha-fstab-'))));
afterEach(() => rmSync(directory, { recursive: true }));

/** fstab(5): fields between blanks, in which \ and three octal digits are a character. */
function fields(line: string): string[] {
  const plain = (text: string): string => text.replace(/\\([0-3][0-7]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
  return line.split(/[ \t]+/).filter((field) => field !== '').map(plain);
}

interface Entry {
  source: string;
  target: string;
  fstype: string;
  options: string | null;
  freq: number;
  passno: number;
}

/** What libmount, by which mount and systemd read the file, makes of it. */
function libmount(text: string): Entry[] {
  const file = join(directory, 'for-libmount');
  writeFileSync(file, text, 'latin1');
  const { stdout } = spawnSync('findmnt', ['--tab-file', file, '--json', '--output', 'SOURCE,TARGET,FSTYPE,OPTIONS,FREQ,PASSNO'], { encoding: 'latin1', maxBuffer: 2 ** 28 });
  return stdout === '' ? [] : JSON.parse(stdout).filesystems;
}

/** The six fields that are meant by a pair. */
function meant({ nfs: { server, exportPath, fstabOptions } }: PairModel): Entry[] {
  const host = isIPv6(server) ? `[${server}]` : server;
  return POINTS.map((target) => ({
    source: `${host}:${exportPath === '/' ? '' : exportPath}/${target.slice('/var/lib/'.length)}`,
    target,
    fstype: 'nfs',
    options: fstabOptions,
    freq: 0,
    passno: 0,
  }));
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

test('what the rules let pass is two lines, with the six fields that were meant', () => {
  const accepted: PairModel[] = [];
  holds('fstab', pairs, (input) => {
    if (checkAll(input).length > 0) return;
    const pair = input as PairModel;
    const lines = renderFstab(pair).map(fields);
    const expected = meant(pair).map(Object.values).map((values) => values.map(String));
    must(same(lines, expected), 'other fields', { lines, expected });
    accepted.push(pair);
  });
  expect(accepted.length).toBeGreaterThan(1000);
  expect(wrong(libmount(accepted.flatMap(renderFstab).map((line) => `${line}\n`).join('')), (entry, index) => !same(entry, meant(accepted[index >> 1])[index % 2]))).toEqual([]);
});

/** A script's functions, without what it does at its end. */
function functionsOf(script: string): string {
  for (const name of [script, 'paths.sh']) copyFileSync(join(SCRIPTS, name), join(directory, name));
  const file = join(directory, script);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^case "\$\{[^]*/m, ''));
  return file;
}

test('lines of values that only Terraform knows are read by a node as they were meant, or refused', () => {
  const text = (...valid: string[]) => hostile(...valid).filter((value) => !value.includes('\0'));
  const options = fc.record({ server: text('192.0.2.13', 'nfs', '2001:db8::1'), exportPath: text('/mnt/nfs_share', '/', '/a/b'), fstabOptions: text('defaults', 'nofail,x-systemd.requires=a'), end: fc.oneof({ arbitrary: fc.constant(''), weight: 9 }, { arbitrary: text(''), weight: 1 }) });
  const values = sample('lines of a fstab', options);
  const all = values.map(({ server, exportPath, fstabOptions }) => guidePair({ nfs: { server, exportPath, fstabOptions, mountOptions: [] } }));
  const texts = all.map((pair, index) => renderFstab(pair).join('\n') + values[index].end);
  const script = `. "$0"
while IFS= read -r -d '' text; do
  wanted=() wanted_points=()
  if read_wanted <<<"$text" 2>/dev/null; then printf '%s\\n%s\\0' "\${wanted[@]}"; else printf '\\0'; fi
done`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, functionsOf('fstab.sh')], {
    cwd: directory,
    env: { ...process.env, NIM_HA_ROOT: join(directory, 'root') },
    input: texts.map((each) => `${each}\0`).join(''),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect(stderr).toBe('');
  const answers = stdout.split('\0').slice(0, -1);
  expect(answers).toHaveLength(all.length);
  const accepted = all.map((pair, index) => ({ pair, lines: answers[index], text: texts[index] })).filter(({ lines }) => lines !== '');
  expect(accepted.length).toBeGreaterThan(300);
  expect(wrong(accepted, ({ lines, text: wanted }) => lines !== wanted)).toEqual([]);
  const entries = libmount(accepted.map(({ lines }) => `${lines}\n`).join(''));
  expect(entries).toHaveLength(2 * accepted.length);
  expect(wrong(accepted, ({ pair }, index) => !same(entries.slice(2 * index, 2 * index + 2), meant(pair)))).toEqual([]);
  expect(existsSync(join(directory, 'pwned'))).toBe(false);
});

/** A mount point as mount compares it. */
const plainPoint = (text: string): string => `${text}/`.replace(/\/(\.?\/)+/g, '/').replace(/(.)\/$/, '$1');

describe('the file of a node', () => {
  const bytes = (text: string): string => Buffer.from(text).toString('latin1');
  const OURS = renderFstab(guidePair());
  const spelling = fc.constantFrom('/var/lib/nms', '/var/lib/clickhouse/', '/var/lib//nms', '/var/lib/n\\155s', '/var/lib/./nms', '/var/lib/nms2', '/var/lib', '/', '/var/lib/\\134nms');
  const field = hostile('/dev/sda1', 'LABEL=root', 'ext4', 'defaults');
  const line = fc
    .oneof(
      { arbitrary: fc.tuple(field, spelling, field, fc.constantFrom(' ', '\t', '  \t')).map(([source, target, type, blank]) => [source, target, type, 'defaults', '0', '2'].join(blank)), weight: 4 },
      { arbitrary: hostile('/dev/sda1 / ext4 defaults 0 1', '# /dev/sdb /var/lib/nms ext4', '  tmpfs\t/tmp tmpfs defaults', ''), weight: 4 },
      { arbitrary: fc.constantFrom(...OURS), weight: 1 },
      { arbitrary: fc.constantFrom('\u00ff', '\u0080 /var/lib/nms x'), weight: 1 },
    )
    .map(bytes);
  // A NUL makes all of a file odd: seldom.
  const content = fc.tuple(fc.array(line, { minLength: 15, maxLength: 30 }), fc.constantFrom('\n', ''), fc.boolean(), fc.nat(15)).map(([lines, end, crlf, withNul]) => {
    // With a carriage return behind it a line of ours is an edited one, and goes; the preflight does not let it come to that where it is theirs.
    const text = (crlf ? lines.filter((each) => !OURS.includes(each)) : lines).join(crlf ? '\r\n' : '\n') + end;
    return withNul === 0 ? text : text.replaceAll('\0', '');
  });
  const SCRIPT = `IFS= read -r -d '' wanted
for root in "$@"; do
  export NIM_HA_ROOT="$root"
  for verb in foreign apply check remove; do
    bash "$0" "$verb" <<<"$wanted" >"$root/$verb.out" 2>"$root/$verb.error"
    echo "$?" >"$root/$verb.code"
    cp "$root/etc/fstab" "$root/$verb.fstab"
  done
done`;

  test('keeps each byte of others, what is in our place is found in every spelling, and a removal leaves no trace', () => {
    const all = sample('fstab of a node', content, Math.ceil(oneIn(10) / 20));
    const roots = all.map((text, index) => {
      const root = join(directory, String(index));
      mkdirSync(join(root, 'etc'), { recursive: true });
      writeFileSync(join(root, 'etc/fstab'), text, 'latin1');
      return root;
    });
    const { status, stderr } = spawnSync('bash', ['-c', SCRIPT, join(SCRIPTS, 'fstab.sh'), ...roots], { cwd: directory, input: `${OURS.join('\n')}\0`, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const found = all.map((before, index) => {
      const read = (name: string): string => readFileSync(join(roots[index], name), 'latin1');
      const verbs = ['foreign', 'apply', 'check', 'remove'];
      return { before, codes: verbs.map((verb) => read(`${verb}.code`).trim()), foreign: read('foreign.out'), applied: read('apply.fstab'), removed: read('remove.fstab'), errors: verbs.map((verb) => read(`${verb}.error`)).join('') };
    });
    expect(wrong(found, ({ before, removed }) => before !== removed)).toEqual([]);
    const [odd, plain] = [true, false].map((nul) => found.filter(({ before }) => before.includes('\0') === nul));
    expect(wrong(odd, ({ codes, errors }) => String(codes) !== '2,2,2,2' || !errors.includes('has a NUL in it'))).toEqual([]);
    expect(wrong(plain, ({ codes, errors }) => String(codes) !== '0,0,0,0' || errors !== '')).toEqual([]);
    expect(wrong(plain, ({ before, applied }) => applied !== withOurs(before))).toEqual([]);
    expect(wrong(plain, ({ before, foreign }) => foreign !== foreignIn(before))).toEqual([]);
    // And libmount sees nothing in our places that we do not.
    const inOurPlace = (text: string): number => libmount(text).filter(({ target }) => POINTS.includes(plainPoint(target))).length;
    expect(wrong(plain, ({ before, foreign }) => inOurPlace(before) > foreign.split('\n').length - 1 + before.split('\n').filter((text) => OURS.includes(text)).length)).toEqual([]);
    expect(existsSync(join(directory, 'pwned'))).toBe(false);
  });

  function withOurs(before: string): string {
    const present = before.split('\n');
    const missing = OURS.filter((text) => !present.includes(text)).map((text) => `${text}\n`).join('');
    if (before === '' || before.endsWith('\n')) return before + missing;
    return missing === '' ? before : `${before}\n${missing}`.slice(0, -1);
  }

  function foreignIn(before: string): string {
    const lines = before.split('\n').filter((text) => !/^[ \t\r\v\f]*#/.test(text) && !OURS.includes(text));
    return lines.filter((text) => POINTS.includes(plainPoint(fields(text)[1] ?? ''))).map((text) => `${text}\n`).join('');
  }
});
