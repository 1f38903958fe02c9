import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { handOver, NOBODY, plantTree, writeInTree } from './nobody';

let root: string;
let outside: string;
beforeEach(() => {
  root = plantTree('nim-ha-nobody-');
  outside = fs.mkdtempSync(path.join(os.tmpdir(), 'nim-ha-outside-'));
  fs.writeFileSync(path.join(outside, 'tool'), 'of this machine\n', { mode: 0o755 });
});
afterEach(() => [root, outside].forEach((each) => fs.rmSync(each, { recursive: true })));

test('nothing is written through a link to what is outside of the tree', () => {
  fs.symlinkSync(path.join(outside, 'tool'), path.join(root, 'tool'));
  writeInTree(root, 'tool', 'of the tree\n');
  fs.symlinkSync(outside, path.join(root, 'dir'));
  for (const name of ['dir/tool', 'dir/new/tool', '../escaped', '/../escaped']) expect(() => writeInTree(root, name, 'x')).toThrow('would not be in the tree');
  expect(fs.readFileSync(path.join(root, 'tool'), 'utf8')).toBe('of the tree\n');
  expect([fs.readdirSync(outside), fs.readFileSync(path.join(outside, 'tool'), 'utf8')]).toEqual([['tool'], 'of this machine\n']);
  expect(fs.existsSync(path.join(root, '..', 'escaped'))).toBe(false);
});

test('what is started may write to the tree that was handed over, and, where the tests run as root, nowhere else', () => {
  writeInTree(root, 'deep/file', 'x');
  fs.symlinkSync(outside, path.join(root, 'dir'));
  fs.symlinkSync(path.join(outside, 'tool'), path.join(root, 'tool'));
  const owner = fs.statSync(path.join(outside, 'tool')).uid;
  handOver(root);
  expect([fs.statSync(outside).uid, fs.statSync(path.join(outside, 'tool')).uid]).toEqual([owner, owner]);
  const run = (command: string): number | null => spawnSync('/bin/sh', ['-c', command], { cwd: root, ...NOBODY }).status;
  expect(run('echo y >>deep/file && : >deep/new && rm deep/new')).toBe(0);
  if (process.getuid?.() !== 0) return;
  for (const command of ['echo y >>tool', ': >dir/new', 'rm dir/tool', `kill -0 ${process.pid}`]) expect([command, run(command) !== 0]).toEqual([command, true]);
  expect(fs.readFileSync(path.join(outside, 'tool'), 'utf8')).toBe('of this machine\n');
});
