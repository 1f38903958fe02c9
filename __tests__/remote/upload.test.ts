import { spawnSync } from 'child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { Testing } from 'cdktf';
import { SCRIPTS } from '../../lib/remote/script-bundle';
import { nullResource, pair, stack, synth } from '../fixture';

/** Does what Terraform does with the first block of a node, on a home directory of its own; the step itself is left out. */
class Home {
  public readonly path = mkdtempSync(join(tmpdir(), 'nim-ha-home-'));

  public upload(): void {
    const scope = stack();
    pair(scope);
    const out = Testing.fullSynth(scope);
    const { inline } = nullResource(synth(scope), 'NimHa_primary_preflight').provisioner[0]['remote-exec'];
    const script = inline[0]
      .replace(/^exec .*/m, '')
      .replace(/\$\{file\("(.*)"\)\}/, (_: string, file: string) => readFileSync(join(out, 'stacks', 'stack', file), 'utf8'));
    writeFileSync(join(this.path, '.nim-ha-4711.sh'), script);
    const run = spawnSync('bash', ['./.nim-ha-4711.sh'], { cwd: this.path, env: { ...process.env, HOME: this.path }, encoding: 'utf8' });
    expect([run.status, run.stderr]).toEqual([0, '']);
  }

  public files(directory = '.nim-ha'): string[] {
    return readdirSync(join(this.path, directory), { withFileTypes: true })
      .flatMap((entry) => (entry.isDirectory() ? this.files(join(directory, entry.name)) : [join(directory, entry.name)]))
      .sort();
  }

  public mode(file: string): string {
    return (statSync(join(this.path, file)).mode & 0o777).toString(8);
  }

  public text(file: string): string {
    return readFileSync(join(this.path, file), 'utf8');
  }
}

const home = new Home();
home.upload();

test('the scripts arrive byte for byte, but for those of the operator and the NFS server', () => {
  const scripts = home.files('.nim-ha/scripts').map((file) => file.slice('.nim-ha/scripts/'.length));
  expect(scripts).toContain('run-step.sh');
  expect(scripts).toContain('units/nim-ha-lock.service');
  expect(scripts.filter((file) => /^(operator|server)/.test(file))).toEqual([]);
  for (const file of scripts) expect(home.text(join('.nim-ha/scripts', file))).toBe(readFileSync(join(SCRIPTS, file), 'utf8'));
});

test('nobody but the user may read any of it', () => {
  expect(home.mode('.nim-ha')).toBe('700');
  expect(home.mode('.nim-ha/scripts/run-step.sh')).toBe('700');
  expect(home.mode('.nim-ha/node.data')).toBe('600');
  expect([home.mode('.nim-ha/secret/auth_pass'), home.text('.nim-ha/secret/auth_pass')]).toEqual(['600', '']);
});

test('node.data is one KEY=<base64> per line', () => {
  const lines = home.text('.nim-ha/node.data').trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^[A-Z_]+=[A-Za-z0-9+/]*={0,2}$/);
  const decode = (key: string): string => Buffer.from(lines.find((line) => line.startsWith(`${key}=`))!.slice(key.length + 1), 'base64').toString();
  expect([decode('HOST'), decode('PEER_HOST'), decode('GENERATION')]).toEqual(['192.0.2.11', '192.0.2.12', '1']);
});

test('what has arrived is on the disk before anything else is done, and a file in the place of the directory goes', () => {
  const scope = stack();
  pair(scope);
  const [text] = nullResource(synth(scope), 'NimHa_primary_preflight').provisioner[0]['remote-exec'].inline;
  expect(text).toMatch(/NIM_HA_END\nsync -f \.\ncd\nexec bash/);
  rmSync(join(home.path, '.nim-ha'), { recursive: true });
  writeFileSync(join(home.path, '.nim-ha'), 'AUTH_PASS=');
  home.upload();
  expect(home.mode('.nim-ha')).toBe('700');
});

test('an upload that was cut off is made good by the next, and what an earlier version left goes', () => {
  writeFileSync(join(home.path, '.nim-ha/scripts/run-step.sh'), 'half of');
  writeFileSync(join(home.path, '.nim-ha/scripts/run-step.sh.new'), 'half of');
  writeFileSync(join(home.path, '.nim-ha/scripts/gone.sh'), 'old');
  writeFileSync(join(home.path, '.nim-ha-1.sh'), 'left by Terraform');
  const before = home.files().filter((file) => !/gone|\.new$/.test(file));
  home.upload();
  expect(home.files()).toEqual(before);
  expect(home.text('.nim-ha/scripts/run-step.sh')).toBe(readFileSync(join(SCRIPTS, 'run-step.sh'), 'utf8'));
  expect(existsSync(join(home.path, '.nim-ha-1.sh'))).toBe(false);
});
