import { ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { eventually } from './checks';
import type { Lab } from './lab';
import { NODES } from './machines';
import { shellQuote } from './shell-quote';

/** Only root may read it, and only there; `secret` and what stage makes of it are emptied as soon as they have served. */
const STAGING = /^(?:\/home\/[^/]+|\/root)\/\.nim-ha\/secret\/(auth_pass|sudo)(\.new)?$|^\/run\/nim-ha\/step\/job\.[^/]+\/secret$|^\/var\/lib\/nim-ha\/staged(\.new|\.proof)?\/|^\/etc\/keepalived\/(keepalived\.conf|\.nim-ha\.new\/.*)$/;

// The patterns come by standard input, or they would find themselves in a list of processes; its end ends the loop.
const LOOK = `
p=$(mktemp -p /dev/shm); trap 'rm -f "$p"' EXIT
while read -r line && [[ $line != end ]]; do printf '%s\\n' "$line" >>"$p"; done
while :; do
  since=$SECONDS
  grep -lF -f "$p" /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null
  grep -rlF --devices=skip -f "$p" /etc /root /home /tmp /var/tmp /run/nim-ha /var/lib/nim-ha 2>/dev/null | while read -r file; do
    printf '%s %s\\n' "$file" "$(stat -c '%a' "$file" 2>/dev/null || echo gone)"
  done
  # Patterns that are not there, or a grep that does not work, find nothing either.
  ! grep -qF -f "$p" "$p" || echo looked
  read -rt $((3 + SECONDS - since)); (($? > 128)) || break
done`;

/**
 * Looks for secrets while a deploy runs, every few seconds, and never for more than half of the time: in the arguments of all processes, on the nodes in their environments and in the
 * files that a deploy writes, too. (On the machine that deploys, the environment is where the secrets come from.)
 */
export class SecretWatch {
  private readonly found = new Set<string>();
  private readonly looks: Record<string, number> = { here: 0 };
  private readonly children: ReadonlyMap<string, ChildProcess>;
  private looksAtBegin: Readonly<Record<string, number>> = {};
  private readonly timer: NodeJS.Timeout;

  /** Returns when every machine has been looked at once; throws when one has not been within so many seconds. */
  public static async begin(lab: Pick<Lab, 'sshArgs'>, secrets: readonly string[], seconds = 180): Promise<SecretWatch> {
    const watch = new SecretWatch(lab, secrets);
    const looks = await eventually(seconds, async () => watch.unseen.length === 0 || undefined);
    if (looks) {
      watch.looksAtBegin = { ...watch.looks };
      return watch;
    }
    const { unseen } = watch;
    watch.children.forEach((child) => child.kill());
    await watch.end();
    throw new Error(`no look for secrets within ${seconds} s: ${unseen.join(', ')}`);
  }

  private constructor(lab: Pick<Lab, 'sshArgs'>, secrets: readonly string[]) {
    this.timer = setInterval(() => this.lookHere(secrets), 300);
    const watched = NODES.map((name): [string, ChildProcess] => {
      this.looks[name] = 0;
      const child = spawn('ssh', [...lab.sshArgs(name), `sudo bash -c ${shellQuote(LOOK)}`], { env: process.env, stdio: ['pipe', 'pipe', 'ignore'] });
      let rest = '';
      child.stdout.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.judge(name, line);
      });
      child.stdin.on('error', () => undefined);
      child.stdin.write(`${secrets.join('\n')}\nend\n`);
      return [name, child];
    });
    this.children = new Map(watched);
  }

  /**
   * Ends the watch, when every machine has been looked at once more or so many seconds are over: a deploy that is refused at once may have
   * fallen between two looks.
   * @returns where a secret was seen, and where nobody has looked, which proves nothing; and how often each machine was looked at
   */
  public async stop(seconds = 60): Promise<{ found: string[]; looks: Record<string, number> }> {
    await eventually(seconds, async () => this.unseen.every((name) => this.hasEnded(name)) || undefined);
    const ended = [...this.children.keys()].filter((name) => this.hasEnded(name));
    await this.end();
    const unseen = this.unseen.map((name) => `${name}: nobody has looked since the deploy began`);
    return { found: [...ended.map((name) => `${name}: the watch has ended by itself`), ...unseen, ...this.found], looks: this.looks };
  }

  private async end(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(
      [...this.children].map(([name, child]) => {
        if (this.hasEnded(name)) return undefined;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.stdin?.end();
        return ended;
      }),
    );
  }

  private hasEnded(name: string): boolean {
    const child = this.children.get(name);
    return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
  }

  /** Before the deploy: where nobody has looked at all; later: where nobody has since. */
  private get unseen(): string[] {
    return Object.keys(this.looks).filter((name) => this.looks[name] <= (this.looksAtBegin[name] ?? 0));
  }

  private judge(name: string, line: string): void {
    if (line === 'looked') {
      this.looks[name] += 1;
      return;
    }
    const [place, mode] = line.split(' ');
    if (STAGING.test(place) && (mode === '600' || mode === 'gone')) return;
    this.found.add(`${name}: ${line}`);
  }

  private lookHere(secrets: readonly string[]): void {
    this.looks.here += 1;
    for (const pid of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        if (secrets.some((secret) => line.includes(secret))) this.found.add(`the arguments of ${line.split('\0')[0]} here`);
      } catch {
        // It has ended.
      }
    }
  }
}
