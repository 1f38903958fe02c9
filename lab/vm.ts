import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { Machine, SSH_PORT } from './machines';
import { gone, recordedPid, signalRecorded } from './processes';
import { VmContext, qemuArguments } from './qemu-arguments';
import { qmp } from './qmp';
import { RunResult, run } from './run';
import { SshOptions, ssh } from './ssh';
import * as files from './workdir';

/** One virtual machine: what a person in front of the real one could do to it. */
export class Vm {
  public constructor(
    public readonly machine: Machine,
    private readonly context: VmContext,
  ) {}

  public get running(): boolean {
    return recordedPid(this.pidFile, this.context.workdir) !== undefined;
  }

  /** Presses the power button; does not wait for the system. @throws when qemu does not start */
  public async start(): Promise<void> {
    if (this.running) return;
    const errors = `${files.consoleLog(this.context.workdir, this.machine.name)}.err`;
    const log = fs.openSync(errors, 'a', 0o600);
    // Its own session: a Ctrl-C in the terminal is for the lab's owner, who then takes the machines down in order.
    const child = spawn('qemu-system-x86_64', qemuArguments(this.machine, this.context), { detached: true, stdio: ['ignore', 'ignore', log] });
    fs.closeSync(log);
    child.unref();
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(this.explain(fs.readFileSync(errors, 'utf8')))));
    });
    // Also when nobody waits for it any more, an end is no unhandled rejection.
    ended.catch(() => undefined);
    if (child.pid !== undefined) fs.writeFileSync(this.pidFile, String(child.pid));
    await Promise.race([ended, this.answersQmp()]);
  }

  /** Waits until the operator can log in. */
  public async waitForSsh(timeout = 600_000): Promise<void> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const { code, stderr } = await this.ssh('true', { accept: 'any', timeout: 40_000 });
      if (code === 0) return;
      if (!this.running) throw new Error(`${this.machine.name}: the virtual machine ended\n${this.lastWords()}`);
      if (Date.now() > deadline) throw new Error(`${this.machine.name}: no login after ${timeout / 1000} s (${stderr.trim()})\n${this.lastWords()}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  public ssh(command: string, options: SshOptions = {}): Promise<RunResult> {
    return ssh(this.context.workdir, this.machine, command, options);
  }

  /** Pulls the power cord. */
  public async powerCut(): Promise<void> {
    signalRecorded(this.pidFile, this.context.workdir, 'SIGKILL');
    await gone(this.pidFile, this.context.workdir);
  }

  /** Stops the machine in the middle of whatever it does; its clock goes on. */
  public freeze(): void {
    signalRecorded(this.pidFile, this.context.workdir, 'SIGSTOP');
  }

  public thaw(): void {
    signalRecorded(this.pidFile, this.context.workdir, 'SIGCONT');
  }

  /** What a hypervisor does for a snapshot or a migration: the machine stands still, and so does its clock. */
  public async pause(): Promise<void> {
    await qmp(files.qmpSocket(this.context.workdir, this.machine.name), 'stop');
  }

  public async resume(): Promise<void> {
    await qmp(files.qmpSocket(this.context.workdir, this.machine.name), 'cont');
  }

  /** Pulls the LAN cable: the machine sees that its link is down, and no frame passes. SSH is not on this cable. */
  public async unplug(): Promise<void> {
    await this.context.lan.setLink(this.machine.name, false);
    await this.setCarrier(false);
  }

  public async plug(): Promise<void> {
    await this.context.lan.setLink(this.machine.name, true);
    await this.setCarrier(true);
  }

  /** Gives the machine a new disk, as if it had never run. Only while it is off. */
  public async resetDisk(): Promise<void> {
    const overlay = files.overlay(this.context.workdir, this.machine.name);
    fs.rmSync(overlay, { force: true });
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', this.context.image.disk, '-F', 'raw', overlay]);
  }

  /** File with everything that the kernel and systemd said on the serial line. */
  public get console(): string {
    return files.consoleLog(this.context.workdir, this.machine.name);
  }

  private lastWords(): string {
    // Without the colours and moves of a boot.
    const text = fs.readFileSync(this.console, 'utf8').replace(/\x1b\[[0-9;]*[A-Za-z]|\x1bM|\r/g, '');
    return text.trimEnd().split('\n').slice(-25).join('\n');
  }

  private get pidFile(): string {
    return files.machinePid(this.context.workdir, this.machine.name);
  }

  private setCarrier(up: boolean): Promise<unknown> {
    return qmp(files.qmpSocket(this.context.workdir, this.machine.name), 'set_link', { name: 'lan', up });
  }

  private async answersQmp(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await qmp(files.qmpSocket(this.context.workdir, this.machine.name), 'query-status');
        return;
      } catch (error) {
        if (tries > 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  private explain(errors: string): string {
    const last = errors.trim().split('\n').slice(-3).join('\n');
    const taken = /Could not set up host forwarding/.test(errors);
    const advice = taken
      ? `; ${this.machine.sshAddress}:${SSH_PORT} is in use: end the other lab (npm run lab -- down) or set NIM_HA_LAB_OCTET to another number`
      : '';
    return `${this.machine.name}: qemu ended: ${last}${advice}`;
  }
}
