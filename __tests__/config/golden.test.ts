import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'fs';
import { dirname, join, relative } from 'path';
import { renderFiles } from '../../lib/config/files';
import { renderFstab } from '../../lib/config/fstab';
import { NodeModel, PairModel } from '../../lib/config/model';
import { guidePair } from './pairs';

// A node's files as a real tree, compared whole: a file too many fails as one too few does. `modes` lists the modes,
// which git would not keep. UPDATE_GOLDEN=1 writes the tree anew.
const golden = join(__dirname, '..', 'golden');

function rendered(pair: PairModel, node: NodeModel): Record<string, string> {
  const files = renderFiles(pair, node);
  return {
    ...Object.fromEntries(files.map((file) => [file.path.slice(1), file.text])),
    'etc/fstab': renderFstab(pair).join('\n') + '\n',
    modes: files.map((file) => `${file.mode} ${file.path}\n`).join(''),
  };
}

function write(tree: string, files: Record<string, string>): void {
  rmSync(tree, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
}

function read(tree: string): Record<string, string> {
  const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [relative(tree, path), readFileSync(path, 'utf8')]));
}

describe.each(['guide', 'hardened'] as const)('profile %s', (profile) => {
  test.each(['primary', 'secondary'] as const)('%s', (role) => {
    const pair = guidePair({ profile });
    const tree = join(golden, profile, role);
    const files = rendered(pair, pair[role]);
    if (process.env.UPDATE_GOLDEN === '1') write(tree, files);
    expect(files).toEqual(read(tree));
  });
});
