import * as fs from 'node:fs';
import * as path from 'node:path';
import { Checks, eventually, GENTLY_MS } from './checks';
import type { Lab } from './lab';
import { LAN_INTERFACE, LAN_PREFIX, NODES, VIRTUAL_IP, type NodeName } from './machines';
import { differences, takePictures } from './node-picture';
import { Observer } from './observer';
import { inOperatedLab } from './operated-lab';
import type { Operator } from './operator';
import { longestIn } from './outages';
import { timed } from './progress';
import { censusOf, Rows } from './rows';

const SCRIPT = path.join(__dirname, 'stand-ins/by-hand.sh');
const ROWS = 200;
/** What the preflight finds on each node of a pair that was built by hand. */
const REFUSED = ['keepalived/foreign-conf', 'storage/fstab', 'storage/other-name'];

/** A pair that was built by hand, taken over and given back, on real machines. */
class TakeOver {
  private readonly checks = new Checks();
  private readonly see: Observer;
  private rows!: Rows;

  public constructor(private readonly lab: Lab, private readonly operator: Operator) {
    this.see = new Observer(lab);
  }

  public async run(): Promise<boolean> {
    await timed('a pair by hand', () => this.build());
    this.rows = await Rows.through(this.lab.sshArgs('nfs'), VIRTUAL_IP);
    if (!(await eventually(240, async () => (await this.rows.create(), true), GENTLY_MS))) throw new Error('ClickHouse does not answer through the virtual IP');
    await this.rows.insert(1, ROWS);
    await this.serves('built by hand', 'node-a');
    const before = await takePictures(this.lab);
    await this.isRefused(before);
    await this.isTakenOver();
    await this.isDeployedWithout();
    await this.isGivenBack(before);
    this.rows.close();
    process.stdout.write(`\n${this.checks.summary()}\n`);
    return !this.checks.failed;
  }

  private async build(): Promise<void> {
    // Not at once: the first one carries the data.
    for (const [name, state] of [['node-a', 'MASTER'], ['node-b', 'BACKUP']] as const) {
      await this.lab.node(name).ssh(`sudo bash -s ${state} ${LAN_INTERFACE} ${VIRTUAL_IP}/${LAN_PREFIX}`, { input: fs.readFileSync(SCRIPT, 'utf8'), timeout: 600_000 });
    }
  }

  private async serves(when: string, name: NodeName): Promise<void> {
    const serves = await eventually(400, async () => (await this.rows.census(), (await this.see.holder()) === name ? true : undefined), GENTLY_MS);
    this.checks.claim(`${when}: ${name} alone has the virtual IP, and ClickHouse answers there`, serves === true, (await this.see.holders()).join(' and ') || 'nobody');
  }

  private async everyRow(when: string): Promise<void> {
    const census = await eventually(240, () => this.rows.census(), GENTLY_MS);
    this.checks.claim(`${when}: all ${ROWS} rows are there`, census === censusOf(ROWS), (census ?? 'no answer').replace(/\t/g, ' / '));
  }

  private expectPictures(when: string, before: Map<NodeName, string[]>, after: Map<NodeName, string[]>): void {
    for (const name of NODES) {
      const found = differences(before.get(name)!, after.get(name)!);
      this.checks.claim(`${when}: ${name} is as it was`, found.length === 0, found.slice(0, 12).join(' | '));
    }
  }

  private async isRefused(before: Map<NodeName, string[]>): Promise<void> {
    const { code, stdout, stderr } = await timed('cdktf deploy without takeOver', () => this.operator.pair.deploy());
    const printed = stdout + stderr;
    const missing = NODES.flatMap((name) => REFUSED.filter((id) => !new RegExp(`nim-ha ${name}: preflight: FAILED \\[${id}\\]`).test(printed)));
    this.checks.claim('without takeOver the deploy is refused, for all reasons on both nodes', code !== 0 && missing.length === 0, `code ${code}${missing.map((id) => `, no ${id}`).join('')}`);
    this.expectPictures('refused', before, new Map([...(await takePictures(this.lab))].map(([name, lines]) => [name, lines.filter(isNotOurScratch)])));
    await this.serves('refused', 'node-a');
  }

  private async isTakenOver(): Promise<void> {
    this.operator.intend({ takeOver: true });
    await timed('cdktf deploy with takeOver', () => this.operator.deploy());
    const active = await this.see.exactlyOneActive(120);
    this.checks.claim('taken over: node-a is the active one', active === 'node-a', active ?? 'none or both');
    await this.everyRow('taken over');
    const conflicts = await this.see.conflicts();
    this.checks.claim('taken over: the services never saw a second writer', conflicts.length === 0, conflicts[0]);
    for (const name of NODES) {
      const { stdout } = await this.lab.node(name).ssh("awk '$3 ~ /^nfs/' /proc/mounts; cat /etc/fstab");
      this.checks.claim(`taken over: ${name} has the guide's mounts and lines, and no others`, !/soft|nfs:/.test(stdout) && stdout.split('\n').filter((line) => / hard,|,hard,/.test(line)).length === 2);
    }
  }

  private async isDeployedWithout(): Promise<void> {
    const since = Date.now();
    this.operator.intend({});
    await timed('cdktf deploy without takeOver again', () => this.operator.deploy());
    const holders = await this.see.holdersSince(since);
    // A restart of keepalived would take longer; an emulated machine may not answer for a moment.
    const away = longestIn(await this.lab.switch.outages(since), Date.now());
    this.checks.claim('taking the prop out again costs nothing: no role swap, the virtual IP away for less than a second at most', holders.length === 1 && away < 1, `${holders.join(', ')}, ${away.toFixed(2)} s`);
  }

  private async isGivenBack(before: Map<NodeName, string[]>): Promise<void> {
    const { code } = await timed('cdktf destroy', () => this.operator.pair.destroy());
    this.checks.claim('cdktf destroy ends with 0', code === 0, String(code));
    await this.everyRow('given back');
    const holders = await this.see.holders();
    this.checks.claim('given back: one node alone has the virtual IP', holders.length === 1, holders.join(' and ') || 'nobody');
    const conflicts = await this.see.conflicts();
    this.checks.claim('given back: the services never saw a second writer', conflicts.length === 0, conflicts[0]);
    // Where they run is for the old keepalived to say, and need not be where they ran before.
    const settled = await takePictures(this.lab);
    const services = NODES.map((name) => settled.get(name)!.filter((line) => /^service .* active$/.test(line)).length).sort();
    this.checks.claim('given back: all services run on one node, and none on the other', String(services) === '0,6', services.join(' and '));
    const without = (pictures: Map<NodeName, string[]>): Map<NodeName, string[]> => new Map([...pictures].map(([name, lines]) => [name, lines.filter((line) => !line.startsWith('service '))]));
    this.expectPictures('given back', without(before), without(settled));
  }
}

/** The upload of a deploy that was refused, and its step's directory, wait for the next one. */
function isNotOurScratch(line: string): boolean {
  return !/home\/ops\/\.nim-ha|^\/run\/nim-ha$/.test(line);
}

/** @returns whether everything was as claimed */
export function takeOver(): Promise<boolean> {
  return inOperatedLab((lab, operator) => new TakeOver(lab, operator).run());
}
