/** Just enough of the ustar format to describe a file tree with owners and modes, without root and without a program. */

export interface TarEntry {
  /** Absolute path in the tree, without a trailing slash. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'link';
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: Buffer;
  /** Where a symbolic link points to. */
  readonly target?: string;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: '0', link: '2', dir: '5' } as const;

export function tarFile(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0);
    return [header(entry, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const name = `.${entry.path}${entry.type === 'dir' ? '/' : ''}`;
  if (Buffer.byteLength(name) > 100) throw new Error(`tar: path longer than 99 bytes: ${entry.path}`);
  block.write(name, 0);
  octal(block, 100, 8, entry.mode);
  octal(block, 108, 8, entry.uid ?? 0);
  octal(block, 116, 8, entry.gid ?? entry.uid ?? 0);
  octal(block, 124, 12, size);
  // A fixed time: the same tree is the same file.
  octal(block, 136, 12, 1_700_000_000);
  block.write('        ', 148);
  block.write(TYPE_FLAGS[entry.type], 156);
  block.write(entry.target ?? '', 157);
  block.write('ustar\0' + '00', 257);
  octal(block, 148, 7, block.reduce((sum, byte) => sum + byte, 0));
  return block;
}

function octal(block: Buffer, offset: number, length: number, value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
}
