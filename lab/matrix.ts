import { Audit, SETTLED_WITHIN, type Settled } from './audit';
import { eventually, GENTLY_MS } from './checks';
import { explain } from './explain';
import type { Fault, Scene, Timing } from './faults/fault';
import { History } from './history';
import { judge, startsIn } from './judgement';
import type { Lab } from './lab';
import { Load } from './load';
import { NODES, VIRTUAL_IP, type NodeName } from './machines';
import type { Operator } from './operator';
import { doubleMastersIn, longestIn, outagesIn, overlapsIn, secondsIn } from './outages';
import type { Outcome } from './outcome';
import { elapsedSeconds, progress, timed } from './progress';
import { randomFrom, shuffled } from './random';
import type { Results } from './results';
import { Rows } from './rows';

/** One fault that is to happen. */
export interface Turn {
  readonly fault: Fault;
  /** From which node being the active one. Unset: from the one that the last fault has left active. */
  readonly active?: NodeName;
  readonly round: number;
}

export interface PlanOptions {
  readonly faults: readonly Fault[];
  /** `both`: each fault from either node being the active one. `one`: from the one that is the active node when its turn comes. */
  readonly roles: 'one' | 'both';
  readonly seed: number;
  readonly rounds: number;
}

/** Before the first fault and after each: what a trace of it may begin and end with. */
const MARGIN_MS = 3000;
const ROWS_BEFORE = 100;
/** Seconds in which a pair that is whole again has to accept a row: that it says so is its own word. */
const ACCEPTED_WITHIN = 240;

/**
 * Every fault from the roles wanted, as many rounds as wanted, in an order that the seed decides; but of two that could come next, the
 * one that finds the roles as the last one will have left them.
 */
export function planOf({ faults, roles, seed, rounds }: PlanOptions): Turn[] {
  const random = randomFrom(seed);
  const nodes: readonly (NodeName | undefined)[] = roles === 'both' ? NODES : [undefined];
  return Array.from({ length: rounds }, (_, index) => {
    const turns = faults.flatMap((fault) => nodes.map((active) => ({ fault, active, round: index + 1 })));
    return withFewSwitchovers(shuffled(turns, random));
  }).flat();
}

function withFewSwitchovers(turns: readonly Turn[]): Turn[] {
  const left = [...turns];
  const order: Turn[] = [];
  let active: NodeName = NODES[0];
  while (left.length > 0) {
    const fitting = left.findIndex((turn) => (turn.active ?? active) === active);
    const [turn] = left.splice(Math.max(0, fitting), 1);
    order.push(turn);
    const from = turn.active ?? active;
    active = turn.fault.serves === 'standby' ? NODES.find((name) => name !== from)! : from;
  }
  return order;
}

/** Faults one after another on one pair, with a client writing all the time, and an audit after each. */
export class Matrix {
  /** Since when there has been one active node and one able standby. */
  private wholeAt = Date.now();
  private history!: History;
  private load!: Load;
  private audit!: Audit;
  private rows!: Rows;

  public constructor(
    private readonly lab: Lab,
    private readonly operator: Operator,
    private readonly timing: Timing,
    private readonly results: Results,
    /** Numbered rows from 1 that are there already. Default: none, and some are made. */
    private readonly rowsThere = 0,
  ) {}

  /**
   * @param until second of this process after which no further fault begins
   * @returns the turns that were not taken: the time was over, or the pair was not whole after the last one, and what came next
   * would say nothing
   */
  public async run(turns: readonly Turn[], until: number): Promise<readonly Turn[]> {
    await this.begin();
    for (const [index, turn] of turns.entries()) {
      if (elapsedSeconds() > until) return turns.slice(index);
      const roles = await this.activate(turn.active).catch((error: Error) => void this.results.breakOff(`before ${turn.fault.name}: ${error.message}`));
      if (!roles) return turns.slice(index);
      if (!(await this.take(turn, roles))) return turns.slice(index + 1);
    }
    return [];
  }

  public async close(): Promise<void> {
    this.history?.close();
    await this.load?.stop();
    this.rows?.close();
  }

  private async begin(): Promise<void> {
    this.history = new History(this.lab);
    this.rows = await Rows.through(this.lab.sshArgs('nfs'), VIRTUAL_IP);
    const ready = await eventually(300, async () => (await this.rows.create(), true));
    if (!ready) throw new Error('ClickHouse does not answer through the virtual IP');
    if (!this.rowsThere) await this.rows.insert(1, ROWS_BEFORE);
    const first = this.rowsThere || ROWS_BEFORE;
    this.load = new Load(this.rows, first + 1);
    this.audit = new Audit(this.lab, this.operator.pair, this.rows, this.load, first);
  }

  /** @returns false when the pair is not whole afterwards */
  private async take({ fault, round }: Turn, roles: Settled): Promise<boolean> {
    const { lab, timing, operator } = this;
    const scene = { lab, timing, operator, ...roles };
    progress(`── ${fault.name} (round ${round}, ${roles.active} is active): ${fault.what}`);
    const findings: string[] = [];
    const client = lab.sshArgs(fault.client ? roles[fault.client] : 'nfs');
    await attempt(findings, 'the client has not moved', () => this.rows.goThrough(client));
    await attempt(findings, 'what was there before could not be read', () => this.audit.remember());
    const from = Date.now();
    await attempt(findings, 'the fault could not be made', () => fault.inject(scene));
    const injected = Date.now();
    await this.during(fault, scene, findings);
    await attempt(findings, 'the fault could not be undone', () => fault.undo(scene));
    const undone = Date.now();
    await attempt(findings, 'not all machines have come back', async () => fault.comesBack?.(scene));
    const settled = await timed('settling', () => this.audit.settled());
    if (settled && !(await this.acceptsRows(ACCEPTED_WITHIN))) findings.push(`the pair has settled, and no row was accepted within ${ACCEPTED_WITHIN} s`);
    const until = Date.now();
    this.wholeAt = until;
    if (!settled) findings.push(`not one active node and one able standby within ${SETTLED_WITHIN} s: ${await this.audit.reasons()}`);
    const expected: string[] = [];
    if (settled) await attempt(findings, 'the audit broke off', async () => void findings.push(...(await this.audit.findings(settled))));
    await attempt(findings, 'the audit of what was written broke off', async () => {
      const mayDamage = fault.mayDamage ?? (timing.fencing ? undefined : fault.mayDamageUnfenced);
      for (const { what, fresh } of await this.audit.damage(from, undone)) (fresh && mayDamage?.test(what) ? expected : findings).push(what);
    });
    await this.record(fault, scene, settled, { round, from, injected, undone, until }, { findings, expected });
    return settled !== undefined;
  }

  /** Makes this node the active one, if one is wanted, and waits until the other could take over. */
  private async activate(wanted: NodeName | undefined): Promise<Settled> {
    let roles = await this.audit.settled();
    if (!roles) throw new Error(`the pair is not whole: ${await this.audit.reasons()}`);
    if (wanted && wanted !== roles.active) {
      await this.lab.machine(roles.active).ssh('sudo nim-ha switchover', { timeout: 120_000 });
      roles = await this.audit.settled();
      if (roles?.active !== wanted) throw new Error(`a switchover did not make ${wanted} the active node: ${await this.audit.reasons()}`);
      this.wholeAt = Date.now();
    }
    // Until keepalived has run its check: a standby that is able does not know it yet.
    await new Promise((done) => setTimeout(done, this.wholeAt + (this.timing.checkInterval + 2) * 1000 - Date.now()));
    return roles;
  }

  /** Waits for what the fault is to bring about, and for as long as it has to last. */
  private async during(fault: Fault, { standby }: Settled, findings: string[]): Promise<void> {
    const { timing } = this;
    const lasts = typeof fault.lasts === 'function' ? fault.lasts(timing) : fault.lasts ?? 0;
    const end = Date.now() + lasts * 1000;
    // Machines are noisy, and a start has taken 155 s: whether it happens is asserted, how fast is measured.
    const limit = 2 * fault.bound(timing).writes + 240;
    if (fault.serves === 'standby') {
      const serves = await eventually(limit, async () => ((await this.audit.see.observe(standby)).phase === 'ACTIVE' ? true : undefined), GENTLY_MS);
      if (!serves) findings.push(`${standby} does not serve within ${limit} s: ${await this.audit.reasons()}`);
      // That is its own word; a row through the virtual IP is not.
      else if (!(await this.acceptsRows(limit))) findings.push(`${standby} says that it serves, and no row was accepted within ${limit} s`);
    }
    if (fault.serves === 'nobody') {
      const nobody = await eventually(limit, () => this.audit.nobodyServes(), GENTLY_MS);
      const reasons = await this.audit.reasons();
      progress(`nobody can serve; the nodes say: ${reasons}`);
      if (!nobody) findings.push(`no node may serve, and not both say why they do not within ${limit} s: ${reasons}`);
    }
    await new Promise((done) => setTimeout(done, Math.max(0, end - Date.now())));
  }

  private acceptsRows(within: number): Promise<true | undefined> {
    const from = Date.now();
    return eventually(within, async () => this.load.acceptedSince(from) || undefined);
  }

  private async record(fault: Fault, { active, standby }: Scene, settled: Settled | undefined, when: Pick<Outcome, 'round' | 'from' | 'injected' | 'undone' | 'until'>, found: Pick<Outcome, 'findings' | 'expected'>): Promise<void> {
    const { from, until } = when;
    const unread = await this.history.unread();
    const seen = await this.lab.switch.timeline(from - MARGIN_MS);
    const vipAway = longestIn(outagesIn(seen, Date.now()).filter(({ goneAt }) => goneAt <= until), until);
    const twoHolders = Math.max(secondsIn(overlapsIn(seen)), secondsIn(doubleMastersIn(seen)));
    const within = <T extends { at: number }>(entries: readonly T[]): T[] => entries.filter(({ at }) => at >= from - MARGIN_MS && at <= until + MARGIN_MS);
    const journal = within(this.history.entries);
    const notRead = unread.map((name) => `the journal of ${name} could not be read to its end: what it says of this fault is not judged`);
    const findings = [...found.findings, ...notRead, ...judge(fault, this.timing, { active, standby, settled, journal, twoHolders, injected: when.injected, undone: when.undone })];
    const starts = startsIn(journal).map(({ seconds: start }) => start);
    const start = Math.max(0, ...starts);
    const bound = fault.bound({ ...this.timing, start });
    const writesAway = this.load.longestOutage(from, until);
    this.results.add({
      ...when, ...found, fault: fault.name, what: fault.what, active, standby, bound, start, vipAway, writesAway, twoHolders, findings,
      ...(findings.length > 0 && { explanation: await explain(this.lab) }),
      timeline: within(seen), journal, attempts: within(this.load.attempts),
    });
    progress(`virtual IP away ${vipAway.toFixed(2)} s (bound ${bound.vip.toFixed(2)}), writes away ${writesAway.toFixed(1)} s (bound ${bound.writes.toFixed(1)}; start ${starts.map((each) => each.toFixed(1)).join(', ')}), two holders ${twoHolders.toFixed(1)} s`);
    found.expected.forEach((damage) => progress(`expected by the design: ${damage}`));
    progress(`${findings.length ? 'FAILED' : 'ok    '} ${fault.name} from ${active}${findings.map((finding) => `\n        ${finding}`).join('')}`);
  }
}

async function attempt(findings: string[], what: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: Error) => findings.push(`${what}: ${error.message}`));
}
