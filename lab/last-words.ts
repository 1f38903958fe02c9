import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How a node's scripts say that it reboots itself, at a level that the kernel shows on its console. */
const LAST_WORDS = /\bnim-ha: (.*; rebooting at once)/;

/**
 * Listens to a machine's serial console for what a node says before it reboots itself. That line needs neither the network nor a disk: of a
 * journal that had a fifth of a second left for it nothing was to be had.
 *
 * @param file with all that comes over the serial line
 * @returns what ends it
 */
export function listenForLastWords(file: string, hear: (text: string) => void): () => void {
  const tail = spawn('tail', [`--pid=${process.pid}`, '--follow', '--lines=0', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  createInterface({ input: tail.stdout }).on('line', (line) => {
    const [, text] = LAST_WORDS.exec(line) ?? [];
    if (text !== undefined) hear(text);
  });
  return () => void tail.kill();
}
