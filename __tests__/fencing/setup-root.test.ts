import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { askingSudo, SUDO_PASSWORD } from '../scripts/support/asking-sudo';
import { handOver, NOBODY, plantTree, writeInTree } from './nobody';

const SCRIPTS = path.join(__dirname, '..', '..', 'scripts', 'server');
const FILE = `up/secret/${createHash('sha256').update('pair').digest('hex')}`;
const LECTURE = 'echo "We trust you have received the usual lecture" >&2';

let root: string;
beforeEach(() => {
  root = plantTree('nim-ha-root-');
  // In place of setup.sh, which would need a root that this is not.
  writeInTree(root, 'up/pair/scripts/setup.sh', 'echo "as root: $*"; cat\n');
  writeInTree(root, 'expected', `${SUDO_PASSWORD}\n`);
  writeInTree(root, 'calls', '');
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const standIn = (name: string, body: string): void => writeInTree(root, `bin/${name}`, `#!/bin/bash\nprintf '%s\\n' "$*" >>"$OUT/calls"\n${body}\n`, 0o755);
const read = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');
const bring = (password: string): void => writeInTree(root, FILE, `${Buffer.from(password).toString('base64')}\n`, 0o600);

/** As a deploy calls it: from the directory of the pair, with the settings on stdin. */
function becomeRoot(verb = 'install', input = 'EXPORT=/a\n\nNODE=b\n'): { code: number | null; out: string } {
  handOver(root);
  const program = `set -u; root= lib=scripts verb=${verb} pair=pair; . "$SCRIPTS/setup-report.sh"; . "$SCRIPTS/setup-root.sh"; become_root ${verb} pair; echo "still here"`;
  const env = { PATH: `${root}/bin:${process.env.PATH}`, OUT: root, SCRIPTS };
  const run = spawnSync('setsid', ['bash', '-c', program], { cwd: path.join(root, 'up/pair'), env, input, encoding: 'utf8', timeout: 20_000, ...NOBODY });
  return { code: run.status, out: run.stdout };
}

const SUDO = askingSudo('-S -p ', 3);

test.each(SUDO.ways)('the settings are all that setup.sh reads, and the password does not stay: sudo asks %s', (_, sudo) => {
  standIn('sudo', sudo);
  bring(SUDO_PASSWORD);
  expect(becomeRoot()).toEqual({ code: 0, out: 'as root: install pair\nEXPORT=/a\n\nNODE=b\n' });
  expect(read(FILE)).toBe('');
  expect(read('calls')).not.toContain(SUDO_PASSWORD);
});

test('without a password it asks for none, and hands on what it got', () => {
  standIn('sudo', '[[ $1 == -n ]] || exit 1; shift; exec "$@"');
  expect(becomeRoot()).toEqual({ code: 0, out: 'as root: install pair\nEXPORT=/a\n\nNODE=b\n' });
});

test.each<[string, () => void, string]>([
  ['sudo asks, and there is no password', () => standIn('sudo', `${LECTURE}; echo "sudo: a password is required" >&2; exit 1`), 'sudo without a password for nobody, got sudo: a password is required, expected rc 0 of: sudo -n true; allow it in sudoers'],
  ['the password is a wrong one', () => (standIn('sudo', SUDO.eachTime), bring('no')), 'sudo with sudoPassword for nobody, got sudo: 1 incorrect password attempt, expected that it takes it; correct the password'],
])('%s: refused, with what sudo says, and asked once', (_, make, says) => {
  make();
  standIn('id', 'echo nobody');
  const { code, out } = becomeRoot();
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(`FAILED [fencing/root]: ${says}`) });
  expect(out).toMatch(/changed so far: nothing\n$/);
  expect(read('calls').match(/ true$/gm)).toHaveLength(1);
  if (fs.existsSync(path.join(root, FILE))) expect(read(FILE)).toBe('');
});
