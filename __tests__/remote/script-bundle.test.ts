import { appendFileSync, cpSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { SCRIPTS, ScriptBundle } from '../../lib/remote/script-bundle';

describe('the hash of what a machine is sent', () => {
  let copy: string;
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'nim-ha-bundle-'));
    cpSync(SCRIPTS, copy, { recursive: true });
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  const ELSEWHERE = ['operator', 'server'];
  /** As the program makes its own, from the copy; nothing but the place differs. */
  const bundle = (directory: string, elsewhere: string[]): ScriptBundle => Reflect.construct(ScriptBundle, ['scripts', join(copy, directory), elsewhere]);
  const ofNode = () => bundle('', ELSEWHERE).hash;
  const ofServer = () => bundle('server', []).hash;
  const all = readdirSync(SCRIPTS, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(SCRIPTS, path)).isFile());
  const isFor = (path: string, directory: string) => path.startsWith(`${directory}/`);

  /** What comes of it while the last byte of a file is another one. */
  const whileChanged = <T>(path: string, look: () => T): T => {
    const before = readFileSync(join(copy, path));
    const after = Buffer.from(before);
    after[after.length - 1] ^= 1;
    writeFileSync(join(copy, path), after);
    try {
      return look();
    } finally {
      writeFileSync(join(copy, path), before);
    }
  };

  test('is that of the contents, wherever they lie', () => {
    expect([ofNode(), ofServer()]).toEqual([ScriptBundle.NODE.hash, ScriptBundle.SERVER.hash]);
  });

  test('of a node changes with one byte of any script or unit, and with no other file', () => {
    const hashes = all.map((path) => [path, whileChanged(path, ofNode)]);
    const same = hashes.filter(([, hash]) => hash === ScriptBundle.NODE.hash).map(([path]) => path);
    expect(same.sort()).toEqual(all.filter((path) => ELSEWHERE.some((directory) => isFor(path, directory))).sort());
    expect(all.filter((path) => isFor(path, 'units')).length).toBeGreaterThan(0);
    expect(new Set(hashes.map(([, hash]) => hash)).size).toBe(hashes.length - same.length + 1);
  });

  test('of an NFS server changes with its own, and with no other file', () => {
    const changed = all.filter((path) => whileChanged(path, ofServer) !== ScriptBundle.SERVER.hash);
    expect(changed.sort()).toEqual(all.filter((path) => isFor(path, 'server')).sort());
  });

  test.each<[string, () => void, () => void]>([
    ['a file that is there no more', () => renameSync(join(copy, 'log.sh'), `${copy}.away`), () => renameSync(`${copy}.away`, join(copy, 'log.sh'))],
    ['a file more, though it is empty', () => appendFileSync(join(copy, 'one-more.sh'), ''), () => rmSync(join(copy, 'one-more.sh'))],
    ['another name', () => renameSync(join(copy, 'log.sh'), join(copy, 'log2.sh')), () => renameSync(join(copy, 'log2.sh'), join(copy, 'log.sh'))],
  ])('changes with %s', (_, make, undo) => {
    make();
    try {
      expect(ofNode()).not.toBe(ScriptBundle.NODE.hash);
    } finally {
      undo();
    }
    expect(ofNode()).toBe(ScriptBundle.NODE.hash);
  });
});
