import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { FAILOVERS } from '../../lab/failovers';
import { FAULTS, faultsNamed } from '../../lab/faults';
import type { Scene } from '../../lab/faults/fault';
import { rebooted } from '../../lab/faults/reboot';
import { run, type RunOptions } from '../../lab/run';
import { timing } from './outcome';

/** A machine whose commands run here, but those that would do something. */
class StandIn {
  public readonly directory = mkdtempSync(join(tmpdir(), 'nim-ha-fault-'));
  public readonly scene: Scene;

  public constructor() {
    const machine = {
      ssh: (command: string, options?: RunOptions) => run('bash', ['-c', command], { ...options, env: { ...process.env, PATH: `${this.directory}:${process.env.PATH}` } }),
      waitForSsh: async () => undefined,
    };
    this.scene = { lab: { machine: () => machine }, active: 'node-a', standby: 'node-b', timing } as unknown as Scene;
    this.program('sudo', 'exec "$@"');
    this.program('sync', '');
    for (const name of ['dd', 'df', 'systemctl', 'nim-ha', 'sleep']) this.program(name, 'exit 1');
  }

  /** Each call is noted. */
  public program(name: string, script: string): void {
    const file = join(this.directory, name);
    writeFileSync(file, `#!/bin/bash\necho "$*" >>${file}.calls\n${script}\n`);
    chmodSync(file, 0o755);
  }

  public calls(name: string): string[] {
    return readFileSync(join(this.directory, `${name}.calls`), 'utf8').trim().split('\n');
  }

  /** At its boot id; what else calls cat may be a start file of the shell. */
  public looks(): string[] {
    return this.calls('cat').filter((call) => call.endsWith('/boot_id'));
  }

  /** What the machine's boots are called, one after the other; the last one stays. */
  public boots(...names: string[]): void {
    writeFileSync(join(this.directory, 'boots'), `${names.join('\n')}\n`);
    this.program('cat', `boots=${this.directory}/boots; [[ $1 == */boot_id ]] || exit 1; read -r boot <"$boots"; echo "$boot"; [[ $(wc -l <"$boots") == 1 ]] || sed -i 1d "$boots"`);
  }
}

let standIn: StandIn;
beforeEach(() => (standIn = new StandIn()));
afterEach(() => rmSync(standIn.directory, { recursive: true }));
const fault = (name: string) => faultsNamed([name], 'off')[0];

describe.each([['disk-full', '/root/ballast'], ['share-full', '/mnt/nfs_share/ballast']])('%s', (name, file) => {
  test('is a full disk', async () => {
    standIn.program('df', 'echo Avail; echo 0');
    await fault(name).inject(standIn.scene);
    expect(standIn.calls('dd')).toEqual([`if=/dev/zero of=${file} bs=1M oflag=append conv=notrunc`]);
    expect(standIn.calls('df')[0]).toContain(file);
  });

  test('is one, too, when place was made while it was filled', async () => {
    standIn.program('df', `echo Avail; (($(wc -l <${standIn.directory}/df.calls) == 1)) && echo 8192 || echo 1023`);
    await fault(name).inject(standIn.scene);
    expect(standIn.calls('dd')).toHaveLength(2);
  });

  test.each([['a disk with place left', 'echo Avail; echo 1024', '1024 KiB left'], ['a disk that tells nothing', 'exit 1', 'unknown KiB left']])('%s is none', async (_, df, said) => {
    standIn.program('df', df);
    await expect(fault(name).inject(standIn.scene)).rejects.toThrow(said);
  });
});

describe('a reboot', () => {
  test.each(['reboot-active', 'reboot-standby'])('%s is over when another boot can be logged in to', async (name) => {
    standIn.boots('one', 'one', 'one', 'two');
    await fault(name).inject(standIn.scene);
    await fault(name).undo(standIn.scene);
    expect(standIn.calls('systemctl')).toEqual(['reboot']);
    expect(standIn.looks()).toHaveLength(4);
  });

  test('maintenance: so is the one there', async () => {
    standIn.boots('one', 'one', 'two');
    standIn.program('nim-ha', 'echo STANDBY');
    // Pauses are short here; limits stay what they are.
    const real = setTimeout;
    jest.spyOn(global, 'setTimeout').mockImplementation(((done: () => void, ms: number) => real(done, ms < 60_000 ? 1 : ms)) as typeof setTimeout);
    await expect(fault('maintenance').undo(standIn.scene)).rejects.toThrow('maintenance does not outlive a reboot: STANDBY').finally(() => jest.restoreAllMocks());
    expect(standIn.looks()).toHaveLength(3);
  });

  test("so is the guide's own, of the demo", async () => {
    standIn.boots('one', 'one', 'one', 'two');
    const { fail, heal } = FAILOVERS.find(({ name }) => name === 'node rebooted')!;
    await fail(standIn.scene.lab, 'node-a');
    await heal(standIn.scene.lab, 'node-a');
    expect(standIn.calls('systemctl')).toEqual(['reboot']);
    expect(standIn.looks()).toHaveLength(4);
  });

  test('that does not happen is told', async () => {
    standIn.boots('one');
    await expect(rebooted(standIn.scene.lab, 'node-a', 'one', 1)).rejects.toThrow('node-a has not rebooted within 1 s');
  });

  test('one whose boot is not told has not happened', async () => {
    standIn.boots('');
    await expect(rebooted(standIn.scene.lab, 'node-a', 'one', 1)).rejects.toThrow('node-a has not rebooted within 1 s');
  });
});

test.each(FAULTS.filter(({ serves }) => serves === 'nobody').map((each) => [each.name, each] as const))('%s: over before anybody waits for a login, for a node may be active by then', async (_, { undo, comesBack }) => {
  const done: string[] = [];
  const vm = {
    ...Object.fromEntries(['start', 'thaw', 'plug'].map((name) => [name, async () => void done.push(name)])),
    ssh: async () => (done.push('start'), { stdout: '' }), waitForSsh: async () => void done.push('login'),
  };
  const scene = { ...standIn.scene, lab: { machine: () => vm, nfs: vm, all: [vm, vm, vm] } } as unknown as Scene;
  const real = setTimeout;
  jest.spyOn(global, 'setTimeout').mockImplementation(((end: () => void) => real(end, 1)) as typeof setTimeout);
  await undo(scene).finally(() => jest.restoreAllMocks());
  expect(done.length).toBeGreaterThan(0);
  expect(done).not.toContain('login');
  await comesBack?.(scene);
});

describe('change-virtual-ip: the address of before', () => {
  const changing = (): Scene => {
    const nothing = async () => undefined;
    return { ...standIn.scene, lab: { ...standIn.scene.lab, switch: { setAddresses: nothing } }, operator: { intend: () => undefined, deploy: nothing } } as unknown as Scene;
  };

  test('is on no node any more', async () => {
    standIn.program('ip', '');
    await fault('change-virtual-ip').inject(changing());
    await fault('change-virtual-ip').undo(changing());
    expect(standIn.calls('ip')).toEqual(['10.77.0.100', '10.77.0.100', '10.77.0.101', '10.77.0.101'].map((address) => `-oneline address show to ${address}`));
  });

  test('that stays for a moment is no finding', async () => {
    standIn.program('ip', `(($(wc -l <${standIn.directory}/ip.calls) > 1)) || echo '2: lan0    inet 10.77.0.100/24'`);
    await fault('change-virtual-ip').inject(changing());
    expect(standIn.calls('ip')).toHaveLength(3);
  });

  test.each(['inject', 'undo'] as const)('that is left behind is told (%s)', async (step) => {
    standIn.program('ip', `echo "2: lan0    inet $5/24 scope global lan0"`);
    await expect(fault('change-virtual-ip')[step](changing())).rejects.toThrow(/^node-a has the address 10.77.0.10[01] still: 2: lan0 {4}inet 10.77.0.10[01]\/24/);
  });
});
