import { mkdtempSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

/** cdktf's `Testing.app()` and others leave directories behind: everything temporary of one run goes into one that is removed. */
export default function setup(): void {
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'nim-ha-jest-'));
  (globalThis as { nimHaTemporary?: string }).nimHaTemporary = process.env.TMPDIR;
}
