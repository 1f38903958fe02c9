import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Pair, REPOSITORY } from '../../lab/pair';
import { checkOut, findVersion } from '../../lab/previous-version';
import { FILES_OF_NOBODY, NAMES, unknownNames } from '../../lab/strangers';
import { upgradeOptions } from '../../lab/upgrade';
import { FileTree } from '../scripts/support/file-tree';

let tree: FileTree;
beforeEach(() => (tree = new FileTree('nim-ha-upgrade-')));

test('options of the command', () => {
  expect(upgradeOptions([])).toEqual({ from: undefined, mixed: false });
  expect(upgradeOptions(['--mixed', '--from', 'HEAD~20'])).toEqual({ from: 'HEAD~20', mixed: true });
  for (const args of [['--from'], ['--from', '--mixed'], ['--from', ''], ['v1']]) expect(() => upgradeOptions(args)).toThrow(`unknown or incomplete argument '${args[0]}'`);
});

// A clone has git; what is left of one without it has no other version.
const withGit = spawnSync('git', ['--version']).status === 0 ? describe : describe.skip;
withGit('another version', () => {
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.org', '-c', 'commit.gpgsign=false', '-c', 'tag.gpgsign=false'];
    const { status, stdout, stderr } = spawnSync('git', ['-C', tree.root, ...identity, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const commit = (script: string) => {
    tree.write('scripts/agent.sh', script);
    git('add', '.');
    git('commit', '--quiet', '--message', script);
    return git('rev-parse', 'HEAD');
  };
  beforeEach(() => {
    git('init', '--quiet');
    tree.write('package-lock.json', '{}');
    tree.write('.gitignore', 'node_modules\n');
    tree.write('node_modules/cdktf', '');
  });

  test('is the newest tag before this commit, and not the one on it', async () => {
    const first = commit('one');
    await expect(findVersion(undefined, tree.root)).rejects.toThrow('name what to upgrade from, for example: --from HEAD~20');
    git('tag', 'v0.1.0');
    const second = commit('two');
    expect(await findVersion(undefined, tree.root)).toEqual({ ref: 'v0.1.0', commit: first });
    git('tag', 'v0.2.0');
    expect(await findVersion(undefined, tree.root)).toEqual({ ref: 'v0.1.0', commit: first });
    commit('three');
    expect(await findVersion(undefined, tree.root)).toEqual({ ref: 'v0.2.0', commit: second });
  });

  test('that is named has to be one, and to be another on a node', async () => {
    const first = commit('one');
    tree.write('README.md', 'more');
    git('add', '.');
    git('commit', '--quiet', '--message', 'words');
    await expect(findVersion('HEAD~1', tree.root)).rejects.toThrow("--from: got 'HEAD~1', whose scripts are those of this version");
    await expect(findVersion('no-such', tree.root)).rejects.toThrow("--from: got 'no-such', expected a tag, a branch or a commit");
    // What is deployed is what lies here, committed or not.
    tree.write('scripts/agent.sh', 'changed');
    expect((await findVersion(first, tree.root)).commit).toBe(first);
  });

  test('is checked out beside, with the modules of this one where it wants the same', async () => {
    const version = { ref: 'one', commit: commit('one') };
    tree.write('scripts/agent.sh', 'two');
    await checkOut(version, tree.root + '.one', tree.root);
    expect(readFileSync(join(tree.root + '.one', 'scripts/agent.sh'), 'utf8')).toBe('one');
    expect(readlinkSync(join(tree.root + '.one', 'node_modules'))).toBe(join(tree.root, 'node_modules'));
    expect(existsSync(tree.root + '.one.tar')).toBe(false);

    tree.write('package-lock.json', '{"lockfileVersion": 3}');
    tree.write('bin/npm', '#!/bin/bash\necho "$*" >asked\n', 0o755);
    const { PATH } = process.env;
    process.env.PATH = `${join(tree.root, 'bin')}:${PATH}`;
    try {
      await checkOut(version, tree.root + '.two', tree.root);
    } finally {
      process.env.PATH = PATH;
    }
    expect(existsSync(join(tree.root + '.two', 'node_modules'))).toBe(false);
    expect(readFileSync(join(tree.root + '.two', 'asked'), 'utf8')).toMatch(/^ci /);
  });
});

test('a pair is deployed with the app and the steps of the version that it is told, on the same config', async () => {
  const step = (text: string) => `#!/bin/bash\nprintf '%s ' "${text}" "$PWD" "$NIM_HA_CONFIG" "$CDKTF_OUTPUT"\n`;
  tree.write('old/examples/ci/steps/deploy.sh', step('old'), 0o755);
  mkdirSync(join(tree.root, 'deploy'));
  const pair = new Pair(join(tree.root, 'deploy'), 'demo', {}, {}, () => undefined);
  pair.runFrom(join(tree.root, 'old'));
  const { stdout } = await pair.deploy();
  expect(stdout.trim().split(' ')).toEqual(['old', join(tree.root, 'old'), join(tree.root, 'deploy/pair.json'), join(tree.root, 'deploy/cdktf.out.old')]);
  pair.runFrom(REPOSITORY);
  // That one would deploy.
  expect(pair).toMatchObject({ repository: REPOSITORY, output: join(tree.root, 'deploy/cdktf.out') });
});

describe('what no version knows', () => {
  const run = (command: string) => {
    const done = spawnSync('bash', ['-c', command], { encoding: 'utf8', env: { PATH: `${join(tree.root, 'bin')}:${process.env.PATH}`, ROOT: tree.root } });
    expect(done.status).toBe(0);
    return done.stdout.split('\n').filter(Boolean);
  };
  const link = (path: string, target: string) => {
    mkdirSync(dirname(join(tree.root, path)), { recursive: true });
    symlinkSync(target, join(tree.root, path));
  };
  const DEPLOYED = ['/usr/local/lib/nim-ha/agent.sh', '/etc/nim-ha/node.data', '/etc/systemd/system/nim-ha-agent.service', '/etc/systemd/system/nimha.slice', '/etc/systemd/system/nginx.service.d/50-nim-ha.conf'];
  beforeEach(() => {
    for (const path of DEPLOYED) tree.write(path.slice(1), '');
    tree.write('var/lib/nim-ha/manifest', DEPLOYED.map((path) => `644 0123abcd ${path}\n`).join(''));
    for (const path of ['run/nim-ha/state', 'run/nim-ha/state.new', 'run/nim-ha/lock-held', 'var/lib/nms/.nim-ha/lock', 'usr/local/sbin/other', 'etc/systemd/system/nginx.service.d/other.conf']) tree.write(path, '');
    link('etc/systemd/system/multi-user.target.wants/nim-ha-agent.service', '/etc/systemd/system/nim-ha-agent.service');
    tree.write('bin/systemctl', `#!/bin/bash\ncat "$ROOT/units"\n`, 0o755);
    tree.write('units', 'nim-ha-agent.service loaded active running nim-ha: the state of this node\n');
  });

  test('nothing, on a node that has what its list says', () => {
    expect(run(FILES_OF_NOBODY)).toEqual([]);
    expect(unknownNames(run(NAMES))).toEqual([]);
  });

  test.each([
    ['a script', 'usr/local/lib/nim-ha/old.sh'],
    ['a unit', 'etc/systemd/system/nim-ha-old.service'],
    ['the drop-in of a service', 'etc/systemd/system/nms-core.service.d/50-nim-ha.conf'],
    ['what was about to be put in place', 'etc/keepalived/.nim-ha.new/keepalived.conf'],
  ])('%s of another version', (_, path) => {
    tree.write(path, '');
    expect(run(FILES_OF_NOBODY)).toEqual([expect.stringContaining(`/${path.replace(/\.nim-ha\.new\/.*/, '.nim-ha.new')}`)]);
  });

  test('a unit in the boot whose file is gone, one that goes on without its file, and a list that is not there', () => {
    link('etc/systemd/system/multi-user.target.wants/nim-ha-old.service', '/etc/systemd/system/nim-ha-old.service');
    writeFileSync(join(tree.root, 'units'), 'nim-ha-old.service not-found active running nim-ha-old.service\n');
    expect(run(FILES_OF_NOBODY)).toEqual(['/etc/systemd/system/nim-ha-old.service', 'nim-ha-old.service (not-found)']);
    writeFileSync(join(tree.root, 'var/lib/nim-ha/manifest'), '');
    expect(run(FILES_OF_NOBODY)).toEqual(expect.arrayContaining(DEPLOYED));
  });

  test('a mark with a name that no script has; and where there is no name at all, nobody has looked', () => {
    tree.write('run/nim-ha/lock-held-by', '');
    expect(unknownNames(run(NAMES))).toEqual(['lock-held-by, which no script of this version knows']);
    expect(unknownNames([])).toHaveLength(1);
  });
});
