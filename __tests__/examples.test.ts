import { spawnSync } from 'child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { TerraformStack, Testing } from 'cdktf';
import { PlatformStack } from '../examples/platform-stack/main';
import { TwoServers } from '../examples/two-servers/main';
import { find, secretVariables, synth } from './fixture';

const warnings = jest.spyOn(console, 'warn');

test('two-servers', () => {
  const tf = synth(new TwoServers(Testing.app(), 'two-servers'));
  expect(Object.keys(tf.output)).toEqual(['active_node', 'primary', 'secondary']);
  expect(Object.keys(tf.resource.null_resource)).toHaveLength(5);
  expect(secretVariables(tf)).toEqual([['auth_pass', true], ['ssh_private_key', true]]);
});

test('platform-stack', () => {
  const stack: TerraformStack = new PlatformStack(Testing.app(), 'platform');
  const tf = synth(stack);
  expect(find(tf.resource.null_resource, 'SomethingElse').depends_on).toEqual([
    expect.stringContaining('blue_NimHa_rollout'),
    expect.stringContaining('green_NimHa_rollout'),
  ]);
  expect(secretVariables(tf)).toEqual(['blue_auth_pass', 'blue_key', 'green_auth_pass', 'green_key'].map((name) => [name, true]));
  expect(find(tf.resource.terraform_data, 'blue_NimHa_identity').for_each).toBe('${toset(["primary", "secondary"])}');
});

describe('check.sh', () => {
  /** What it has run, with a compiler that ends so. */
  const check = (compiler: number, ...files: string[]): { status: number | null; called: string[] } => {
    const directory = mkdtempSync(join(tmpdir(), 'nim-ha-check-'));
    const npx = join(directory, 'npx');
    writeFileSync(npx, `#!/bin/sh\necho "$*" >> ${directory}/called\ntest "$1" != tsc || exit ${compiler}\n`);
    chmodSync(npx, 0o755);
    for (const file of files) writeFileSync(join(directory, file), '{}');
    const script = join(__dirname, '..', 'examples', 'ci', 'steps', 'check.sh');
    const { status } = spawnSync('bash', [script, '--output', 'out'], { cwd: directory, env: { PATH: `${directory}:${process.env.PATH}` } });
    return { status, called: readFileSync(join(directory, 'called'), 'utf8').trim().split('\n') };
  };

  test('has the compiler look at the program before cdktf runs it, which does not', () => {
    expect(check(0, 'tsconfig.json')).toEqual({ status: 0, called: ['tsc --noEmit', 'cdktf synth --output out'] });
    expect(check(2, 'tsconfig.json')).toEqual({ status: 2, called: ['tsc --noEmit'] });
    expect(check(2)).toEqual({ status: 0, called: ['cdktf synth --output out'] });
  });
});

describe.each(['diff.sh', 'deploy.sh'])('%s', (name) => {
  /** What it has run, with this as pair.json, in this environment. */
  const step = (config: string, env: NodeJS.ProcessEnv): { status: number | null; stderr: string; called: string[] } => {
    const directory = mkdtempSync(join(tmpdir(), 'nim-ha-step-'));
    mkdirSync(join(directory, 'cdktf.out', 'stacks', 'nim'), { recursive: true });
    writeFileSync(join(directory, 'called'), '');
    writeFileSync(join(directory, 'pair.json'), config);
    for (const [command, text] of [['npx', `echo "$*" >> ${directory}/called`], ['terraform', "echo '{}'"]]) {
      writeFileSync(join(directory, command), `#!/bin/sh\n${text}\n`);
      chmodSync(join(directory, command), 0o755);
    }
    const script = join(__dirname, '..', 'examples', 'ci', 'steps', name);
    const { status, stderr } = spawnSync('bash', [script], { cwd: directory, env: { PATH: `${directory}:${process.env.PATH}`, ...env }, encoding: 'utf8' });
    return { status, stderr, called: readFileSync(join(directory, 'called'), 'utf8').split('\n').filter((line) => line !== '') };
  };
  const all = name === 'diff.sh' ? ['cdktf synth --output cdktf.out', 'cdktf diff nim --skip-synth --output cdktf.out'] : ['cdktf deploy * --auto-approve --output cdktf.out'];

  test('runs nothing in a pipeline where the state would go with the directory', () => {
    const stderr = expect.stringMatching(/^pair\.json: "backend", got none, expected one in a pipeline, .*; name one \(README, "State"\), and take along the state of a pair that is deployed already\n$/);
    for (const CI of ['true', '1']) expect(step('{"pairs": {}}', { CI, NIM_HA_CONFIG: 'pair.json' })).toEqual({ status: 1, stderr, called: [] });
    expect(step('\uFEFF{"pairs": {}}', { CI: 'true', NIM_HA_CONFIG: 'pair.json' })).toEqual({ status: 1, stderr, called: [] });
  });

  test.each<[string, string, NodeJS.ProcessEnv]>([
    ['a backend', '{"backend": {"http": {}}}', { CI: 'true', NIM_HA_CONFIG: 'pair.json' }],
    ['an app of your own', '{}', { CI: 'true' }],
    ['an app of your own, and an empty NIM_HA_CONFIG', '{}', { CI: 'true', NIM_HA_CONFIG: '' }],
    ['no pipeline', '{}', { NIM_HA_CONFIG: 'pair.json' }],
    ['a CI that says no', '{}', { CI: 'false', NIM_HA_CONFIG: 'pair.json' }],
    ['a file that is no JSON, of which the app says so', '{', { CI: 'true', NIM_HA_CONFIG: 'pair.json' }],
    ['a file that is a list, likewise', '[]', { CI: 'true', NIM_HA_CONFIG: 'pair.json' }],
    ['no such file, likewise', '{}', { CI: 'true', NIM_HA_CONFIG: 'other.json' }],
  ])('goes on with %s', (_, config, env) => {
    expect(step(config, env)).toEqual({ status: 0, stderr: '', called: all });
  });
});

const pipelineOf = (...path: string[]): string => readFileSync(join(__dirname, '..', 'examples', 'ci', ...path), 'utf8');

test.each(['.gitlab-ci.yml', '.github/workflows/nim-ha.yml'])('%s waits for a state that somebody else has locked, in all its jobs', (path) => {
  const pipeline = pipelineOf(path);
  for (const command of ['plan', 'apply']) expect(pipeline).toMatch(new RegExp(`^  TF_CLI_ARGS_${command}: -lock-timeout=10m$`, 'm'));
});

test('the GitHub pipeline runs nothing of a fork, whose pull request anybody can make, on a runner that reaches the nodes', () => {
  const conditions = [...pipelineOf('.github', 'workflows', 'nim-ha.yml').matchAll(/^ {4}if: (.*)$/gm)].map(([, condition]) => condition);
  expect(conditions).toEqual(["github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository", "github.event_name == 'push'"]);
});

describe('the GitLab pipeline', () => {
  const pipeline = pipelineOf('.gitlab-ci.yml');
  const readKey = /^\.read_key: &read_key\n((?: {2}- .*\n)+)/m.exec(pipeline)![1].replace(/^ {2}- /gm, '');
  const run = (keyFile: string) => spawnSync('bash', ['-e', '-c', `${readKey}printf %s "$TF_VAR_ssh_private_key" >&3`], { env: { PATH: process.env.PATH, NIM_HA_SSH_KEY: keyFile }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], encoding: 'utf8' });

  test('takes the key out of a file, for GitLab cannot mask its lines, and prints nothing of it', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'nim-ha-key-')), 'key');
    writeFileSync(file, 'BEGIN\nline\nEND\n');
    const { status, output } = run(file);
    expect([status, ...output]).toEqual([0, null, '', '', 'BEGIN\nline\nEND']);
  });

  test('says so where there is no such file', () => {
    expect(run('')).toMatchObject({ status: 1, stderr: expect.stringMatching(/^NIM_HA_SSH_KEY is no path/) });
  });

  test('ends at once in an image without the binary that cdktf is told to use', () => {
    const look = /^ {4}- (command -v .*)$/m.exec(pipeline)![1];
    const inImage = (env: NodeJS.ProcessEnv) => spawnSync('/bin/bash', ['-e', '-c', look], { env: { PATH: '/nonesuch', ...env }, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    expect(inImage({})).toMatchObject({ status: 1, stderr: expect.stringMatching(/^this image has no terraform; /) });
    expect(inImage({ TERRAFORM_BINARY_NAME: 'tofu' })).toMatchObject({ status: 1, stderr: expect.stringMatching(/^this image has no tofu; /) });
    expect(inImage({ TERRAFORM_BINARY_NAME: process.execPath })).toMatchObject({ status: 0, stderr: '' });
  });

  test('does so in each job that logs in, and nowhere has the key as a value', () => {
    for (const job of ['diff', 'deploy']) expect(pipeline).toContain(`  script: [*read_key, bash steps/${job}.sh]\n`);
    expect(pipeline.match(/TF_VAR_ssh_private_key/g)).toHaveLength(1);
  });
});

afterAll(() => expect(warnings).not.toHaveBeenCalled());
