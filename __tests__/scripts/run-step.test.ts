import { SUDO_PASSWORD } from './support/asking-sudo';
import { DeployNode } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/** A step of its own, so that its run can be steered. */
function preflightIs(body: string): void {
  node.write('home/ops/.nim-ha/scripts/preflight.sh', `#!/bin/bash\n${body}\n`);
}

test('a second call waits for the first, shows its log, and then runs its own step', async () => {
  preflightIs('echo "first begins"; until [[ -e $FAKE/go ]]; do sleep 0.05; done; echo "first ends" | tee -a "$FAKE/order"');
  const first = node.start('preflight');
  while (!node.has('run/nim-ha/step/current/log') || !node.read('run/nim-ha/step/current/log').includes('begins')) await pause(20);
  preflightIs('echo "second runs" | tee -a "$FAKE/order"; exit 7');
  const second = node.start('preflight');
  await pause(700);
  node.set('go');
  expect((await first).out).toContain('first ends');
  const { code, out } = await second;
  expect(code).toBe(7);
  expect(out).toMatch(/waiting for the step 'preflight' that an earlier call started; its log:\nfirst begins\n[^]*first ends\n[^]*second runs/);
  expect(node.read('fake/order')).toBe('first ends\nsecond runs\n');
});

test('a step outlives the call that started it', async () => {
  preflightIs('sleep 0.5; echo done >"$FAKE/outcome~"; mv "$FAKE/outcome~" "$FAKE/outcome"');
  const { spawn } = await import('child_process');
  const call = spawn('bash', [`${node.inbox}/scripts/run-step.sh`, 'preflight'], { env: node.env(), stdio: 'ignore' });
  while (!node.has('fake/step.pid')) await pause(20);
  call.kill('SIGKILL');
  for (let i = 0; i < 200 && !node.has('fake/outcome'); i++) await pause(20);
  expect(node.read('fake/outcome')).toBe('done\n');
});

test('without sudo it refuses, and the password does not stay', () => {
  expect(node.bash('FAKE_UID=1000 bash "$HOME/.nim-ha/scripts/run-step.sh" stage').code).toBe(3);
  expect(node.read('home/ops/.nim-ha/secret/auth_pass')).toBe('');
  node.set('sudo-works');
  preflightIs('echo as root');
  expect(node.bash('FAKE_UID=1000 bash "$HOME/.nim-ha/scripts/run-step.sh" preflight')).toEqual({
    code: 0,
    out: expect.stringContaining('as root'),
  });
});

describe('where sudo asks for a password', () => {
  const asOps = () => node.bash('FAKE_UID=1000 bash "$HOME/.nim-ha/scripts/run-step.sh" preflight');

  test('the step gets on with the one that the deploy has brought, which does not stay', () => {
    node.sudoTakes(SUDO_PASSWORD).uploadSudoPassword(SUDO_PASSWORD);
    preflightIs('echo as root; cat');
    expect(asOps()).toEqual({ code: 0, out: expect.stringMatching(/as root\n$/) });
    expect(node.read('home/ops/.nim-ha/secret/sudo')).toBe('');
    expect(node.mode('home/ops/.nim-ha/secret/sudo')).toBe('600');
    expect(node.read('fake/calls')).not.toContain(SUDO_PASSWORD);
    // Once only: the next step has to be brought it again.
    expect(asOps()).toEqual({ code: 3, out: expect.stringContaining('[node/sudo]: sudo without a password') });
  });

  test('a wrong one is tried once, and does not stay either', () => {
    node.sudoTakes(SUDO_PASSWORD).uploadSudoPassword('no');
    expect(asOps()).toEqual({ code: 3, out: expect.stringContaining('[node/sudo]: sudo with ssh.sudoPassword') });
    expect(node.actions().filter((call) => call.startsWith('sudo'))).toEqual(["sudo -S -p  true"]);
    for (const name of ['sudo', 'auth_pass']) expect(node.read(`home/ops/.nim-ha/secret/${name}`)).toBe('');
  });

  test('root, who needs none, forgets it as well', () => {
    node.uploadSudoPassword(SUDO_PASSWORD);
    preflightIs('echo as root');
    expect(node.step('preflight').code).toBe(0);
    expect(node.read('home/ops/.nim-ha/secret/sudo')).toBe('');
  });

  test('what sudo did not ask for is nothing that the step could read', () => {
    node.set('sudo-works');
    node.uploadSudoPassword(SUDO_PASSWORD);
    node.wrap('mktemp', 'timeout 1 cat >>"$FAKE/left"; next "$@"');
    preflightIs('echo as root');
    expect(asOps().code).toBe(0);
    expect(node.read('fake/left')).toBe('');
  });
});

test.each([false, true])('a removal that is run again while the first one is at it ends well, as does the first (its call cut off: %s)', async (cut) => {
  node.write('var/lib/nim-ha/before/units', '');
  node.write('home/ops/.nim-ha/scripts/remove.sh', '#!/bin/bash\necho begins; until [[ -e $FAKE/go ]]; do sleep 0.05; done; rm -rf "$NIM_HA_ROOT/var/lib/nim-ha"; echo removed\n');
  const { spawn } = await import('child_process');
  const call = spawn('bash', [`${node.inbox}/scripts/run-step.sh`, 'remove', 'restore'], { env: node.env(), stdio: 'ignore' });
  const first = new Promise((done) => call.on('close', done));
  while (!node.has('run/nim-ha/step/current/log') || !node.read('run/nim-ha/step/current/log').includes('begins')) await pause(20);
  if (cut) call.kill('SIGKILL');
  const second = node.start('remove', 'restore');
  await pause(1000);
  node.set('go');
  expect(await second).toEqual({ code: 0, out: expect.stringMatching(/begins\nremoved\n[^]*nothing to remove\n$/) });
  expect(await first).toBe(cut ? null : 0);
  expect(node.has('run/nim-ha')).toBe(false);
});

// The longest may carry all data to the share.
test.each<[string, number]>([
  ['preflight', 300],
  ['stage', 1500],
  ['rollout 1', 1800],
  ['rollout 2', 28800],
  ['rollout 3', 1800],
  ['rollout 4', 1800],
  ['remove restore', 1800],
  ['remove retain', 1800],
])('%s ends by itself, or after %i s', (step, seconds) => {
  node.write('var/lib/nim-ha/before/units', ''); // or there is nothing to remove
  for (const name of ['preflight', 'stage', 'rollout', 'remove']) node.write(`home/ops/.nim-ha/scripts/${name}.sh`, '#!/bin/bash\n');
  expect(node.step(...step.split(' ')).code).toBe(0);
  const calls = node.read('fake/calls').split('\n').filter((line) => line.startsWith('systemd-run '));
  expect(calls).toHaveLength(1);
  // Options of systemd-run, not words of the command.
  const [options, command] = calls[0].split(/ (?=bash \/)/);
  expect(command).toMatch(new RegExp(` --inside \\S+ ${step}$`));
  expect(options.split(' ')).toEqual(
    expect.arrayContaining([
      `--property=RuntimeMaxSec=${seconds}`,
      '--property=Type=exec', // it is there when the call returns
      '--property=TimeoutStopSec=60',
      '--unit=nim-ha-step.service', // one at a time
      '--collect', // one that has failed is not in the way of the next
    ]),
  );
});

test('wrong arguments end with 2', () => {
  expect(node.step('rollout', '5').code).toBe(2);
  expect(node.step('rollout').code).toBe(2);
  expect(node.step('../../bin/sh').code).toBe(2);
});
