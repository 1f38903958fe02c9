import { ChildProcess, spawn } from 'node:child_process';
import { eventually } from './checks';
import type { Lab } from './lab';
import { listenForLastWords } from './last-words';
import { NODES, type NodeName } from './machines';

/** One line of a node's journal, at the host's clock. */
export interface Entry {
  readonly node: NodeName;
  readonly at: number;
  /** `nim-ha`, or the unit that systemd speaks of. */
  readonly about: string;
  readonly text: string;
}

/** Written to a journal to see it come back. */
const END = 'nim-ha-lab: read as far as here';
const READ_WITHIN = 120;
const FIELDS = 'MESSAGE,SYSLOG_IDENTIFIER,UNIT';

/**
 * What the nodes' own journals say while faults happen: changes of phase, and services starting and ending. Followed live, over the network
 * card that no fault touches: a power cut takes the last seconds of a journal with it. What a node says before it reboots itself comes from its console.
 */
export class History {
  public readonly entries: Entry[] = [];
  private readonly seen = new Set<string>();
  /** Which marks have come back, and from where. */
  private readonly marks = new Set<string>();
  private ends = 0;
  private readonly children = new Map<NodeName, ChildProcess>();
  private readonly consoles: readonly (() => void)[];
  private closed = false;

  public constructor(private readonly lab: Lab, private readonly login = 'ssh') {
    NODES.forEach((name) => this.follow(name));
    this.consoles = NODES.map((node) => listenForLastWords(lab.machine(node).console, (text) => this.entries.push({ node, at: Date.now(), about: 'nim-ha', text })));
  }

  public close(): void {
    this.closed = true;
    this.children.forEach((child) => child.kill());
    this.consoles.forEach((end) => end());
  }

  /**
   * Waits until all that the journals have by now is in the entries.
   * @returns the nodes of which that cannot be said: nothing may be read out of what their journals do not say
   */
  public async unread(within = READ_WITHIN): Promise<NodeName[]> {
    const mark = `${END} (${++this.ends})`;
    const read = await Promise.all(
      NODES.map((node) =>
        // Written anew each time: a node that has only just booted may lose one.
        eventually(within, async () => {
          await this.lab.machine(node).ssh(`logger -t nim-ha '${mark}'`);
          return eventually(Math.min(10, within), async () => this.marks.has(`${node} ${mark}`) || undefined);
        }),
      ),
    );
    return NODES.filter((_, index) => !read[index]);
  }

  private follow(node: NodeName): void {
    if (this.closed) return;
    // The node's clock may be set to anything; its uptime ties its monotonic times to ours.
    const command = `cat /proc/uptime; exec sudo journalctl --boot --follow --lines=all --output=json --output-fields=${FIELDS} SYSLOG_IDENTIFIER=nim-ha + _PID=1`;
    const child = spawn(this.login, [...this.lab.sshArgs(node), command], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.children.set(node, child);
    let booted: number | undefined;
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (booted === undefined) booted = Date.now() - Number(line.split(' ')[0]) * 1000;
        else this.note(node, booted, line);
      }
    });
    child.on('close', () => this.closed || setTimeout(() => this.follow(node), 1000));
  }

  private note(node: NodeName, booted: number, line: string): void {
    let entry: Record<string, string>;
    try {
      entry = JSON.parse(line);
    } catch {
      return;
    }
    if (this.seen.has(entry.__CURSOR) || typeof entry.MESSAGE !== 'string') return;
    this.seen.add(entry.__CURSOR);
    if (entry.MESSAGE.startsWith(END)) {
      this.marks.add(`${node} ${entry.MESSAGE}`);
      return;
    }
    const about = entry.SYSLOG_IDENTIFIER === 'nim-ha' ? 'nim-ha' : entry.UNIT;
    if (about) this.entries.push({ node, at: booted + Number(entry.__MONOTONIC_TIMESTAMP) / 1000, about, text: entry.MESSAGE });
  }
}
