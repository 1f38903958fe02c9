import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as http from 'node:http';
import { connect, createServer } from 'node:net';
import { eventually } from './checks';

/** ClickHouse, reached through the virtual IP the way a client on the LAN reaches it. */
export class Rows {
  private tunnel?: ChildProcess;
  private closed = false;

  private constructor(private command: readonly string[], private readonly port: number, private readonly virtualIp: string) {
    this.dig();
  }

  /** @param sshArguments everything of an ssh command line to a machine on the LAN but the command */
  public static async through(sshArguments: readonly string[], virtualIp: string): Promise<Rows> {
    const port = await freePort();
    return new Rows(sshArguments, port, virtualIp);
  }

  /** From now on by another machine. It returns when that one has let us in; a request that is under way breaks off. */
  public async goThrough(sshArguments: readonly string[]): Promise<void> {
    if (this.command.join() === sshArguments.join()) return;
    this.command = sshArguments;
    // One that has ended by itself is dug anew anyway.
    if (this.tunnel && this.tunnel.exitCode === null && this.tunnel.signalCode === null) {
      const closed = once(this.tunnel, 'close');
      this.tunnel.kill();
      await closed;
    }
    const open = await eventually(60, () => isOpen(this.port));
    if (!open) throw new Error('the client has no way to the virtual IP');
  }

  public async create(): Promise<void> {
    await this.query('CREATE DATABASE IF NOT EXISTS demo');
    await this.query('CREATE TABLE IF NOT EXISTS demo.rows (number UInt32, text String) ENGINE = MergeTree ORDER BY number');
  }

  /** Inserts numbered rows; when it returns, the server has acknowledged them. */
  public async insert(first: number, count: number, timeout?: number): Promise<void> {
    const lines = Array.from({ length: count }, (_, index) => `${first + index}\trow ${first + index}`);
    await this.query(`INSERT INTO demo.rows FORMAT TabSeparated\n${lines.join('\n')}\n`, timeout);
  }

  /** Breaks a promise on purpose; the row may be there for a moment more. */
  public async forget(number: number): Promise<void> {
    await this.query(`ALTER TABLE demo.rows DELETE WHERE number = ${number}`);
  }

  /** The numbers of all rows that are there. */
  public async numbers(): Promise<number[]> {
    const text = await this.query('SELECT number FROM demo.rows');
    return text.split('\n').filter(Boolean).map(Number);
  }

  /** How many different rows there are, and the sum of their numbers: a lost or a doubled row changes one of them. */
  public async census(): Promise<string> {
    return (await this.query('SELECT count(), uniqExact(number), sum(number) FROM demo.rows')).trim();
  }

  public close(): void {
    this.closed = true;
    this.tunnel?.kill();
  }

  /** The machine at the other end of the tunnel may be restarted. */
  private dig(): void {
    if (this.closed) return;
    const forward = `127.0.0.1:${this.port}:${this.virtualIp}:8123`;
    this.tunnel = spawn('ssh', ['-N', '-o', 'ExitOnForwardFailure=yes', '-L', forward, ...this.command], { stdio: 'ignore' });
    this.tunnel.on('close', () => setTimeout(() => this.dig(), 1000).unref());
  }

  private query(text: string, timeout = 20_000): Promise<string> {
    return post(this.port, text, timeout);
  }
}

/**
 * @param port of this machine
 * @param timeout milliseconds in which nothing comes
 */
export function post(port: number, text: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method: 'POST', timeout, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(body.trim() || `HTTP ${response.statusCode}`))));
      // An answer that has begun breaks off here, and not at the request.
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeout / 1000} s`)));
    request.on('error', reject);
    request.end(text);
  });
}

/** The census of rows 1 to `count`, each once. */
export function censusOf(count: number): string {
  return `${count}\t${count}\t${(count * (count + 1)) / 2}`;
}

/** Whether somebody listens there; undefined when nobody does. */
function isOpen(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => (socket.destroy(), resolve(true)));
    socket.on('error', () => resolve(undefined));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}
