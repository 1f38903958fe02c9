import { STACK } from './app-config';
import { Checks, eventually } from './checks';
import { FAILOVERS, type Failover, type MeasuredFailover } from './failovers';
import { giveBack, takeStandAlonePictures } from './given-back';
import type { Lab } from './lab';
import { NODES, nameOfMac, VIRTUAL_IP, type NodeName } from './machines';
import { allActive, noneActive, Observer } from './observer';
import type { Operator } from './operator';
import type { Pair } from './pair';
import { progress, timed } from './progress';
import { censusOf, Rows } from './rows';
import { findSecrets } from './secrets';
import { SecretWatch } from './secret-watch';
import { sufferFaults } from './smoke';
import { failoverTable, nodeTable } from './tables';

const ROWS = 1000;

export interface RehearsalOptions {
  /** All four ways of the guide to fail over; default the first two. */
  readonly all: boolean;
  /** One failover, some faults with an audit after each, and a deploy through the pipelines' steps. */
  readonly smoke: boolean;
  /** What must not be found anywhere. */
  readonly secrets: readonly string[];
  /** Among them. */
  readonly nextPassword: string;
}

function chosen({ all, smoke }: RehearsalOptions): readonly Failover[] {
  if (all) return FAILOVERS;
  return FAILOVERS.slice(0, smoke ? 1 : 2);
}

/** The main job from the first deploy to the removal, with every claim checked from outside. */
export class Rehearsal {
  private readonly checks = new Checks();
  private readonly measured: MeasuredFailover[] = [];
  private readonly see: Observer;
  private rows!: Rows;
  private written = 0;
  /** Since when nobody has done anything to the pair. */
  private quietSince = Date.now();

  private readonly pair: Pair;

  public constructor(private readonly lab: Lab, private readonly operator: Operator, private readonly options: RehearsalOptions) {
    this.see = new Observer(lab);
    this.pair = operator.pair;
  }

  public async run(): Promise<boolean> {
    const before = await takeStandAlonePictures(this.lab);
    await timed('cdktf deploy', () => this.deploy());
    await this.showOutputs();
    await this.writeRows();
    for (const failover of chosen(this.options)) await this.failOver(failover);
    if (this.options.all) await this.changePassword();
    if (this.options.smoke) {
      await this.pipelineDiff();
      await sufferFaults(this.lab, this.operator, this.checks, this.written);
    } else {
      await this.deployAgain();
    }
    await this.expectNoSecrets();
    await giveBack(this.lab, this.pair, before, this.checks);
    process.stdout.write(`\n${failoverTable(this.measured)}\n${this.checks.summary()}\n`);
    return !this.checks.failed;
  }

  public close(): void {
    this.rows?.close();
  }

  private async deploy(): Promise<void> {
    if (this.options.smoke) this.checks.claim("the pipelines' check step ends with 0", (await this.pair.step('check.sh')).code === 0);
    const watch = await SecretWatch.begin(this.lab, this.options.secrets);
    const before = await this.logins();
    const { code } = await this.pair.deploy();
    this.checks.claim('cdktf deploy ends with 0', code === 0, String(code));
    const seen = await watch.stop();
    this.checks.claim('password and key were in no process list, and in no file but the 0600 staging one, during the deploy', seen.found.length === 0,
      seen.found.slice(0, 5).join(', ') || `looked ${Object.entries(seen.looks).map(([name, count]) => `${count} times at ${name}`).join(', ')}`);
    if (code !== 0) throw new Error('the deploy failed; its output above says where');
    this.claimLogins('a first deploy', before, await this.logins(), 8);
    const active = await this.see.exactlyOneActive(60);
    this.checks.claim('exactly one node is active', active !== undefined, active ?? 'none or both');
    this.quietSince = Date.now();
    await this.expectNoSecrets();
  }

  private logins(): Promise<number[]> {
    return Promise.all(NODES.map((name) => this.see.logins(name)));
  }

  /** sshd drops connections at random beyond ten that are not logged in yet, so a deploy must not make many. */
  private claimLogins(what: string, before: readonly number[], after: readonly number[], limit: number): void {
    // Who asks has been logged in since the machines were started.
    const made = after.map((count, index) => count - before[index]);
    this.checks.claim(`${what} logs in at most ${limit} times per node`, made.every((count) => count <= limit), made.join(' and '));
  }

  private async expectNoSecrets(): Promise<void> {
    const found = await timed('looking for the password and the key', () => findSecrets(this.lab, this.operator.directory, this.pair.printed, this.options.secrets));
    this.checks.claim('password and key are nowhere but in keepalived.conf', found.length === 0, found.slice(0, 5).join(', '));
  }

  private async showOutputs(): Promise<void> {
    const outputs = await this.pair.outputs();
    process.stdout.write(`\n${nodeTable(outputs)}\n`);
    this.checks.claim('active_node is the one that answers for the virtual IP', outputs.active_node === (await this.see.holder()), outputs.active_node);
  }

  private async writeRows(): Promise<void> {
    this.rows = await Rows.through(this.lab.sshArgs('nfs'), VIRTUAL_IP);
    await timed(`${ROWS} rows into ClickHouse through ${VIRTUAL_IP}`, async () => {
      const ready = await eventually(300, async () => (await this.rows.create(), true));
      if (!ready) throw new Error('ClickHouse does not answer through the virtual IP');
      await this.rows.insert(1, ROWS);
      this.written = ROWS;
    });
    await this.expectRows('all rows are there');
  }

  private async expectRows(claim: string): Promise<void> {
    const expected = censusOf(this.written);
    const got = await eventually(240, async () => this.rows.census());
    this.checks.claim(`${claim}: ${this.written}`, got === expected, (got ?? 'no answer').replace(/\t/g, ' / '));
  }

  private async failOver(failover: Failover): Promise<void> {
    const from = await this.see.exactlyOneActive(300);
    if (!from) throw new Error(`before "${failover.name}": not exactly one node is active`);
    const to = NODES.find((name) => name !== from)!;
    await this.see.standbyReady(to);
    await this.expectNoSwap(failover.name);
    progress(`── ${failover.name} on ${from}: ${failover.how}`);
    const start = Date.now();
    await failover.fail(this.lab, from);
    const failed = Date.now();
    const taken = await eventually(90, async () => ((await this.see.holder()) === to ? true : undefined));
    this.checks.claim(`${failover.name}: ${to} holds the virtual IP, and it alone`, taken === true, (await this.see.holders()).join(' and ') || 'nobody');
    const active = await eventually(300, async () => ((await this.see.observe(to)).phase === 'ACTIVE' ? true : undefined));
    const servingAt = Date.now();
    this.checks.claim(`${failover.name}: every service runs on ${to}`, active === true && allActive(await this.see.observe(to)));
    await this.measure(failover, from, to, { start, failed, servingAt });
    await this.expectRows(`${failover.name}: every row is there`);
    await this.rows.insert(this.written + 1, 100);
    this.written += 100;
    await failover.heal(this.lab, from);
    const standby = await eventually(300, async () => (noneActive(await this.see.observe(from)) ? true : undefined));
    this.checks.claim(`${failover.name}: no service runs on ${from}, and it is standby again`, standby === true);
    this.checks.claim(`${failover.name}: nobody but ${to} answers for the virtual IP`, (await this.see.holder()) === to, (await this.see.holders()).join(' and '));
    this.quietSince = Date.now();
    await this.expectIntactFiles(failover.name);
    await this.expectOnlyOutputsChange(failover.name, to);
  }

  private async measure(failover: Failover, from: NodeName, to: NodeName, at: { start: number; failed: number; servingAt: number }): Promise<void> {
    const answers = (await this.lab.switch.timeline(at.start - 2000)).filter(({ kind }) => kind === 'answer');
    const backAt = answers.find(({ mac, at: when }) => nameOfMac(mac) === to && when > at.start)?.at;
    if (backAt === undefined) return;
    const goneAt = Math.max(...answers.filter(({ mac }) => nameOfMac(mac) === from).map((answer) => answer.at));
    // The command takes its time to get to the machine, and what it does may be over before it returns. Where the address was
    // never away, the fault was there when the command began at the earliest.
    const fault = goneAt < backAt ? Math.max(at.start, Math.min(goneAt, at.failed)) : at.start;
    const seconds = (from: number, to: number): number => Math.max(0, to - from) / 1000;
    const measured = { failover, from, to, away: seconds(goneAt, backAt), takeover: seconds(fault, backAt), serving: seconds(fault, at.servingAt) };
    this.measured.push(measured);
    progress(`virtual IP away ${measured.away.toFixed(2)} s (bound ${failover.awayBound.toFixed(2)} s), on ${to} ${measured.takeover.toFixed(2)} s after the fault (bound ${failover.takeoverBound.toFixed(2)} s), serving after ${measured.serving.toFixed(1)} s`);
  }

  /** Whatever is slow, a pair that nobody touches keeps its roles. */
  private async expectNoSwap(before: string): Promise<void> {
    const holders = await this.see.holdersSince(this.quietSince);
    const quiet = `${Math.round((Date.now() - this.quietSince) / 1000)} s`;
    this.checks.claim(`before "${before}": no role swap without a fault`, holders.length === 1, `${holders.join(', ') || 'nobody'} for ${quiet}`);
  }

  /** The stand-ins record when another node wrote at the same time, and their files show what got lost or written twice. */
  private async expectIntactFiles(name: string): Promise<void> {
    const conflicts = await this.see.conflicts();
    this.checks.claim(`${name}: the services never saw a second writer`, conflicts.length === 0, conflicts[0]);
    const { ledgers: all, missing } = await this.see.files();
    const ledgers = [...all];
    const damage = [...ledgers.flatMap(([service, ledger]) => ledger.damage.map((what) => `${service}: ${what}`)), ...missing.map((line) => `missing: ${line}`)];
    const lines = ledgers.map(([service, ledger]) => `${service} ${ledger.lines.length}`).join(', ');
    this.checks.claim(`${name}: every file is there, every line once and in order`, ledgers.length === 4 && damage.length === 0, damage.slice(0, 3).join(', ') || `${lines} lines`);
  }

  private async expectOnlyOutputsChange(name: string, active: NodeName): Promise<void> {
    if (this.options.smoke) return;
    const plan = await timed('cdktf diff', () => this.pair.diff());
    this.checks.claim(`${name}: cdktf diff shows no resource`, plan.resources.length === 0, plan.resources.join(', '));
    this.checks.claim(`${name}: cdktf diff shows active_node changing to ${active}`, plan.outputs.includes('active_node'), plan.outputs.join(', '));
    // Taken into the state, so that the next difference is the next failover's.
    await this.pair.deploy();
    this.checks.claim(`${name}: active_node is ${active}`, (await this.pair.outputs()).active_node === active);
  }

  /** Nobody tells Terraform that a variable has changed, and the pair goes on serving. */
  private async changePassword(): Promise<void> {
    const since = Date.now();
    this.pair.setVariable('auth_pass', this.options.nextPassword);
    const { code, stdout } = await timed('cdktf deploy with another password', () => this.pair.deploy());
    this.checks.claim('another password is noticed', code === 0 && /5 added, 0 changed, 5 destroyed/.test(stdout), String(code));
    for (const name of NODES) this.checks.claim(`${name} has it`, await this.see.hasAuthPass(name, this.options.nextPassword));
    const holders = await this.see.holdersSince(since);
    const [outages, overlaps] = [await this.lab.switch.outages(since), await this.lab.switch.overlaps(since)];
    this.checks.claim('no role swap, no second master and no outage meanwhile', holders.length === 1 && outages.length === 0 && overlaps.length === 0, holders.join(', '));
  }

  private async deployAgain(): Promise<void> {
    const before = await this.logins();
    const { code, stdout } = await timed('cdktf deploy with nothing changed', () => this.pair.deploy());
    this.claimLogins('a deploy with nothing changed', before, await this.logins(), 2);
    this.checks.claim('a second deploy changes nothing', code === 0 && /0 added, 0 changed, 0 destroyed|No changes/.test(stdout));
    await this.expectNoSwap('destroy');
  }

  /** After a failover: only what the nodes say of themselves differs. */
  private async pipelineDiff(): Promise<void> {
    const { code, stdout } = await this.pair.step('diff.sh');
    this.checks.claim("the pipelines' diff step sees no resource change", code === 0 && stdout.includes(`${STACK}: 0 resources would change`), String(code));
  }
}
