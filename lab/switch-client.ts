import { createConnection } from 'node:net';
import type { Outage, Overlap } from './outages';
import type { Sighting } from './sighting';
import type { DropRule } from './switch';
import type { MachineName } from './machines';

/** What the switch process understands, one JSON object per line. */
export type SwitchCommand =
  | { readonly do: 'link'; readonly port: MachineName; readonly up: boolean }
  | { readonly do: 'links' }
  | { readonly do: 'drops'; readonly rules: readonly DropRule[] }
  | { readonly do: 'probe'; readonly on: boolean }
  | { readonly do: 'addresses'; readonly virtualIps: readonly string[] }
  | { readonly do: 'holders'; readonly sinceMs: number }
  | { readonly do: 'outages'; readonly since: number }
  | { readonly do: 'overlaps'; readonly since: number }
  | { readonly do: 'timeline'; readonly since: number };

/** The LAN and its observer, as other processes see them. */
export class SwitchClient {
  public constructor(private readonly socketPath: string) {}

  public setLink(port: MachineName, up: boolean): Promise<unknown> {
    return this.ask({ do: 'link', port, up });
  }

  public links(): Promise<Record<string, 'up' | 'down'>> {
    return this.ask({ do: 'links' });
  }

  /** Replaces everything that the wire loses; an empty list heals it. */
  public setDrops(rules: readonly DropRule[]): Promise<unknown> {
    return this.ask({ do: 'drops', rules });
  }

  public startProbe(): Promise<unknown> {
    return this.ask({ do: 'probe', on: true });
  }

  public stopProbe(): Promise<unknown> {
    return this.ask({ do: 'probe', on: false });
  }

  /** Which addresses are asked for: one, but for a pair that moves to another. */
  public setAddresses(virtualIps: readonly string[]): Promise<unknown> {
    return this.ask({ do: 'addresses', virtualIps });
  }

  /** MAC addresses that answered for the virtual IP within the last so many milliseconds. */
  public holders(sinceMs = 1000): Promise<string[]> {
    return this.ask({ do: 'holders', sinceMs });
  }

  /** @param since milliseconds of the host's clock (`Date.now()`), default the beginning */
  public outages(since = 0): Promise<Outage[]> {
    return this.ask({ do: 'outages', since });
  }

  /** Times in which two machines answered. */
  public overlaps(since = 0): Promise<Overlap[]> {
    return this.ask({ do: 'overlaps', since });
  }

  public timeline(since = 0): Promise<Sighting[]> {
    return this.ask({ do: 'timeline', since });
  }

  private ask<T>(command: SwitchCommand): Promise<T> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(this.socketPath);
      let text = '';
      socket.setTimeout(10_000, () => socket.destroy(new Error(`the lab's switch does not answer to '${command.do}'`)));
      socket.on('error', reject);
      socket.on('connect', () => socket.write(`${JSON.stringify(command)}\n`));
      socket.on('close', () => reject(new Error(`the lab's switch closed the connection on '${command.do}'`)));
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (!text.endsWith('\n')) return;
        const reply = JSON.parse(text) as { ok?: T; error?: string };
        if (reply.error === undefined) resolve(reply.ok as T);
        else reject(new Error(reply.error));
        socket.destroy();
      });
    });
  }
}
