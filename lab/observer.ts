import { eventually } from './checks';
import type { Lab } from './lab';
import { missingFrom, readLedger, type Ledger } from './ledger';
import { NODES, nameOfMac, type NodeName } from './machines';
import { holdersIn } from './outages';
import type { Observed } from './pair';
import type { Vm } from './vm';

const NOTES = '/var/log/nms';
const SHARED = '/mnt/nfs_share/nms';
/** Whether a node may be, or become, the active one; the agent must not take it for a check of keepalived's. */
export const CHECK = 'sudo env NIM_HA_CHECKED=/dev/null /etc/nms/scripts/nms-check-keepalived.sh';
/** Half an hour of a service: more than any fault lasts. */
const NOTES_LINES = 2000;

/** Known by its inode, which ends the name of its file system: what stands for the path there may be cut. */
export const LOCK_CLIENTS =
  'clients="${CLIENTS:-/proc/fs/nfsd/clients}"; inode="$(stat -c %i "${LOCK:-/mnt/nfs_share/nms/.nim-ha/lock}")"; ' +
  'for each in "$clients"/*; do ! grep -q "type: lock, superblock: \\"[^\\"]*:$inode\\"" "$each/states" || grep "^address: " "$each/info"; done';

/** No such file is no complaint; a directory that is not there, or a server that does not answer, is no answer. */
export const CONFLICTS = `shopt -s nullglob; cd "\${SHARE:-${SHARED}}" && cat /dev/null */conflicts`;

/** What a node has noted of the lines that it has written to a stand-in's file for good. */
export type Note = readonly [service: string, text: string];

export interface Files {
  readonly ledgers: ReadonlyMap<string, Ledger>;
  /** Each after the name of its service. */
  readonly missing: readonly string[];
}

/** What can be seen of the pair: from the LAN, and on the nodes. */
export class Observer {
  public constructor(private readonly lab: Lab) {}

  /** With patience: what is given up here goes on there, and the next question comes on top of it. */
  public async observe(name: NodeName): Promise<Observed> {
    const result = await this.lab.machine(name).ssh('sudo nim-ha status --json', { timeout: 120_000 });
    return JSON.parse(result.stdout) as Observed;
  }

  /** Names of the machines that answered for the virtual IP in the last two seconds. */
  public async holders(): Promise<string[]> {
    return (await this.lab.switch.holders(2000)).map(nameOfMac);
  }

  public async holder(): Promise<string | undefined> {
    const holders = await this.holders();
    return holders.length === 1 ? holders[0] : undefined;
  }

  /** Names of the machines that have answered for the virtual IP since then, in the order in which they began to: a role swap makes two. */
  public async holdersSince(since: number): Promise<string[]> {
    return holdersIn(await this.lab.switch.timeline(since)).map(nameOfMac);
  }

  /** Whether the node's keepalived is meant to speak with this password. */
  public async hasAuthPass(name: NodeName, authPass: string): Promise<boolean> {
    const { stdout } = await this.lab.node(name).ssh('sudo cat /etc/keepalived/keepalived.conf');
    return stdout.includes(`auth_pass ${authPass}\n`);
  }

  public exactlyOneActive(seconds: number): Promise<NodeName | undefined> {
    return eventually(seconds, async () => {
      const holder = await this.holder();
      const active = NODES.find((name) => name === holder);
      return active && (await this.observe(active)).phase === 'ACTIVE' ? active : undefined;
    });
  }

  /** What both nodes have noted. @param lines at most of each file, the last ones */
  public async notes(lines = NOTES_LINES): Promise<Note[]> {
    return (await Promise.all(NODES.map((name) => perFile(this.lab.machine(name), NOTES, 'nms-*', `tail -n ${lines}`)))).flat();
  }

  /**
   * The files of the stand-ins by service, read on the NFS server itself, and what is missing of the lines that the nodes have written for good.
   *
   * @param earlier notes that the nodes may not have any more
   */
  public async files(earlier: readonly Note[] = []): Promise<Files> {
    // First what has to be there, then what is.
    const notes = [...earlier, ...(await this.notes())];
    const data = await perFile(this.lab.nfs, SHARED, 'nms-*/data', 'cat');
    const ledgers = new Map(data.map(([service, text]) => [service, readLedger(text)]));
    const missing = notes.flatMap(([service, text]) => missingFrom(ledgers.get(service) ?? readLedger(''), text).map((line) => `${service} ${line}`));
    return { ledgers, missing };
  }

  /** Addresses of the machines that have the lock, by the NFS server's own list of its clients. */
  public async lockClients(): Promise<string[]> {
    const { stdout } = await this.lab.nfs.ssh(`sudo bash -c '${LOCK_CLIENTS}'`);
    return [...stdout.matchAll(/^address: "([\d.]+):/gm)].map(([, address]) => address);
  }

  /** The last line of each stand-in's file, by service. */
  public async lastLines(): Promise<Map<string, string>> {
    const lines = await perFile(this.lab.nfs, SHARED, 'nms-*/data', 'tail -n 1');
    return new Map(lines.map(([service, text]) => [service, text.trim()]));
  }

  /** What the stand-ins complained of: each saw that another one wrote at the same time, or damage. */
  public async conflicts(): Promise<string[]> {
    const { stdout } = await this.lab.nfs.ssh(`sudo bash -c '${CONFLICTS}'`);
    return stdout.split('\n').filter(Boolean);
  }

  /** A standby that is not able yet (just booted, or in its hold-down) would make the next failover something else. */
  public async standbyReady(name: NodeName): Promise<void> {
    const ready = await eventually(300, async () => {
      const checked = await this.lab.machine(name).ssh(`${CHECK} && systemctl is-active keepalived`, { accept: 'any' });
      return checked.code === 0 ? true : undefined;
    });
    if (!ready) throw new Error(`${name} does not become able to take over`);
    // One more check interval, so that its keepalived knows too.
    await new Promise((done) => setTimeout(done, 12_000));
  }

  /** Logins that a node's sshd has accepted since it booted. */
  public async logins(name: NodeName): Promise<number> {
    const { stdout } = await this.lab.machine(name).ssh('sudo journalctl --boot --no-pager -t sshd | grep -c "Accepted "');
    return Number(stdout);
  }
}

/** What a command prints of each file of a stand-in, by service. A record separator goes before each, for a zero is what damaged files have. */
async function perFile(vm: Vm, directory: string, files: string, print: string): Promise<[string, string][]> {
  const { stdout } = await vm.ssh(`sudo bash -c 'shopt -s nullglob; cd ${directory} && for file in ${files}; do printf "\\036%s\\n" "\${file%/*}"; ${print} "$file"; done'`);
  return stdout.split('\x1e').slice(1).map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]);
}

export function allActive(observed: Observed): boolean {
  return areAll(observed, /^active$/);
}

export function noneActive(observed: Observed): boolean {
  return observed.phase === 'STANDBY' && areAll(observed, /^(inactive|failed)$/);
}

/** A node that does not know its services says nothing about them. */
function areAll({ services }: Observed, wanted: RegExp): boolean {
  const states = Object.values(services);
  return states.length > 0 && states.every((state) => wanted.test(state));
}
