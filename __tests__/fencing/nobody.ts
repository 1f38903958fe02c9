import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/**
 * Where the tests run as root, what they start runs as a user that no account and no process has: whatever a script that is broken writes, kills, mounts or adds, it can
 * do to its own tree and to nothing of this machine. Where they don't, it runs as who they run as.
 */
const UID = 60_600;
const isRoot = process.getuid?.() === 0;
export const NOBODY = isRoot ? { uid: UID, gid: UID } : {};

/** A tree that what is started can reach. Whatever is put into it has to be given to that user with `handOver`. */
export function plantTree(name: string): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), name));
  if (isRoot) {
    fs.chmodSync(root, 0o755);
    // Made by the global setup for this run alone.
    if (process.env.TMPDIR !== undefined && path.basename(process.env.TMPDIR).startsWith('nim-ha-')) fs.chmodSync(process.env.TMPDIR, 0o711);
    fs.chownSync(root, UID, UID);
    for (let above = root; above !== path.dirname(above); above = path.dirname(above))
      if ((fs.statSync(above).mode & 1) === 0) throw new Error(`${above} keeps others out, so nothing in it can run as nobody: set TMPDIR to a directory that is open to all, or run the tests as another user than root`);
  }
  return root;
}

/** Gives all of the tree to whom it runs as: links themselves, and nothing that they lead to. */
export function handOver(root: string): void {
  if (!isRoot) return;
  for (const entry of fs.readdirSync(root, { withFileTypes: true })) {
    const file = path.join(root, entry.name);
    if (fs.lstatSync(file).uid !== UID) fs.lchownSync(file, UID, UID);
    if (entry.isDirectory()) handOver(file);
  }
}

/** Writes a file of the tree anew: never through a link to something that is not in it. */
export function writeInTree(root: string, name: string, text: string | Buffer, mode = 0o644): void {
  const file = path.join(root, name);
  let above = path.dirname(file);
  while (!fs.existsSync(above)) above = path.dirname(above);
  if (!`${fs.realpathSync(above)}/`.startsWith(`${fs.realpathSync(root)}/`)) throw new Error(`${name} would not be in the tree, but below ${fs.realpathSync(above)}`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, text, { flag: 'wx' });
  fs.chmodSync(file, mode);
}
