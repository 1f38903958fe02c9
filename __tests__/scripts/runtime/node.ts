import { ChildProcess, spawn, spawnSync } from 'child_process';
import { rmSync } from 'fs';
import { basename, join, resolve } from 'path';
import { FileTree } from '../support/file-tree';

const SCRIPTS = resolve(__dirname, '../../../scripts');

/** A node's file tree in a temporary directory, with stand-ins for what only a real machine has. */
export class StandInNode extends FileTree {
  private readonly bin = join(this.root, 'stand-ins');
  private readonly children: ChildProcess[] = [];

  constructor() {
    super('nim-ha-node-');
    // Each call is one line of `calls`; `systemctl show` answers from the file `units`.
    this.standIn('systemctl', `printf '%s\\n' "$*" >>"${this.root}/calls"; case "$1" in show) cat "${this.root}/units" ;; --quiet) exit 3 ;; esac`);
    this.standIn('sync', `printf 'sync %s\\n' "$*" >>"${this.root}/calls"; [[ ! -e ${this.root}/sync-hangs ]] || sleep 60`);
    this.standIn('systemd-notify', `printf 'notify %s\\n' "$*" >>"${this.root}/calls"`);
    this.standIn('logger', `shift 2; printf '%s\\n' "$*" >>"${this.root}/journal"`);
    this.write('calls', '');
    this.write('journal', '');
    this.write('units', '');
    this.write('proc/mounts', '');
    this.write('proc/uptime', '1000.00 1.00\n');
    this.write('etc/fstab', '');
    this.write('etc/nms/scripts/nms-notify-keepalived.sh', `#!/bin/bash\ncheck_nms_services=(\n  "nginx"\n  "nms-core"\n)\n. ${SCRIPTS}/notify.sh\n`, 0o755);
    this.cgroup();
  }

  public remove(path: string): void {
    rmSync(join(this.root, path), { force: true, recursive: true });
  }

  public standIn(name: string, body: string): void {
    this.write(`stand-ins/${name}`, `#!/bin/bash\n${body}\n`, 0o755);
  }

  /** The slice of the services; `pids` empty is an empty slice. */
  public cgroup(...pids: number[]): void {
    this.write('cgroup/cgroup.events', `populated ${pids.length ? 1 : 0}\nfrozen 0\n`);
    this.write('cgroup/nginx.service/cgroup.procs', pids.map((pid) => `${pid}\n`).join(''));
  }

  /** As the lock holder leaves it while it holds the lock. */
  public holdLock(): void {
    this.write('lock-cgroup/cgroup.events', 'populated 1\nfrozen 0\n');
    this.write('run/nim-ha/lock-held', '');
  }

  /** Both mount points, with the share on them. */
  public mount(...points: string[]): void {
    const all = points.length ? points : ['/var/lib/clickhouse', '/var/lib/nms'];
    this.write('proc/mounts', all.map((point) => `192.0.2.13:/x/${basename(point)} ${this.root}${point} nfs4 rw,vers=4.2,hard 0 0\n`).join(''));
  }

  /** What systemd says of the services: name, state, and the job that is queued for it. */
  public units(...states: [string, string, string?][]): void {
    this.write('units', states.map(([id, state, job]) => `Id=${id}.service\nActiveState=${state}\n${job ? `Job=${job}\n` : ''}\n`).join(''));
  }

  public elect(): void {
    this.write('run/nim-ha/want-master', '');
  }

  public uptime(seconds: number): void {
    this.write('proc/uptime', `${seconds}.00 1.00\n`);
  }

  /** One look of the agent. */
  public tick(uptime?: number): Record<string, string> {
    if (uptime) this.uptime(uptime);
    const { status, stderr } = this.run('agent.sh', 'once');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return this.state();
  }

  /** Whether a lock holder, where there is one, notes heartbeats while `watch` goes on. */
  public beats = true;

  /** An agent that runs while the node's clock goes on by `step` seconds at a time, until `end` is true or `seconds` have passed. */
  public async watch(seconds: number, step: number, end: () => boolean = () => false): Promise<void> {
    const begin = Number(this.read('proc/uptime').split('.')[0]);
    const agent = this.start(this.script('agent.sh'));
    for (let passed = step; passed <= seconds && !end(); passed += step) {
      if (this.beats) this.write('run/nim-ha/beat', `${begin + passed}\n`);
      this.uptime(begin + passed);
      await new Promise((done) => setTimeout(done, 250));
    }
    agent.kill('SIGKILL');
  }

  /** State file as key/value. */
  public state(): Record<string, string> {
    return Object.fromEntries(
      this.read('run/nim-ha/state').trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  public run(script: string, ...args: string[]) {
    return spawnSync('bash', [join(SCRIPTS, script), ...args], { env: this.env(), encoding: 'utf8', timeout: 30_000 });
  }

  public bash(code: string, ...args: string[]) {
    return spawnSync('bash', ['-c', code, 'bash', ...args], { env: this.env(), encoding: 'utf8', timeout: 30_000, cwd: SCRIPTS });
  }

  public start(command: string, ...args: string[]): ChildProcess {
    // A session of its own: what it starts may outlive it, under timeout in another group, and is to end with the node.
    const child = spawn(command, args, { env: this.env(), stdio: 'ignore', cwd: SCRIPTS, detached: true });
    this.children.push(child);
    return child;
  }

  public script(name: string): string {
    return join(SCRIPTS, name);
  }

  public async until(what: string, condition: () => boolean, seconds = 45): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!condition()) {
      if (Date.now() > deadline) {
        throw new Error(`not within ${seconds} s: ${what}\njournal:\n${this.read('journal')}calls:\n${this.read('calls')}`);
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  public destroy(): void {
    for (const { pid } of this.children) spawnSync('pkill', ['-KILL', '-s', String(pid)]);
    // Who is being killed may write a last file meanwhile, and maxRetries never looks for new ones.
    for (let left = 20; ; left -= 1) {
      try {
        return rmSync(this.root, { recursive: true, force: true });
      } catch (error) {
        if (left === 0) throw error;
        spawnSync('sleep', ['0.1']);
      }
    }
  }

  private env(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.bin}:${process.env.PATH}`,
      NIM_HA_ROOT: this.root,
      NIM_HA_PROC_MOUNTS: join(this.root, 'proc/mounts'),
      NIM_HA_UPTIME: join(this.root, 'proc/uptime'),
      NIM_HA_SLICE_CGROUP: join(this.root, 'cgroup'),
      NIM_HA_TICK: '0.1',
      NIM_HA_HEARTBEAT: '0.5',
      NIM_HA_LOCK_CGROUP: join(this.root, 'lock-cgroup'),
      NIM_HA_MOUNTSTATS: join(this.root, 'proc/mountstats'),
      NIM_HA_MOUNTINFO: join(this.root, 'proc/mountinfo'),
      NIM_HA_NFS_VOLUMES: join(this.root, 'proc/nfs-volumes'),
      NIM_HA_SYSRQ: join(this.root, 'proc/sysrq'),
      NIM_HA_KMSG: join(this.root, 'proc/kmsg'),
    };
  }
}
