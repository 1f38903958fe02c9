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

test('a step at its time limit says so and ends with 4', async () => {
  preflightIs('echo waits; exec sleep 30');
  const call = node.start('preflight');
  while (!node.has('run/nim-ha/step/current/log') || !node.read('run/nim-ha/step/current/log').includes('waits')) await pause(20);
  // systemd ends all processes of the unit.
  node.bash('kill -TERM -- -"$(cat "$FAKE/step.pid")"');
  const { code, out } = await call;
  expect(code).toBe(4);
  expect(out).toContain('FAILED [step/time-limit]: preflight, got stopped before its end, by its time limit or by somebody, expected an end within 300 s');
});

test('without sudo it refuses, and the password does not stay', () => {
  node.write('env', 'export FAKE_UID=1000\n');
  const { code, out } = node.bash('FAKE_UID=1000 bash "$HOME/.nim-ha/scripts/run-step.sh" stage');
  expect(code).toBe(3);
  expect(out).toContain('FAILED [node/sudo]');
  expect(out).toContain('got sudo: a password is required');
  expect(node.read('home/ops/.nim-ha/secret/auth_pass')).toBe('');
  node.set('sudo-works');
  preflightIs('echo as root');
  expect(node.bash('FAKE_UID=1000 bash "$HOME/.nim-ha/scripts/run-step.sh" preflight')).toEqual({
    code: 0,
    out: expect.stringContaining('as root'),
  });
});

test('without its upload it refuses', () => {
  node.bash('rm "$HOME/.nim-ha/node.data"');
  expect(node.step('preflight')).toEqual({ code: 3, out: expect.stringContaining('FAILED [step/upload]: node.data, got no such file') });
});

test('a systemd that starts nothing is asked three times', () => {
  node.wrap('systemd-run', 'echo asked >>"$FAKE/asked"; echo "Failed to connect to bus" >&2; exit 1');
  node.wrap('sleep', 'exit 0');
  const { code, out } = node.step('preflight');
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('FAILED [step/systemd-run]: systemd-run for nim-ha-step.service, got Failed to connect to bus') });
  expect(node.read('fake/asked')).toBe('asked\n'.repeat(3));
});

test('a step that is killed has no result, and that is no success', async () => {
  preflightIs('echo waits; exec sleep 30');
  const call = node.start('preflight');
  while (!node.has('run/nim-ha/step/current/log') || !node.read('run/nim-ha/step/current/log').includes('waits')) await pause(20);
  node.bash('kill -KILL -- -"$(cat "$FAKE/step.pid")"');
  expect(await call).toEqual({ code: 1, out: expect.stringContaining('FAILED [step/no-result]') });
});

test('a call that has waited long enough does not begin', async () => {
  preflightIs('echo waits; until [[ -e $FAKE/go ]]; do sleep 0.05; done; echo ends');
  const first = node.start('preflight');
  while (!node.has('run/nim-ha/step/current/log') || !node.read('run/nim-ha/step/current/log').includes('waits')) await pause(20);
  // It is shown the log until then, so the step ends only after the limit.
  const second = node.bash('(sleep 1.5; : >"$FAKE/go"; sleep 0.1) & NIM_HA_WAIT_LIMIT=0 bash "$HOME/.nim-ha/scripts/run-step.sh" preflight');
  expect({ ...second }).toEqual({ code: 5, out: expect.stringContaining('FAILED [step/busy]: nim-ha-step.service, got still running') });
  expect((await first).code).toBe(0);
});

test('wrong arguments end with 2', () => {
  expect(node.step('rollout', '5').code).toBe(2);
  expect(node.step('rollout').code).toBe(2);
  expect(node.step('../../bin/sh').code).toBe(2);
});
