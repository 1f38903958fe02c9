import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import type { Server } from 'node:net';
import * as path from 'node:path';
import { Checks, eventually } from './checks';
import { asRoot } from './faults/fault';
import { publicHostKeys } from './keys';
import type { Lab } from './lab';
import type { NodeAccess } from './lab-config';
import { machineNamed, NODES, OPERATOR, SSH_PORT, type NodeName } from './machines';
import { Observer } from './observer';
import { inOperatedLab } from './operated-lab';
import type { Operator } from './operator';
import { timed } from './progress';
import { relay } from './relay';
import { run, type RunResult } from './run';
import { findSecrets, formsOf, formsOfKey } from './secrets';
import { SecretWatch } from './secret-watch';
import { shellQuote } from './shell-quote';

/** Somebody whom sudo asks for the password. */
const USER = 'alice';
const PASSWORD = 'vT5 $x"Qm9_w';
const WRONG = 'nW6 $z"Rk2_t';
/** Passwords of the pair, one for each deploy: words that a log could not hold by chance. */
const AUTH_PASSES = [...'abcdefghijklmnop'].map((letter) => `zq${letter}-Xw2K`);
/** Port of this machine's `::1` that leads to a node: each lab's own, as its loopback addresses are. */
export function ipv6Port({ name, host }: Pick<NodeAccess, 'name' | 'host'>): number {
  const octet = /^127\.(\d+)\.0\.\d+$/.exec(host)?.[1];
  if (octet === undefined) throw new Error(`${name}: got ${host}, expected a loopback address of the lab`);
  return 23_000 + 2 * Number(octet) + NODES.indexOf(name);
}

/** Run on a machine as root: a user with a password for login and sudo, and root, both with the operator's key. */
const NEWCOMERS = `set -eu
useradd --create-home --shell /bin/bash ${USER}
read -r password
printf '%s:%s\\n' ${USER} "$password" | chpasswd
for home in /root /home/${USER}; do
  install -d -m 0700 "$home/.ssh"
  install -m 0600 /home/${OPERATOR}/.ssh/authorized_keys "$home/.ssh/authorized_keys"
done
chown -R ${USER}: /home/${USER}/.ssh
echo '${USER} ALL=(ALL) ALL' >/etc/sudoers.d/${USER}
chmod 0440 /etc/sudoers.d/${USER}`;

/** A pair is deployed to, read and removed by every way of logging in, on real machines. */
class WaysIn {
  private readonly checks = new Checks();
  private readonly see: Observer;
  private readonly closing: (() => void)[] = [];
  private readonly secrets: string[];
  /** How many passwords the pair has had, and the one that it has. */
  private passwords = 0;
  private inForce = '';

  public constructor(private readonly lab: Lab, private readonly operator: Operator) {
    this.see = new Observer(lab);
    this.secrets = [...[PASSWORD, WRONG, ...AUTH_PASSES].flatMap(formsOf), ...formsOfKey(lab)];
  }

  public async run(): Promise<boolean> {
    await this.goThrough().finally(() => this.closing.forEach((close) => close()));
    process.stdout.write(`\n${this.checks.summary()}\n`);
    return !this.checks.failed;
  }

  private async goThrough(): Promise<void> {
    const { privateKeyFile } = this.lab.config();
    const { pair } = this.operator;
    // Terraform says all that it has to say, in a file where secrets are looked for.
    pair.setEnvironment('TF_LOG', 'TRACE');
    pair.setEnvironment('TF_LOG_PATH', path.join(this.operator.directory, 'terraform.log'));
    for (const name of [...NODES, 'nfs'] as const) await this.lab.machine(name).ssh(`sudo bash -c ${shellQuote(NEWCOMERS)}`, { input: `${PASSWORD}\n` });
    await this.deploys('a private key, a user of whom sudo asks nothing, a port other than 22', {});

    pair.setVariable('sudo_password', WRONG);
    await this.isRefused('a wrong password for sudo', { ssh: { user: USER, sudoPasswordVariable: 'sudo_password' } }, /nim-ha (\S+): preflight: FAILED \[node\/sudo\]/g);
    const { primary, secondary } = this.lab.config();
    const swapped = { primary: { ...primary, hostKeys: secondary.hostKeys }, secondary: { ...secondary, hostKeys: primary.hostKeys } };
    await this.isRefused('two machines swapped, by their host keys', { ...swapped, ssh: { user: OPERATOR, timeout: '20s' } }, /handshake\s+failed:\s+knownhosts:\s+key\s+mismatch/g);

    this.operator.intend({});
    const staged = '/var/lib/nim-ha/staged';
    await this.failsAt('stage', NODES, staged, `mkdir -p ${staged} && mount -t tmpfs none ${staged}`);
    const conf = '/etc/keepalived/keepalived.conf';
    const active = await this.see.exactlyOneActive(120);
    for (const name of [...NODES].sort((one) => (one === active ? 1 : -1))) await this.failsAt('rollout', [name], conf, `mount --bind ${conf} ${conf}`);
    await this.deploys('a key file, root', { ssh: { user: 'root', login: 'private-key-file', privateKeyFile } });
    pair.setEnvironment('SSH_AUTH_SOCK', await this.agent(privateKeyFile));
    await this.deploys('an agent', { ssh: { user: OPERATOR, login: 'agent' } });
    pair.setEnvironment('SSH_AUTH_SOCK', undefined);
    pair.setVariable('ssh_password', PASSWORD);
    await this.deploys('a password, for sudo as well', { ssh: { user: USER, login: 'password', sudoPasswordVariable: 'ssh_password' } });

    await this.moves('IPv6 addresses', { ...(await this.ipv6()), ssh: { user: OPERATOR } });
    pair.setVariable('sudo_password', PASSWORD);
    const nfs = machineNamed('nfs');
    const bastion = { host: nfs.sshAddress, port: SSH_PORT, hostKeys: publicHostKeys(this.lab.state.workdir, nfs) };
    await this.moves('a bastion, port 22 of the nodes, a password for sudo alone', { ...this.inside(), ssh: { user: USER, sudoPasswordVariable: 'sudo_password', bastion } });
    await this.isRemoved();
  }

  /** By a change that each node has to be told, so that every step logs in this way; and the outputs, which the OpenSSH client reads. */
  private async deploys(way: string, change: object): Promise<void> {
    this.operator.intend(change);
    await this.bringPassword(way);
  }

  private async bringPassword(way: string): Promise<void> {
    const since = Date.now();
    const { code } = await this.deployWatched(way);
    this.checks.claim(`${way}: cdktf deploy ends with 0`, code === 0, String(code));
    if (code !== 0) throw new Error(`no deploy through ${way}; its output above says why`);
    const first = this.inForce === '';
    this.inForce = this.lastPassword;
    await this.havePassword(way);
    const { primary, secondary, active_node: active } = await this.operator.pair.outputs();
    this.checks.claim(`${way}: both nodes are read`, primary.observed.reachable === true && secondary.observed.reachable === true && NODES.some((name) => name === active),
      [primary.observed.reason, secondary.observed.reason, active].filter(Boolean).join(', '));
    if (first) this.checks.claim(`${way}: exactly one node is active`, (await this.see.exactlyOneActive(120)) !== undefined);
    else await this.noSwap(way, since);
  }

  private get lastPassword(): string {
    return AUTH_PASSES[this.passwords - 1];
  }

  /** With another password, so that there is something to be done on each node. */
  private async deployWatched(way: string): Promise<RunResult> {
    this.passwords += 1;
    this.operator.pair.setVariable('auth_pass', this.lastPassword);
    const watch = await SecretWatch.begin(this.lab, this.secrets);
    const result = await timed(`cdktf deploy: ${way}`, () => this.operator.pair.deploy());
    const { found } = await watch.stop();
    this.checks.claim(`${way}: no secret was in a process list, or in a file but the 0600 ones, during the deploy`, found.length === 0, found.slice(0, 5).join(', '));
    return result;
  }

  private async havePassword(what: string): Promise<void> {
    for (const name of NODES) this.checks.claim(`${what}: keepalived.conf of ${name} has the password that it should have`, await this.see.hasAuthPass(name, this.inForce));
  }

  private async noSwap(what: string, since: number): Promise<void> {
    const holders = await this.see.holdersSince(since);
    this.checks.claim(`${what}: no role swap`, holders.length === 1, holders.join(', ') || 'nobody');
  }

  /** @param words have to be found for two: both nodes say so, or Terraform says it of both */
  private async isRefused(what: string, change: object, words: RegExp): Promise<void> {
    this.operator.intend(change);
    await this.fails(what, words, 2);
    await this.havePassword(what);
  }

  /** A step that cannot do its work, for a mount point is in its way, which not even root can replace. */
  private async failsAt(step: string, nodes: readonly NodeName[], place: string, mount: string): Promise<void> {
    const each = (command: string): Promise<unknown> => Promise.all(nodes.map((name) => asRoot(this.lab, name, command)));
    await each(mount);
    await this.fails(`${step} made to fail on ${nodes.join(' and ')}`, new RegExp(`nim-ha \\S+: ${step} ?[1-4]?: FAILED`, 'g'), 1).finally(() => each(`umount ${place}`));
  }

  private async fails(what: string, words: RegExp, least: number): Promise<void> {
    const since = Date.now();
    const { code, stdout, stderr } = await this.deployWatched(what);
    const said = [...(stdout + stderr).matchAll(words)].length;
    this.checks.claim(`${what}: the deploy fails, and says so`, code !== 0 && said >= least, `code ${code}, said ${said} times`);
    await this.noSwap(what, since);
    const found = await findSecrets(this.lab, this.operator.directory, this.operator.pair.printed, this.secrets, true);
    this.checks.claim(`${what}: no secret is anywhere but in keepalived.conf, and where it waits for the next deploy`, found.length === 0, found.slice(0, 5).join(', '));
  }

  /** The same machines under other addresses: refused, until the operator has said that they are the same. */
  private async moves(way: string, change: object): Promise<void> {
    const { pair } = this.operator;
    const since = Date.now();
    this.operator.intend(change);
    const { code, stdout, stderr } = await timed(`cdktf deploy to ${way}`, () => pair.deploy());
    const entries = new Set([...(stdout + stderr).matchAll(/\[ssh\/same-machine\].*terraform state rm '(.*?)'/g)].map(([, entry]) => entry));
    this.checks.claim(`${way}: two entries of the state are the same machines, and nothing is removed`, code !== 0 && entries.size === 2, `code ${code}, ${[...entries].join(' ')}`);
    await this.noSwap(`${way}, refused`, since);
    for (const entry of entries) await pair.forget(entry);
    await this.bringPassword(way);
  }

  private async isRemoved(): Promise<void> {
    const { code } = await timed('cdktf destroy, the same way', () => this.operator.pair.destroy());
    this.checks.claim('cdktf destroy ends with 0', code === 0, String(code));
    for (const name of NODES) {
      const found = await asRoot(this.lab, name, 'ls -d /usr/local/lib/nim-ha /var/lib/nim-ha /etc/keepalived/keepalived.conf /root/.nim-ha /home/*/.nim-ha 2>/dev/null; true');
      const left = found.split('\n').filter(Boolean);
      this.checks.claim(`${name}: the pair is gone, and what each user has uploaded`, left.length === 0, left.join(' '));
    }
    this.checks.claim('nobody answers for the virtual IP', (await eventually(30, async () => ((await this.see.holders()).length === 0 ? true : undefined))) === true);
    const found = await findSecrets(this.lab, this.operator.directory, this.operator.pair.printed, this.secrets);
    this.checks.claim('no secret is anywhere any more', found.length === 0, found.slice(0, 5).join(', '));
  }

  /** @returns its socket */
  private async agent(keyFile: string): Promise<string> {
    const socket = path.join(this.operator.directory, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    this.closing.push(() => agent.kill());
    await eventually(10, async () => (fs.existsSync(socket) ? true : undefined), 100);
    await run('ssh-add', ['-q', keyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    return socket;
  }

  private async ipv6(): Promise<{ primary: NodeAccess; secondary: NodeAccess }> {
    const { primary, secondary } = this.lab.config();
    const at = async (node: NodeAccess): Promise<NodeAccess> => {
      const port = ipv6Port(node);
      const server: Server = await relay({ host: '::1', port }, { host: node.host, port: node.port });
      this.closing.push(() => server.close());
      return { ...node, host: '::1', port };
    };
    return { primary: await at(primary), secondary: await at(secondary) };
  }

  /** As a host of the LAN reaches them. */
  private inside(): { primary: NodeAccess; secondary: NodeAccess } {
    const { primary, secondary } = this.lab.config();
    const at = (node: NodeAccess): NodeAccess => ({ ...node, host: machineNamed(node.name).lanAddress, port: 22 });
    return { primary: at(primary), secondary: at(secondary) };
  }
}

/** @returns whether everything was as claimed */
export function waysIn(): Promise<boolean> {
  return inOperatedLab((lab, operator) => new WaysIn(lab, operator).run());
}
