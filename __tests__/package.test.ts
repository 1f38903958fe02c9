import { execFileSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, isAbsolute, join, posix } from 'path';
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

const text = (path: string): string => readFileSync(join(project, 'package', path), 'utf8');

test('the package holds what runs and what one reads, and no tests, no code of the lab, no TypeScript', () => {
  const folders = new Set(packed.map((path) => path.split('/')[0]));
  const documents = ['API.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'LIMITATIONS.md', 'README.md', 'docs', 'lab'];
  expect([...folders].sort()).toEqual(['.jsii', 'build', 'config.schema.json', 'examples', 'package.json', 'scripts', ...documents].sort());
  expect(packed.filter((path) => /\.ts$/.test(path) && !path.endsWith('.d.ts'))).toEqual([]);
  expect(packed.filter((path) => /test|\blab\b|tsbuildinfo/.test(path))).toEqual(['lab/README.md']);
  expect(packed).toEqual(expect.arrayContaining(['scripts/run-step.sh', 'scripts/operator/ssh-node.sh', 'scripts/units/nim-ha-agent.service']));
});

test('what a document in it leads to is in it, too', () => {
  const links = packed
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => [...text(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => ({ path, target })))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
  expect(links).toContainEqual({ path: 'README.md', target: 'docs/troubleshooting.md' });
  const leadsTo = ({ path, target }: { path: string; target: string }): string => posix.join(posix.dirname(path), target);
  // One to a directory: examples/ci.
  expect(links.filter((link) => !packed.some((path) => path === leadsTo(link) || path.startsWith(`${leadsTo(link)}/`)))).toEqual([]);
  // npm leaves out some names that begin with a dot.
  expect(packed).toEqual(expect.arrayContaining(['examples/ci/.gitlab-ci.yml', 'examples/ci/.github/workflows/nim-ha.yml', 'examples/ci/steps/diff.sh']));
});

test('the oldest bindings that a project may have know data.local_command', () => {
  // It came with version 2.6.0 of the provider; the bindings 11.0.0 are of 2.5.3.
  expect(JSON.parse(text('package.json')).peerDependencies['@cdktf/provider-local']).toBe('^11.1.0');
});

test('a pair that is synthesised from it is, byte for byte, the one from source', () => {
  const installed = synthesise('cdktf-nim-ha');
  // The same program and the same peers; only the library is compiled on the fly.
  const source = synthesise(join(root, 'lib', 'index.ts'), '-r', join(root, 'node_modules', 'ts-node', 'register', 'transpile-only'));
  const json = readFileSync(join(installed, 'cdk.tf.json'), 'utf8');
  expect(json).toBe(readFileSync(join(source, 'cdk.tf.json'), 'utf8'));

  const { inline } = find(JSON.parse(json).resource.null_resource, 'NimHa_primary_preflight').provisioner[0]['remote-exec'];
  const bundle = /\$\{file\("([^"]+)"\)\}/.exec(inline[0])![1];
  expect(isAbsolute(bundle)).toBe(false);
  expect(readFileSync(join(installed, bundle), 'utf8')).toBe(readFileSync(join(source, bundle), 'utf8'));
  expect(readFileSync(join(installed, bundle), 'utf8')).toContain(' run-step.sh ');
  expect(existsSync(join(project, 'node_modules', 'typescript'))).toBe(false);
});
