import { spawnSync } from 'child_process';
import { mkdtempSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { find, pair, stack, synth } from '../fixture';

/** Runs the command that Terraform would run. */
function digest(env: { [name: string]: string }, keyFile = ''): string {
  const scope = stack();
  pair(scope);
  const { command, arguments: args } = find(synth(scope).data.local_command, 'NimHa_digest');
  const [flag, script, name, password, key] = args.map((text: string) => text.replace(/\$\$\{/g, '${'));
  const run = spawnSync(command, [flag, script, name, password, keyFile ? '' : key, keyFile], { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' });
  expect(run.status).toBe(0);
  return run.stdout.trim();
}

test('changes with the password and with the key, and with nothing else', () => {
  const one = digest({ TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: 'k' });
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(digest({ TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: 'k', OTHER: 'x' })).toBe(one);
  expect(digest({ TF_VAR_auth_pass: 'two', TF_VAR_ssh_private_key: 'k' })).not.toBe(one);
  expect(digest({ TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: 'l' })).not.toBe(one);
});

test('a key with and without its last line break is one', () => {
  expect(digest({ TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: 'k\n' })).toBe(digest({ TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: 'k' }));
  expect(digest({ TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: 'k\nl' })).not.toBe(digest({ TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: 'kl' }));
});

test('reads a key file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'nim-ha-key-')), 'a key');
  const of = (key: string): string => {
    writeFileSync(file, key);
    return digest({ TF_VAR_auth_pass: 'one' }, file);
  };
  expect(of('k')).not.toBe(of('l'));
});

const UNNOTICED = 'a changed password is not noticed:';

test.each([
  ['TF_VAR_auth_pass', {}],
  ['TF_VAR_auth_pass', { TF_VAR_ssh_private_key: 'k' }],
  ['TF_VAR_ssh_private_key', { TF_VAR_auth_pass: 'one' }],
  ['TF_VAR_auth_pass', { TF_VAR_auth_pass: '', TF_VAR_ssh_private_key: 'k' }],
  ['TF_VAR_ssh_private_key', { TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: '' }],
  ['TF_VAR_ssh_private_key', { TF_VAR_auth_pass: 'one', TF_VAR_ssh_private_key: ' \n' }],
])('is no error where %s is given in another way, or empty, and the plan tells', (name, env) => {
  expect(digest(env)).toBe(`${UNNOTICED} ${name} is not in the environment, or empty`);
});

test('beside a key file that is empty, or not there, no hash of the password is taken', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nim-ha-key-'));
  const file = join(directory, 'empty');
  writeFileSync(file, '\n');
  for (const path of [file, join(directory, 'none'), directory]) {
    expect(digest({ TF_VAR_auth_pass: 'one' }, path)).toBe(`${UNNOTICED} ${path} cannot be read, or is empty`);
  }
});
