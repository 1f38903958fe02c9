import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { bestAccel } from './accel';
import { image } from './image';
import { makeKeys } from './keys';
import { LabConfig, labConfig } from './lab-config';
import { endWithProcess, exitOnSignals } from './lifetime';
import { MACHINES, MachineName, NodeName, machineNamed } from './machines';
import { recordedPid } from './processes';
import { progress, timed } from './progress';
import { writeSeed } from './seed';
import { sshArgs } from './ssh';
import { LabState, createWorkdir, destroyLab, readState, writeState } from './state';
import { SwitchClient } from './switch-client';
import { needVmTools } from './toolchain';
import { Vm } from './vm';
import * as files from './workdir';

export interface UpOptions {
  /** Leaves the lab running when this process ends; default false. */
  readonly keep?: boolean;
}

/** The real pair: two nodes, an NFS server, the LAN between them and an observer on it. */
export class Lab {
  public readonly switch: SwitchClient;
  private readonly vms: ReadonlyMap<MachineName, Vm>;

  private constructor(public readonly state: LabState) {
    const { workdir } = state;
    this.switch = new SwitchClient(files.controlSocket(workdir));
    const context = { workdir, image: state.image, accel: state.accel, lan: this.switch };
    this.vms = new Map(MACHINES.map((machine) => [machine.name, new Vm(machine, context)]));
  }

  /**
   * Builds what is missing, starts everything and waits until all machines can be logged in to.
   *
   * @throws when a lab runs already, or a machine does not come up; nothing is left behind then
   */
  public static async up(options: UpOptions = {}): Promise<Lab> {
    exitOnSignals();
    Lab.refuseSecond();
    await needVmTools();
    const built = await image();
    const accel = await bestAccel(built);
    const workdir = createWorkdir();
    const mayOutlive = endWithProcess(workdir);
    try {
      const keep = options.keep ?? false;
      const lab = new Lab({ workdir, ownerPid: process.pid, keep, accel, image: built, leaseSeconds: seconds('NIM_HA_LAB_LEASE', 40, 10), holdDownSeconds: seconds('NIM_HA_LAB_HOLD_DOWN', 30, 1) });
      await lab.prepare();
      writeState(lab.state);
      await lab.boot();
      if (keep) mayOutlive();
      return lab;
    } catch (error) {
      mayOutlive();
      destroyLab(workdir);
      throw error;
    }
  }

  /** The lab that another process has started. @throws when none runs */
  public static attach(): Lab {
    const state = readState();
    if (!state || recordedPid(files.switchPid(state.workdir), state.workdir) === undefined) {
      throw new Error('no lab runs here; start one with: npm run lab -- up --keep');
    }
    return new Lab(state);
  }

  /** Takes away every process and every file of this lab. */
  public down(): void {
    destroyLab(this.state.workdir);
  }

  /** New disks and a new start for all machines, as if they had never run; keys and addresses stay. */
  public async fresh(): Promise<void> {
    await Promise.all(this.all.map((vm) => vm.powerCut()));
    await this.switch.setDrops([]);
    for (const { machine } of this.all) await this.switch.setLink(machine.name, true);
    await Promise.all(this.all.map((vm) => vm.resetDisk()));
    await this.boot();
  }

  public machine(name: MachineName): Vm {
    return this.vms.get(name)!;
  }

  public node(name: NodeName): Vm {
    return this.machine(name);
  }

  public get nfs(): Vm {
    return this.machine('nfs');
  }

  public get all(): readonly Vm[] {
    return [...this.vms.values()];
  }

  /** Everything of an ssh command line to a machine but the command. */
  public sshArgs(name: MachineName): string[] {
    return sshArgs(this.state.workdir, machineNamed(name));
  }

  /** What a program that deploys to the two nodes has to be told. */
  public config(): LabConfig {
    return labConfig(this.state.workdir);
  }

  private static refuseSecond(): void {
    const state = readState();
    if (!state) return;
    if (recordedPid(files.switchPid(state.workdir), state.workdir) !== undefined) {
      throw new Error(`a lab runs already (${state.workdir}); end it with: npm run lab -- down, or set NIM_HA_LAB_OCTET to another number`);
    }
    // Left by a machine that was switched off under it.
    destroyLab(state.workdir);
  }

  private async prepare(): Promise<void> {
    await makeKeys(this.state.workdir);
    for (const machine of MACHINES) writeSeed(this.state, machine);
    await this.startSwitch();
    await Promise.all(this.all.map((vm) => vm.resetDisk()));
  }

  private async startSwitch(): Promise<void> {
    const { workdir, keep } = this.state;
    const program = ['-r', 'ts-node/register/transpile-only', path.join(__dirname, 'switch-process.ts'), workdir, ...(keep ? ['--keep'] : [])];
    const errors = fs.openSync(files.switchLog(workdir), 'a', 0o600);
    const child = spawn(process.execPath, program, { cwd: path.dirname(__dirname), detached: true, stdio: [keep ? 'ignore' : 'pipe', 'ignore', errors] });
    fs.closeSync(errors);
    if (child.pid !== undefined) fs.writeFileSync(files.switchPid(workdir), String(child.pid));
    // Neither the process nor its pipe keeps this one alive; the pipe's end tells it that this one is gone.
    child.unref();
    (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    for (let tries = 0; !fs.existsSync(files.controlSocket(workdir)); tries += 1) {
      if (child.exitCode !== null || tries > 200) throw new Error(`the switch did not start: ${fs.readFileSync(files.switchLog(workdir), 'utf8')}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.switch.startProbe();
  }

  private async boot(): Promise<void> {
    const { accel, leaseSeconds: lease, holdDownSeconds } = this.state;
    progress(`NFS lease and grace: ${lease} s (a server's default is 90); hold-down ${holdDownSeconds} s (default 120); ${accel === 'kvm' ? 'KVM' : 'software emulation'}`);
    await timed('three machines', async () => {
      for (const vm of this.all) await vm.start();
      await Promise.all(this.all.map((vm) => timed(`${vm.machine.name}: first login`, () => vm.waitForSsh())));
    });
  }
}

/** @param least for the lease, the least that the kernel takes */
function seconds(variable: string, preset: number, least: number): number {
  const text = process.env[variable] ?? String(preset);
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 3600) throw new Error(`${variable}: got '${text}', expected seconds from ${least} to 3600`);
  return value;
}
