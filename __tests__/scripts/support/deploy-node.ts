import { spawn, spawnSync } from 'child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'fs';
import { join, resolve } from 'path';
import { FileTree } from './file-tree';

const SCRIPTS = resolve(__dirname, '../../../scripts');
const STAND_INS = resolve(__dirname, 'stand-ins');

const SERVICES = ['nginx', 'nms-core'];
export const MACHINE_IDS = { primary: 'a'.repeat(32), secondary: 'b'.repeat(32) };
const base64 = (text: string) => Buffer.from(text).toString('base64');

export const fstabLines = (server: string): string =>
  ['clickhouse', 'nms'].map((name) => `${server}:/mnt/nfs_share/${name} /var/lib/${name} nfs defaults 0 0`).join('\n');

const KEEPALIVED_CONF = `vrrp_script nms_check_keepalived {
    script "/etc/nms/scripts/nms-check-keepalived.sh"
}
vrrp_instance VI_28 {
    interface ens32
    virtual_router_id 251
    authentication {
        auth_pass <AUTH_PASSWORD>
    }
}
`;

export interface Result {
  readonly code: number | null;
  readonly out: string;
}

/** A machine with NIM on it, before and while a pair is deployed to it: a file tree, and stand-ins for what needs a real machine. */
export class DeployNode extends FileTree {
  public readonly inbox = join(this.root, 'home/ops/.nim-ha');
  public files: Record<string, [mode: string, text: string]> = {
    '/etc/keepalived/keepalived.conf': ['0600', KEEPALIVED_CONF],
    '/etc/nms/scripts/nms-notify-keepalived.sh': ['0755', '#!/bin/bash\necho ours\n'],
    '/etc/systemd/system/nim-ha.target': ['0644', '[Unit]\n'],
    ...Object.fromEntries(SERVICES.map((name) => [`/etc/systemd/system/${name}.service.d/50-nim-ha.conf`, ['0644', '[Unit]\n']])),
  };

  constructor(public readonly role: 'primary' | 'secondary' = 'primary') {
    super('nim-ha-deploy-');
    this.write('etc/fstab', 'LABEL=root / ext4 defaults 0 1\n');
    this.write('etc/machine-id', `${MACHINE_IDS[role]}\n`);
    this.write('etc/nms/nms.conf', '# NIM\nuser: nms\n');
    this.write('etc/nms/scripts/nms-notify-keepalived.sh', '#!/bin/bash\necho vendor\n', 0o755);
    this.write('var/lib/clickhouse/data/part.bin', 'rows on this disk');
    this.write('var/lib/nms/state.json', '{}');
    this.write('proc/mounts', '');
    this.write('proc/uptime', '1000.00 1.00\n');
    this.write('sys/fs/cgroup/cgroup.controllers', 'cpu\n');
    this.write('cgroup/cgroup.events', 'populated 0\n');
    for (const directory of ['fake/units', 'fake/nfs/clickhouse', 'fake/nfs/nms', 'usr/local/lib', 'usr/local/sbin', 'etc/systemd/system', 'run']) {
      mkdirSync(join(this.root, directory), { recursive: true });
    }
    for (const name of [...SERVICES, 'nms']) this.write(`fake/units/${name}.service`, 'enabled active\n');
    this.write('fake/packages', 'bash\nnginx\n');
    this.write('fake/hostname', `node-${role}\n`);
    this.write('fake/calls', '');
    this.upload({ ROLE: role, NAME: role, PEER_NAME: role === 'primary' ? 'secondary' : 'primary' });
    this.uploadSecret('s3cret.X');
  }

  /** Remembers all of the machine; `restore` brings it back, at the same place. */
  public snapshot(): void {
    this.uploaded = { values: this.values, files: this.files };
    cpSync(this.root, `${this.root}.snapshot`, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }

  public restore(): void {
    rmSync(this.root, { recursive: true, force: true });
    cpSync(`${this.root}.snapshot`, this.root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    Object.assign(this, this.uploaded);
  }

  /** What Terraform brings: scripts and node.data. */
  public upload(values: Record<string, string> = {}): void {
    this.values = { ...this.values, ...values };
    cpSync(SCRIPTS, join(this.inbox, 'scripts'), { recursive: true });
    const entries = {
      FILES: Object.entries(this.files).map(([path, [mode, text]]) => `${mode} ${path} ${base64(text)}`).join('\n'),
      ...this.values,
    };
    this.write('home/ops/.nim-ha/node.data', Object.entries(entries).map(([key, value]) => `${key}=${base64(value)}\n`).join(''));
  }

  public uploadSecret(secret: string): void {
    this.write('home/ops/.nim-ha/secret/auth_pass', `AUTH_PASS=${base64(secret)}\n`, 0o600);
  }

  public uploadSudoPassword(password: string): void {
    this.write('home/ops/.nim-ha/secret/sudo', `${base64(password)}\n`, 0o600);
  }

  /** From now on sudo asks the user of the deploy for this. */
  public sudoTakes(password: string): this {
    this.write('fake/sudo-password', `${password}\n`);
    return this;
  }

  public mode(path: string): string {
    return (statSync(join(this.root, path)).mode & 0o777).toString(8);
  }

  /** A switch of the stand-ins, such as `peer-active`. */
  public set(name: string, on = true): void {
    if (on) this.write(`fake/${name}`, '');
    else rmSync(join(this.root, 'fake', name), { force: true });
  }

  /** Commands that changed something since the last call of this. */
  public actions(): string[] {
    const asked = /^systemctl (--version|cat|is-|show|--quiet is-|reset-failed)|--property|--simulate/;
    const lines = this.read('fake/calls').split('\n').filter((line) => line && !asked.test(line) && !line.startsWith('systemd-run'));
    this.write('fake/calls', '');
    return lines;
  }

  /** Everything below the root that belongs to the machine, with content and mode. */
  public tree(tops = ['etc', 'usr', 'var', 'run']): Record<string, string> {
    const found: Record<string, string> = {};
    const walk = (directory: string) => {
      for (const entry of readdirSync(join(this.root, directory), { withFileTypes: true })) {
        const path = `${directory}/${entry.name}`;
        if (entry.isDirectory()) {
          found[path] = this.mode(path);
          walk(path);
        } else {
          found[path] = entry.isFile() ? `${this.mode(path)} ${this.read(path)}` : 'link';
        }
      }
    };
    for (const top of tops) walk(top);
    return found;
  }

  public step(...args: string[]): Result {
    return this.run('bash', [join(this.inbox, 'scripts/run-step.sh'), ...args]);
  }

  public script(name: string, args: string[] = [], input = ''): Result {
    return this.run('bash', [join(SCRIPTS, name), ...args], input);
  }

  /** A snippet of bash in the directory of the scripts. */
  public bash(code: string, input = ''): Result {
    return this.run('bash', ['-c', code], input);
  }

  /** A command of this machine alone, before that of the others; `next` in its text goes on to that one. */
  public wrap(command: string, text: string): void {
    this.write(`wrapped/${command}`, `#!/bin/bash\nnext() { PATH="\${PATH#*wrapped:}" exec ${command} "$@"; }\n${text}\n`, 0o755);
  }

  /** A machine on which no such commands are. */
  public without(...commands: string[]): void {
    this.bash(`mkdir -p "$NIM_HA_ROOT/commands"; IFS=:; for d in $PATH; do cp -sn "$d"/* "$NIM_HA_ROOT/commands"; done 2>/dev/null; cd "$NIM_HA_ROOT/commands" && rm -f ${commands.join(' ')}`);
  }

  /** Somebody has the lock on the share when this returns, and goes on with `work`, for which the file is open as 9. */
  public holdLock(work = 'exec sleep 60', share = 'nfs'): void {
    const lock = `"$FAKE/${share}/nms/.nim-ha/lock"`;
    const { code, out } = this.bash(`mkdir -p "$FAKE/${share}/nms/.nim-ha"; printf '%s\\n' ${lock} >"$FAKE/holder.lock"
      (exec 9>>${lock}; flock 9; ${work}) >/dev/null 2>&1 & echo $! >"$FAKE/holder.pid"
      for ((tries = 400; tries > 0; tries--)); do flock -n ${lock} true || exit 0; sleep 0.05; done
      exit 1`);
    if (code !== 0) throw new Error(`nobody has got the lock on ${share}: ${out}`);
  }

  /** The lock is free when this returns: what the holder was just doing may outlive it by a moment, with the file open. */
  public letGo(): void {
    const { code, out } = this.bash(`kill "$(cat "$FAKE/holder.pid")"; lock="$(cat "$FAKE/holder.lock")"
      for ((tries = 400; tries > 0; tries--)); do [[ -e $lock ]] && ! flock -n "$lock" true || exit 0; sleep 0.05; done
      exit 1`);
    if (code !== 0) throw new Error(`the lock is not let go of: ${out}`);
  }

  public start(...args: string[]): Promise<Result> {
    const child = spawn('bash', [join(this.inbox, 'scripts/run-step.sh'), ...args], { env: this.env(), stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (out += chunk));
    return new Promise((done) => child.on('close', (code) => done({ code, out })));
  }

  public destroy(): void {
    rmSync(this.root, { recursive: true, force: true });
    rmSync(`${this.root}.snapshot`, { recursive: true, force: true });
  }

  public env(): NodeJS.ProcessEnv {
    return {
      PATH: this.has('commands') ? join(this.root, 'commands') : `${join(this.root, 'wrapped')}:${STAND_INS}:${process.env.PATH}`,
      HOME: join(this.root, 'home/ops'),
      FAKE: join(this.root, 'fake'),
      FAKE_UID: '0',
      NIM_HA_ROOT: this.root,
      NIM_HA_PROC_MOUNTS: join(this.root, 'proc/mounts'),
      NIM_HA_UPTIME: join(this.root, 'proc/uptime'),
      NIM_HA_SLICE_CGROUP: join(this.root, 'cgroup'),
      NIM_HA_FREE_KIB: '1000000',
      NIM_HA_POLL: '0.05',
      NIM_HA_RELOAD_WAIT: '0',
      NIM_HA_BEAT_WAIT: '0.2',
      NIM_HA_START_LIMIT: '2',
      NIM_HA_STANDBY_LIMIT: '2',
      NIM_HA_LEASE_LIMIT: '1',
      NIM_HA_LOCK_LIMIT: '1',
    };
  }

  private uploaded = {};

  private values: Record<string, string> = {
    HOST: '192.0.2.11',
    PEER_HOST: '192.0.2.12',
    INTERFACE: 'ens32',
    VIRTUAL_IP: '192.0.2.100',
    VIRTUAL_ROUTER_ID: '251',
    PROFILE: 'guide',
    NFS_SERVER: '192.0.2.13',
    NFS_EXPORT_PATH: '/mnt/nfs_share',
    MOUNT_OPTIONS: 'rw,relatime,vers=4.2,hard',
    SERVICES: SERVICES.join(' '),
    OPERATION_MODE: 'disconnected',
    INSTALL_KEEPALIVED: 'yes',
    TAKE_OVER: 'no',
    FSTAB: fstabLines('192.0.2.13'),
    GENERATION: '1',
  };

  private run(command: string, args: string[], input = ''): Result {
    const done = spawnSync(command, args, { env: this.env(), encoding: 'utf8', timeout: 50_000, cwd: SCRIPTS, input });
    return { code: done.status, out: done.stdout + done.stderr };
  }
}
