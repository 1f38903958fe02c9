import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';

/** The root of a stand-in machine, in a temporary directory. Paths are relative to it. */
export class FileTree {
  public readonly root: string;

  constructor(prefix: string) {
    this.root = mkdtempSync(join(tmpdir(), prefix));
  }

  public write(path: string, text: string, mode = 0o644): void {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    // A script that runs meanwhile must not read half of what a kernel would say at once.
    writeFileSync(`${full}~`, text);
    chmodSync(`${full}~`, mode);
    renameSync(`${full}~`, full);
  }

  public read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  public has(path: string): boolean {
    return existsSync(join(this.root, path));
  }
}
