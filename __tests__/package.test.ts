import { execFileSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, isAbsolute, join } from 'path';
import { BUILD_TIMEOUT, builtLibrary, root } from './built-library';
import { ED25519_A, ED25519_B, find } from './fixture';

const project = mkdtempSync(join(tmpdir(), 'project-'));
const packed: string[] = [];

/** The program of somebody who has the package, with one pair: `node program.js LIBRARY OUTDIR`. */
const program = `
const { App, TerraformStack, TerraformVariable } = require('cdktf');
const { NullProvider } = require('@cdktf/provider-null/lib/provider');
const { LocalProvider } = require('@cdktf/provider-local/lib/provider');
const { NfsShare, NimHaPair, SshAccess, VirtualIp } = require(process.argv[2]);
const app = new App({ outdir: process.argv[3] });
const stack = new TerraformStack(app, 'nim');
new NullProvider(stack, 'null');
new LocalProvider(stack, 'local');
const secret = (name) => new TerraformVariable(stack, name, { type: 'string', sensitive: true }).stringValue;
new NimHaPair(stack, 'NimHa', {
  primary: { host: '192.0.2.11', networkInterface: 'ens32', hostKeys: ['${ED25519_A}'] },
  secondary: { host: '192.0.2.12', networkInterface: 'ens32', hostKeys: ['${ED25519_B}'] },
  ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: secret('ssh_private_key') }),
  virtualIp: new VirtualIp(stack, 'VirtualIp', { address: '192.0.2.100', authPass: secret('auth_pass') }),
  nfsShare: new NfsShare(stack, 'NfsShare', { server: '192.0.2.13' }),
});
app.synth();
`;

function synthesise(library: string, ...nodeOptions: string[]): string {
  const out = mkdtempSync(join(tmpdir(), 'out-'));
  // Nothing is on the PATH, so no Terraform is either.
  const env = { PATH: '', TMPDIR: tmpdir(), TS_NODE_PROJECT: join(root, 'tsconfig.json') };
  execFileSync(process.execPath, [...nodeOptions, 'program.js', library, out], { cwd: project, env, stdio: 'pipe' });
  return join(out, 'stacks', 'nim');
}

beforeAll(() => {
  const built = builtLibrary();
  execFileSync('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', project], { cwd: built, stdio: 'pipe' });
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz'))!;
  const names = execFileSync('tar', ['-xzvf', tarball], { cwd: project, encoding: 'utf8' });
  packed.push(...names.trim().split('\n').map((name) => name.replace(/^package\//, '')));

  // What `npm install` makes of it, but without a registry: the package unpacked, and beside it its peers and nothing else, so
  // that a dependency which package.json does not declare is not found.
  cpSync(join(project, 'package'), join(project, 'node_modules', 'cdktf-nim-ha'), { recursive: true });
  const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(peerDependencies)) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  writeFileSync(join(project, 'program.js'), program);
}, BUILD_TIMEOUT);

test('the package holds what runs and what one reads, and no tests, no lab, no TypeScript', () => {
  const folders = new Set(packed.map((path) => path.split('/')[0]));
  expect([...folders].sort()).toEqual(['.jsii', 'API.md', 'CHANGELOG.md', 'LICENSE', 'LIMITATIONS.md', 'README.md', 'build', 'package.json', 'scripts']);
  expect(packed.filter((path) => /\.ts$/.test(path) && !path.endsWith('.d.ts'))).toEqual([]);
  expect(packed.filter((path) => /test|\blab\b|tsbuildinfo/.test(path))).toEqual([]);
  expect(packed).toEqual(expect.arrayContaining(['scripts/run-step.sh', 'scripts/operator/ssh-node.sh', 'scripts/units/nim-ha-agent.service']));
});

test('the oldest bindings that a project may have know data.local_command', () => {
  // It came with version 2.6.0 of the provider; the bindings 11.0.0 are of 2.5.3.
  expect(JSON.parse(readFileSync(join(project, 'package', 'package.json'), 'utf8')).peerDependencies['@cdktf/provider-local']).toBe('^11.1.0');
});

test('a pair that is synthesised from it is, byte for byte, the one from source', () => {
  const installed = synthesise('cdktf-nim-ha');
  // The same program and the same peers; only the library is compiled on the fly.
  const source = synthesise(join(root, 'lib', 'index.ts'), '-r', join(root, 'node_modules', 'ts-node', 'register', 'transpile-only'));
  const text = readFileSync(join(installed, 'cdk.tf.json'), 'utf8');
  expect(text).toBe(readFileSync(join(source, 'cdk.tf.json'), 'utf8'));

  const { inline } = find(JSON.parse(text).resource.null_resource, 'NimHa_primary_preflight').provisioner[0]['remote-exec'];
  const bundle = /\$\{file\("([^"]+)"\)\}/.exec(inline[0])![1];
  expect(isAbsolute(bundle)).toBe(false);
  expect(readFileSync(join(installed, bundle), 'utf8')).toBe(readFileSync(join(source, bundle), 'utf8'));
  expect(readFileSync(join(installed, bundle), 'utf8')).toContain(' run-step.sh ');
  expect(existsSync(join(project, 'node_modules', 'typescript'))).toBe(false);
});
