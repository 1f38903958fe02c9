import { eventually, GENTLY_MS } from './checks';
import type { Lab } from './lab';
import { STAND_INS } from './ledger';
import { leftovers, LOOK_AT_PROCESSES, servicesIn } from './leftovers';
import type { Load } from './load';
import { machineNamed, NODES, type NodeName } from './machines';
import { allActive, CHECK, noneActive, Observer, type Note } from './observer';
import type { Observed, Pair } from './pair';
import type { Rows } from './rows';

/** Seconds in which a pair has to be whole again once a fault is undone: a hold-down, a start, and what a slow machine takes. */
export const SETTLED_WITHIN = 600;

/** Of each stand-in, noted before a fault: more than a node keeps in its memory before it writes it to its disk. */
const NOTES_BEFORE = 120;

export interface Settled {
  readonly active: NodeName;
  readonly standby: NodeName;
}

/** What was lost, torn, doubled or written by two. */
export interface Damage {
  readonly what: string;
  /** Whether it was done to what was acknowledged, or written for good, while the fault lasted: a fault that may damage may damage no more than that. */
  readonly fresh: boolean;
}

/** What must be true of a pair after every fault. */
export class Audit {
  public readonly see: Observer;
  /** Damage is counted once, for the fault that did it. */
  private readonly known = new Set<string>();
  /** What the nodes had noted before the fault, and the last line of each stand-in on the share after that. */
  private noted: readonly Note[] = [];
  private lastLines: ReadonlyMap<string, string> = new Map();

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
    const written = await this.see.lastLines();
    const [here, there] = await Promise.all([this.observeServices(active), this.observeServices(standby)]);
    expect(noneActive(there), `services run on the standby ${standby}: ${JSON.stringify(there.services)}`);
    expect(here.holds_lock === true && there.holds_lock === false, `the lock is held by: ${[here, there].map(({ holds_lock }) => holds_lock).join(', ')}`);
    expect(here.config_in_sync && there.config_in_sync, `drifted: ${[...here.drifted, ...there.drifted].join(', ')}`);
    const holders = await this.see.holders();
    expect(holders.join() === active, `the virtual IP is answered by: ${holders.join(', ') || 'nobody'}`);
    const clients = await this.see.lockClients();
    expect(clients.join() === machineNamed(active).lanAddress, `the NFS server says that the lock is held by: ${clients.join(', ') || 'nobody'}`);
    found.push(...(await Promise.all([this.processes(standby), this.plan({ active, standby })])).flat());
    // Last, so that they have had the time of all the other looks for it.
    return [...found, ...(await this.writers(active, written))];
  }

  /** Whether no node is active, and each that is on says why; undefined while that is not so. */
  public async nobodyServes(): Promise<true | undefined> {
    const on = NODES.filter((name) => this.lab.machine(name).running);
    const all = await Promise.all(on.map((name) => this.see.observe(name)));
    return all.every(({ phase, reason }) => phase !== 'ACTIVE' && reason !== '') ? true : undefined;
  }

  private observeServices(name: NodeName): Promise<Observed> {
    return untilKnown(() => this.see.observe(name), (observed) => [observed]);
  }

  /** The stand-ins have to have written since the first look at the pair that has settled, and on the share: older lines may be from before the fault. */
  private async writers(active: NodeName, before: ReadonlyMap<string, string>): Promise<string[]> {
    const lines = await this.see.lastLines();
    const found = lines.size === STAND_INS.length ? [] : [`files of ${[...lines.keys()].join(', ') || 'no stand-in'} are on the share, not of ${STAND_INS.join(', ')}`];
    for (const [service, line] of lines) {
      if (line === before.get(service)) found.push(`${service} has written nothing since the pair has settled`);
      else if (line.split(' ')[1] !== active) found.push(`${service} was written last by ${line.split(' ')[1]}, and ${active} is active`);
    }
    return found;
  }

  /** Before a fault: a node whose power is cut forgets the last half minute of what it has noted, and a line that is lost then would not be missed. */
  public async remember(): Promise<void> {
    this.noted = await this.see.notes(NOTES_BEFORE);
    this.lastLines = await this.see.lastLines();
  }

  /** All the damage that there is; each once, for the fault that did it, which lasted for that span. */
  public async damage(from = 0, undone = Infinity): Promise<Damage[]> {
    const files = await this.damagedFiles();
    return [...(await this.damagedRows(files, this.load.onTheirWay(from, undone))), ...files];
  }

  /** What Terraform would change, and what it says of the pair, beside what the LAN says. */
  private async plan({ active, standby }: Settled): Promise<string[]> {
    const { resources, planned } = await untilKnown(() => this.pair.diff(), ({ planned: { primary, secondary } }) => [primary?.observed, secondary?.observed]);
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

  /** @param besides what is lost with the answer of a ClickHouse that gives none */
  private async damagedRows(besides: readonly Damage[], fresh: ReadonlySet<number>): Promise<Damage[]> {
    const acknowledged = this.load.acknowledged;
    const numbers = await eventually(180, () => this.rows.numbers());
    if (!numbers) throw new Error(['ClickHouse does not answer through the virtual IP', ...besides.map(({ what }) => what)].join('; '));
    const there = new Set<number>();
    const twice = numbers.filter((number) => there.has(number) || !there.add(number));
    const lost = [...Array.from({ length: this.first }, (_, index) => index + 1), ...acknowledged].filter((number) => !there.has(number));
    const isFresh = (number: number): boolean => fresh.has(number);
    return [
      ...apart(lost.filter((number) => this.isNews(`row ${number} is lost`)), isFresh, (rows) => `${rows.length} acknowledged rows are lost: ${rows.slice(0, 5).join(', ')}`),
      ...apart(twice.filter((number) => this.isNews(`row ${number} is there twice`)), isFresh, (rows) => `${rows.length} rows are there twice`),
    ];
  }

  private async damagedFiles(): Promise<Damage[]> {
    const conflicts = await this.see.conflicts();
    const { ledgers, missing } = await this.see.files(this.noted);
    const damage = [...ledgers].flatMap(([service, { damage: all }]) => all.map((what) => `${service}: ${what}`));
    const told = [...conflicts.map((line) => `a service saw a second writer: ${line}`), ...damage].filter((what) => this.isNews(what));
    // Their numbers go up, whichever node writes.
    const isFresh = (line: string): boolean => {
      const [service, number] = line.split(' ');
      return Number(number) > (parseInt(this.lastLines.get(service) ?? '', 10) || 0);
    };
    return [
      // What it was done to, nobody knows; a line that was there for good before is among the missing ones, too.
      ...told.map((what) => ({ what, fresh: true })),
      ...apart(missing.filter((line) => this.isNews(line)), isFresh, (lines) => `${lines.length} lines that were written for good are lost: ${lines.slice(0, 5).join(', ')}`),
    ];
  }

  /** Processes that nothing can kill, or that pile up, and those of services where none may be. */
  private async processes(standby: NodeName): Promise<string[]> {
    const all = await Promise.all(
      NODES.map(async (name) => {
        const { stdout } = await this.lab.machine(name).ssh(LOOK_AT_PROCESSES, { timeout: 180_000 });
        const services = name === standby ? servicesIn(stdout).map((command) => `a service's process on the standby: ${command}`) : [];
        return [...leftovers(stdout), ...services].map((finding) => `${name}: ${finding}`);
      }),
    );
    return all.flat();
  }

  private isNews(what: string): boolean {
    const known = this.known.has(what);
    this.known.add(what);
    return !known;
  }
}

/** One finding for what is fresh, one for what is not. */
function apart<T>(all: readonly T[], isFresh: (each: T) => boolean, say: (some: readonly T[]) => string): Damage[] {
  return [true, false].flatMap((fresh) => {
    const some = all.filter((each) => isFresh(each) === fresh);
    return some.length ? [{ what: say(some), fresh }] : [];
  });
}

/** On a busy node systemd may not answer in time: asks again then, a few times. */
async function untilKnown<T>(ask: () => Promise<T>, seen: (answer: T) => readonly (Observed | undefined)[]): Promise<T> {
  for (let left = 5; ; left -= 1) {
    const answer = await ask();
    if (left === 0 || !seen(answer).some((observed) => Object.values(observed?.services ?? {}).includes('unknown'))) return answer;
    await new Promise((done) => setTimeout(done, GENTLY_MS));
  }
}
