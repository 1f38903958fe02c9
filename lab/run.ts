import { ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Buffer;
  /** Milliseconds after which the program is killed; default ten minutes, for nothing here may hang. */
  readonly timeout?: number;
  /** Exit codes that are no error; default only 0. `any` lets the caller judge. */
  readonly accept?: readonly number[] | 'any';
  /** Receives every line of both streams as it comes. */
  readonly onLine?: (line: string) => void;
  /** Receives, once it runs, what a terminal's Ctrl-C does to the program and all that it has started. */
  readonly onStart?: (interrupt: () => void) => void;
}

export interface RunResult {
  /** Exit code; 128 + signal number is not used: a killed program has -1. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

// What this process has started ends with it, also when only this process is told to end.
const running = new Map<ChildProcess, (signal: NodeJS.Signals) => void>();
process.on('exit', () => running.forEach((signal) => signal('SIGTERM')));

/** Runs a program to its end without blocking this process (probes and watchers go on meanwhile). */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    // A process group of its own is what a terminal's foreground job is.
    const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: 'pipe', detached: options.onStart !== undefined });
    const signal = (name: NodeJS.Signals): void => void (options.onStart && child.pid !== undefined ? process.kill(-child.pid, name) : child.kill(name));
    running.set(child, signal);
    options.onStart?.(() => signal('SIGINT'));
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      signal('SIGKILL');
    }, options.timeout ?? 600_000);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    if (options.onLine) {
      for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', options.onLine);
    }
    // A program that ends without reading its input is judged by its exit code, not by our broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
    child.on('error', (error) => {
      running.delete(child);
      clearTimeout(timer);
      reject(new Error(`${program}: ${error.message}`));
    });
    child.on('close', (code) => {
      running.delete(child);
      clearTimeout(timer);
      const result = { code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), timedOut };
      const accept = options.accept ?? [0];
      if (accept === 'any' || accept.includes(result.code)) resolve(result);
      else reject(new Error(describeFailure(program, args, result)));
    });
  });
}

function describeFailure(program: string, args: readonly string[], result: RunResult): string {
  const how = result.timedOut ? 'took too long and was killed' : `exited with status ${result.code}`;
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-25).join('\n');
  return `${program} ${args.slice(0, 6).join(' ')} ${how}\n${said}`;
}
