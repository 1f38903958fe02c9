import { Audit, SETTLED_WITHIN, type Settled } from './audit';
import { eventually } from './checks';
import type { Bound, Fault, Timing } from './faults/fault';
import { History, type Entry } from './history';
import type { Lab } from './lab';
import { Load, type Attempt } from './load';
import { NODES, nameOfMac, VIRTUAL_IP, type NodeName } from './machines';
import type { Pair } from './pair';
import type { Sighting } from './probe';
import { elapsedSeconds, progress, timed } from './progress';
import { randomFrom, shuffled } from './random';
import { Rows } from './rows';

export interface MatrixOptions {
  readonly faults: readonly Fault[];
  /** `both`: each fault from either node being the active one. `one`: from one that the seed decides. */
  readonly roles: 'one' | 'both';
  readonly seed: number;
  readonly rounds: number;
  /** Minutes after which no further fault begins. */
  readonly minutes: number;
}

/** What came of one fault. Times are the host's clock in milliseconds, durations seconds. */
export interface Outcome {
  readonly fault: string;
  readonly what: string;
  readonly round: number;
  readonly active: NodeName;
  readonly standby: NodeName;
  readonly from: number;
  readonly injected: number;
  readonly undone: number;
  readonly until: number;
  readonly bound: Bound;
  /** Longest time without an answer from the virtual IP, without an acknowledged row, with two holders (all together). */
  readonly vipAway: number;
  readonly writesAway: number;
  readonly twoHolders: number;
  readonly findings: readonly string[];
  readonly timeline: readonly Sighting[];
  readonly journal: readonly Entry[];
  readonly attempts: readonly Attempt[];
}

/** Before the first fault and after each: what a trace of it may begin and end with. */
const MARGIN_MS = 3000;
const ROWS_BEFORE = 100;

/** Faults in random order from both roles, with a client writing all the time, and an audit after each. */
export class Matrix {
  public readonly outcomes: Outcome[] = [];
  /** Faults that time did not allow. */
  public skipped = 0;
  private history!: History;
  private load!: Load;
  private audit!: Audit;
  private rows!: Rows;

  public constructor(private readonly lab: Lab, private readonly pair: Pair, private readonly timing: Timing, private readonly options: MatrixOptions) {}

  public async run(): Promise<void> {
    await this.begin();
    const random = randomFrom(this.options.seed);
    for (let round = 1; round <= this.options.rounds; round += 1) {
      const nodes = (): readonly NodeName[] => (this.options.roles === 'both' ? NODES : shuffled(NODES, random).slice(1));
      const all = this.options.faults.flatMap((fault) => nodes().map((node) => ({ fault, node })));
      for (const { fault, node } of shuffled(all, random)) {
        if (elapsedSeconds() > this.options.minutes * 60) this.skipped += 1;
        else if (!(await this.one(fault, node, round))) return;
      }
    }
  }

  public async close(): Promise<void> {
    this.history?.close();
    await this.load?.stop();
    this.rows?.close();
  }

  private async begin(): Promise<void> {
    this.history = new History(this.lab);
    this.rows = await Rows.through(this.lab.sshArgs('nfs'), VIRTUAL_IP);
    const ready = await eventually(120, async () => (await this.rows.create(), true));
    if (!ready) throw new Error('ClickHouse does not answer through the virtual IP');
    await this.rows.insert(1, ROWS_BEFORE);
    this.load = new Load(this.rows, ROWS_BEFORE + 1);
    this.audit = new Audit(this.lab, this.pair, this.rows, this.load, ROWS_BEFORE);
  }

  /** @returns false when the pair is not whole afterwards: what came next would say nothing */
  private async one(fault: Fault, active: NodeName, round: number): Promise<boolean> {
    const scene = { lab: this.lab, timing: this.timing, ...(await this.activate(active)) };
    progress(`── ${fault.name} (round ${round}, ${active} is active): ${fault.what}`);
    const findings: string[] = [];
    const from = Date.now();
    await attempt(findings, 'the fault could not be made', () => fault.inject(scene));
    const injected = Date.now();
    await this.during(fault, scene.standby, findings);
    await attempt(findings, 'the fault could not be undone', () => fault.undo(scene));
    const undone = Date.now();
    const settled = await timed('settling', () => this.audit.settled());
    const until = Date.now();
    if (settled) await attempt(findings, 'the audit broke off', async () => void findings.push(...(await this.audit.findings(settled))));
    else findings.push(`not one active node and one able standby within ${SETTLED_WITHIN} s: ${await this.audit.reasons()}`);
    await this.record(fault, { round, active, standby: scene.standby, from, injected, undone, until, findings });
    return settled !== undefined;
  }

  /** Makes this node the active one, and waits until the other could take over. */
  private async activate(active: NodeName): Promise<Settled> {
    const now = await this.audit.settled();
    if (!now) throw new Error(`the pair is not whole: ${await this.audit.reasons()}`);
    if (now.active !== active) {
      await this.lab.machine(now.active).ssh('sudo nim-ha switchover', { timeout: 120_000 });
      const then = await this.audit.settled();
      if (then?.active !== active) throw new Error(`a switchover did not make ${active} the active node: ${await this.audit.reasons()}`);
    }
    // Until keepalived has run its check: a standby that is able does not know it yet.
    await new Promise((done) => setTimeout(done, (this.timing.checkInterval + 2) * 1000));
    return { active, standby: NODES.find((name) => name !== active)! };
  }

  /** Waits for what the fault is to bring about, and for as long as it has to last. */
  private async during(fault: Fault, standby: NodeName, findings: string[]): Promise<void> {
    const end = Date.now() + (fault.lasts ?? 0) * 1000;
    if (fault.serves === 'standby') {
      const { writes } = fault.bound(this.timing);
      // Machines are noisy: whether it happens is asserted, how fast is measured.
      const limit = 2 * writes + 60;
      const serves = await eventually(limit, async () => ((await this.audit.see.observe(standby)).phase === 'ACTIVE' ? true : undefined));
      if (!serves) findings.push(`${standby} does not serve within ${limit} s: ${await this.audit.reasons()}`);
    }
    await new Promise((done) => setTimeout(done, Math.max(0, end - Date.now())));
    if (fault.serves !== 'nobody') return;
    const reasons = await this.audit.reasons();
    progress(`nobody can serve; the nodes say: ${reasons}`);
  }

  private async record(fault: Fault, outcome: Omit<Outcome, 'fault' | 'what' | 'bound' | 'vipAway' | 'writesAway' | 'twoHolders' | 'timeline' | 'journal' | 'attempts'>): Promise<void> {
    const { from, until, findings, active } = outcome;
    const seconds = (milliseconds: number): number => milliseconds / 1000;
    const outages = await this.lab.switch.outages(from - MARGIN_MS);
    const overlaps = await this.lab.switch.overlaps(from - MARGIN_MS);
    const vipAway = Math.max(0, ...outages.filter(({ goneAt }) => goneAt <= until).map(({ goneAt, backAt }) => seconds((backAt ?? until) - goneAt)));
    const twoHolders = overlaps.reduce((sum, overlap) => sum + seconds(overlap.to - overlap.from), 0);
    const allowed = fault.twoHolders?.(this.timing) ?? 1;
    const all = twoHolders > allowed ? [...findings, `two nodes answered for the virtual IP for ${twoHolders.toFixed(1)} s, allowed ${allowed}`] : findings;
    const within = <T extends { at: number }>(entries: readonly T[]): T[] => entries.filter(({ at }) => at >= from - MARGIN_MS && at <= until + MARGIN_MS);
    const bound = fault.bound(this.timing);
    const writesAway = this.load.longestOutage(from, until);
    this.outcomes.push({
      ...outcome, fault: fault.name, what: fault.what, bound, vipAway, writesAway, twoHolders, findings: all,
      timeline: within(await this.lab.switch.timeline(from - MARGIN_MS)), journal: within(this.history.entries), attempts: within(this.load.attempts),
    });
    const names = overlaps.map(({ macs }) => macs.map(nameOfMac).join('+')).join(' ');
    progress(`virtual IP away ${vipAway.toFixed(2)} s (bound ${bound.vip.toFixed(2)}), writes away ${writesAway.toFixed(1)} s (bound ${bound.writes.toFixed(1)}), two holders ${twoHolders.toFixed(1)} s ${names}`);
    progress(`${all.length ? 'FAILED' : 'ok    '} ${fault.name} from ${active}${all.map((finding) => `\n        ${finding}`).join('')}`);
  }
}

async function attempt(findings: string[], what: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: Error) => findings.push(`${what}: ${error.message}`));
}
