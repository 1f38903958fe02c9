import { eventually, GENTLY_MS } from './checks';
import type { Lab } from './lab';
import { leftovers, LOOK_AT_PROCESSES } from './leftovers';
import type { Load } from './load';
import { NODES, type NodeName } from './machines';
import { allActive, CHECK, noneActive, Observer } from './observer';
import type { Pair } from './pair';
import type { Rows } from './rows';

/** Seconds in which a pair has to be whole again once a fault is undone: a hold-down, a start, and what a slow machine takes. */
export const SETTLED_WITHIN = 600;

export interface Settled {
  readonly active: NodeName;
  readonly standby: NodeName;
}

/** What must be true of a pair after every fault. */
export class Audit {
  public readonly see: Observer;
  /** Damage is counted once, for the fault that did it. */
  private readonly known = new Set<string>();

  public constructor(
    private readonly lab: Lab,
    private readonly pair: Pair,
    private readonly rows: Rows,
    private readonly load: Load,
    /** Rows up to this number were there before the load began. */
    private readonly first: number,
  ) {
    this.see = new Observer(lab);
  }

  /** Waits until one node is active and the other a standby that can take over, both by what they say and by what the LAN says. */
  public settled(): Promise<Settled | undefined> {
    return eventually(SETTLED_WITHIN, async () => {
      const holder = await this.see.holder();
      const active = NODES.find((name) => name === holder);
      if (!active) return undefined;
      const standby = NODES.find((name) => name !== active)!;
      const [here, there] = await Promise.all([this.see.observe(active), this.see.observe(standby)]);
      if (here.phase !== 'ACTIVE' || !allActive(here) || there.phase !== 'STANDBY' || there.keepalived !== 'active') return undefined;
      return (await this.isAble(standby)) ? { active, standby } : undefined;
    }, GENTLY_MS);
  }

  /** Everything that is wrong but damage; empty is good. */
  public async findings({ active, standby }: Settled): Promise<string[]> {
    const found: string[] = [];
    const expect = (holds: boolean, what: string): void => void (holds || found.push(what));
    const [here, there] = await Promise.all([this.see.observe(active), this.see.observe(standby)]);
    expect(noneActive(there), `services run on the standby ${standby}: ${JSON.stringify(there.services)}`);
    expect(here.holds_lock === true && there.holds_lock === false, `the lock is held by: ${[here, there].map(({ holds_lock }) => holds_lock).join(', ')}`);
    expect(here.config_in_sync && there.config_in_sync, `drifted: ${[...here.drifted, ...there.drifted].join(', ')}`);
    const holders = await this.see.holders();
    expect(holders.join() === active, `the virtual IP is answered by: ${holders.join(', ') || 'nobody'}`);
    return [...found, ...(await Promise.all([this.leftovers(), this.plan({ active, standby })])).flat()];
  }

  /** What was lost, torn, doubled or written by two; each once, for the fault that did it. */
  public async damage(): Promise<string[]> {
    return (await Promise.all([this.lostRows(), this.damagedFiles()])).flat();
  }

  /** What Terraform would change, and what it says of the pair, beside what the LAN says. */
  private async plan({ active, standby }: Settled): Promise<string[]> {
    const { resources, planned } = await this.pair.diff();
    // The nodes' outputs are not known before those are there.
    if (resources.length) return [`cdktf diff shows resources: ${resources.join(', ')}`];
    const { active_node: named, primary, secondary } = planned;
    const found = [];
    if (named !== active) found.push(`active_node is ${named}, and ${active} answers for the virtual IP`);
    for (const { declared, observed } of [primary, secondary]) {
      const { phase, holds_virtual_ip: holds, services } = observed;
      const expected = declared.name === active ? 'ACTIVE' : 'STANDBY';
      const good = phase === expected && holds === (declared.name === active) && (declared.name === standby ? noneActive(observed) : allActive(observed));
      if (!good) found.push(`observed of ${declared.name}: ${phase}, holds the virtual IP: ${holds}, services ${JSON.stringify(services)}`);
    }
    return found;
  }

  /** Why no node serves, in the nodes' own words. */
  public async reasons(): Promise<string> {
    const says = async (name: NodeName): Promise<string> => {
      const { phase, reason } = await this.see.observe(name);
      return `${name}: ${phase}${reason ? ` (${reason})` : ''}`;
    };
    return (await Promise.all(NODES.map((name) => says(name).catch((error: Error) => `${name}: no answer (${error.message.split('\n')[0]})`)))).join('; ');
  }

  private async isAble(name: NodeName): Promise<boolean> {
    return (await this.lab.machine(name).ssh(CHECK, { accept: 'any' })).code === 0;
  }

  private async lostRows(): Promise<string[]> {
    const acknowledged = this.load.acknowledged;
    const numbers = await eventually(60, () => this.rows.numbers());
    if (!numbers) return ['ClickHouse does not answer through the virtual IP'];
    const there = new Set(numbers);
    const lost = [...Array.from({ length: this.first }, (_, index) => index + 1), ...acknowledged].filter((number) => !there.has(number));
    const twice = numbers.length - there.size;
    return this.news([
      ...(lost.length ? [`${lost.length} acknowledged rows are lost: ${lost.slice(0, 5).join(', ')}`] : []),
      ...(twice ? [`${twice} rows are there twice`] : []),
    ]);
  }

  private async damagedFiles(): Promise<string[]> {
    const conflicts = await this.see.conflicts();
    const { ledgers, missing } = await this.see.files();
    const damage = [...ledgers].flatMap(([service, { damage: all }]) => all.map((what) => `${service}: ${what}`));
    const lost = this.news(missing);
    return [
      ...this.news([...conflicts.map((line) => `a service saw a second writer: ${line}`), ...damage]),
      ...(lost.length ? [`${lost.length} lines that were written for good are lost: ${lost.slice(0, 5).join(', ')}`] : []),
    ];
  }

  /** Processes that nothing can kill, or that pile up. */
  private async leftovers(): Promise<string[]> {
    const all = await Promise.all(
      NODES.map(async (name) => {
        const { stdout } = await this.lab.machine(name).ssh(LOOK_AT_PROCESSES);
        return leftovers(stdout).map((finding) => `${name}: ${finding}`);
      }),
    );
    return all.flat();
  }

  private news(findings: readonly string[]): string[] {
    const fresh = findings.filter((finding) => !this.known.has(finding));
    fresh.forEach((finding) => this.known.add(finding));
    return fresh;
  }
}
