import { Audit, SETTLED_WITHIN, type Settled } from './audit';
import { Checks, eventually, GENTLY_MS } from './checks';
import { explain } from './explain';
import { asRoot } from './faults/fault';
import { giveBack, takeStandAlonePictures } from './given-back';
import type { Lab } from './lab';
import { Load } from './load';
import { NODES, VIRTUAL_IP, type NodeName } from './machines';
import { inOperatedLab } from './operated-lab';
import type { Operator } from './operator';
import { changesIn, doubleMastersIn, longestIn, outagesIn, overlapsIn, secondsIn } from './outages';
import { REPOSITORY } from './pair';
import { checkOut, findVersion, type Version } from './previous-version';
import { progress, timed } from './progress';
import { Rows } from './rows';
import { strangersOn } from './strangers';
import { previousVersion } from './workdir';

const ROWS = 100;
/** Seconds in which rows are accepted again after something that may stop the services: a start on an emulated machine has taken 155 s. */
const ACCEPTED_WITHIN = 300;
/** Seconds in which two machines may answer: a hand-over's last frames. */
const TWO_HOLDERS = 1;
/** The node whose turn is the roll-out's first, where it is the standby. */
const [PRIMARY, SECONDARY] = NODES;

export interface UpgradeOptions {
  /** What to upgrade from. Default: the newest release before this commit. */
  readonly from?: string;
  /** Whether the deploy is stopped between the two nodes, and the pair hands over in both directions there. */
  readonly mixed: boolean;
}

/** @throws with what is wrong with the arguments */
export function upgradeOptions(args: readonly string[]): UpgradeOptions {
  let from: string | undefined;
  let mixed = false;
  for (let index = 0; index < args.length; index += 1) {
    if (args[index] === '--mixed') mixed = true;
    else if (args[index] === '--from' && /^[^-]/.test(args[index + 1] ?? '')) from = args[(index += 1)];
    else throw new Error(`unknown or incomplete argument '${args[index]}'`);
  }
  return { from, mixed };
}

/** A pair that another version of this project has deployed, brought to this one while a client writes, and given back. */
class Upgrade {
  private readonly checks = new Checks();
  private rows?: Rows;
  private load!: Load;
  private audit!: Audit;

  public constructor(private readonly lab: Lab, private readonly operator: Operator, private readonly version: Version, private readonly mixed: boolean) {}

  public async run(): Promise<boolean> {
    try {
      await this.goThrough();
    } catch (error) {
      this.checks.claim('the run comes to its end', false, (error as Error).message);
    }
    if (this.checks.failed) process.stdout.write(`\n${await explain(this.lab)}`);
    await this.load?.stop();
    this.rows?.close();
    process.stdout.write(`\n${this.checks.summary()}\n`);
    return !this.checks.failed;
  }

  private async goThrough(): Promise<void> {
    const { lab, operator: { pair }, version: { ref, commit } } = this;
    progress(`from ${ref} (${commit.slice(0, 12)}) to the version in ${REPOSITORY}`);
    const before = await takeStandAlonePictures(lab);
    await this.deployPrevious();
    await this.startLoad();
    const boots = await this.boots();
    const begun = await this.settled(`deployed with ${ref}`);
    if (this.mixed) await this.stopBetween(begun);

    pair.runFrom(REPOSITORY);
    const printed = pair.printed.length;
    await this.watched('the deploy with this version', () => this.operator.deploy());
    this.checks.claim('no removal is begun by it', !/^.*nim-ha \S+: remove(-fencing)?: /m.test(pair.printed.slice(printed)));
    const roles = await this.isWhole('upgraded');
    const strangers = await strangersOn(lab);
    this.checks.claim('nothing is left that this version does not know', strangers.length === 0, strangers.slice(0, 12).join(' | '));

    // What holds the lock goes on with the program that it has begun with.
    await this.handOver(roles);
    await this.isWhole('handed over');
    const now = await this.boots();
    this.checks.claim('no node has booted', now.join() === boots.join());
    await this.load.stop();
    await giveBack(lab, pair, before, this.checks);
  }

  private async deployPrevious(): Promise<void> {
    const directory = previousVersion(this.lab.state.workdir);
    await timed(`a checkout of ${this.version.ref}`, () => checkOut(this.version, directory));
    this.operator.pair.runFrom(directory);
    await timed(`cdktf deploy with ${this.version.ref}`, () => this.operator.deploy());
  }

  private async startLoad(): Promise<void> {
    const rows = await Rows.through(this.lab.sshArgs('nfs'), VIRTUAL_IP);
    this.rows = rows;
    if (!(await eventually(ACCEPTED_WITHIN, async () => (await rows.create(), true)))) throw new Error('ClickHouse does not answer through the virtual IP');
    await rows.insert(1, ROWS);
    this.load = new Load(rows, ROWS + 1);
    this.audit = new Audit(this.lab, this.operator.pair, rows, this.load, ROWS);
  }

  /** @throws when it does not become so */
  private async settled(when: string): Promise<Settled> {
    const roles = await timed('settling', () => this.audit.settled());
    if (!roles) throw new Error(`${when}: not one active node and one able standby within ${SETTLED_WITHIN} s: ${await this.audit.reasons()}`);
    return roles;
  }

  private async isWhole(when: string): Promise<Settled> {
    const roles = await this.settled(when);
    const findings = await this.audit.findings(roles);
    this.checks.claim(`${when}: ${roles.active} serves, ${roles.standby} is standby, both as deployed, and cdktf diff shows no resource`, findings.length === 0, findings.join('; '));
    await this.lostNothing(when);
    return roles;
  }

  private async lostNothing(when: string): Promise<void> {
    const damage = await this.audit.damage();
    this.checks.claim(`${when}: every acknowledged row and line is there, once, and nobody saw a second writer`, damage.length === 0, damage.join('; '));
  }

  /** What it costs, seen from the LAN and by the client: measured, and not asserted but for the roles. */
  private async watched(what: string, work: () => Promise<unknown>): Promise<void> {
    const since = Date.now();
    await timed(what, work);
    const done = Date.now();
    const accepted = await eventually(ACCEPTED_WITHIN, async () => this.load.acceptedSince(done) || undefined);
    const until = Date.now();
    this.checks.claim(`${what}: rows are accepted after it`, accepted === true);
    const seen = await this.lab.switch.timeline(since);
    const away = longestIn(outagesIn(seen, until), until);
    const changes = changesIn(seen);
    progress(`${what}: virtual IP away for ${away.toFixed(2)} s, no row accepted for ${this.load.longestOutage(since, until).toFixed(1)} s, each at the longest; ${changes} changes of the node that answers`);
    this.checks.claim(`${what}: the virtual IP changes hands once at most`, changes <= 1, String(changes));
    const both = Math.max(secondsIn(overlapsIn(seen)), secondsIn(doubleMastersIn(seen)));
    this.checks.claim(`${what}: two nodes answer, or say that they are master, for no longer than ${TWO_HOLDERS} s`, both <= TWO_HOLDERS, `${both.toFixed(2)} s`);
  }

  private async handOver({ active, standby }: Settled): Promise<void> {
    // Until its keepalived has run its check: a standby that is able does not know it yet.
    await this.audit.see.standbyReady(standby);
    await this.watched(`nim-ha switchover on ${active}`, () => this.lab.node(active).ssh('sudo nim-ha switchover', { timeout: 400_000 }));
    const { active: now } = await this.settled('handed over');
    this.checks.claim(`${standby} has taken over`, now === standby, now);
  }

  /** Each version takes over from the other, in a pair that has both: what a deploy leaves that ends between the two nodes. */
  private async stopBetween(roles: Settled): Promise<void> {
    const { lab, operator: { pair } } = this;
    // Of an active node that is the secondary the turn comes after the primary's, and with it an end that is none between the two.
    if (roles.active !== PRIMARY) await this.handOver(roles);
    pair.runFrom(REPOSITORY);
    const { code } = await timed('cdktf deploy with this version, interrupted between the two nodes', () =>
      pair.deployInterrupted(new RegExp(`nim-ha ${SECONDARY}: rollout 1: changed`), async (ctrlC) => ctrlC()));
    // A step that has begun to change the node goes on to its end: the node has it as a unit of its own.
    const over = await eventually(300, async () => ((await lab.node(SECONDARY).ssh('systemctl is-active nim-ha-step.service', { accept: 'any' })).code === 0 ? undefined : true), GENTLY_MS);
    const [old, current] = await Promise.all(NODES.map((name) => asRoot(lab, name, 'cat /usr/local/lib/nim-ha/*.sh | sha256sum')));
    this.checks.claim(`${SECONDARY} has this version, and ${PRIMARY} the other`, code !== 0 && over === true && old !== current, `code ${code}`);
    if ((await this.audit.see.observe(SECONDARY)).keepalived !== 'active') {
      progress(`${SECONDARY} is out of the pair until the deploy goes on, for keepalived's configuration or the mounts are others: nothing can be handed over`);
      return;
    }
    await this.handOver(await this.settled('of two versions'));
    await this.handOver(await this.settled('of two versions, the new one active'));
    await this.lostNothing('of two versions, handed over and back');
  }

  private boots(): Promise<string[]> {
    return Promise.all(NODES.map((name: NodeName) => asRoot(this.lab, name, 'cat /proc/sys/kernel/random/boot_id')));
  }
}

/** @returns whether everything was as claimed */
export async function upgrade({ from, mixed }: UpgradeOptions): Promise<boolean> {
  // Before anything is started.
  const version = await findVersion(from);
  return inOperatedLab((lab, operator) => new Upgrade(lab, operator, version, mixed).run());
}
