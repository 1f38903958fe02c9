import { DeployNode, Result } from '../support/deploy-node';
import { Trouble, troubles } from '../support/trouble';

/** A step of its own, so that its run can be steered. */
const preflightIs = (body: string) => (node: DeployNode) => node.write('home/ops/.nim-ha/scripts/preflight.sh', `#!/bin/bash\n${body}\n`);

/** Once the step runs, this ends it. */
const endedBy = (end: (node: DeployNode) => unknown) => async (node: DeployNode): Promise<Result> => {
  const call = node.start('preflight');
  const log = 'run/nim-ha/step/current/log';
  while (!node.has(log) || !node.read(log).includes('waits')) await new Promise((done) => setTimeout(done, 20));
  end(node);
  return call;
};
const asOps = (node: DeployNode) => node.bash('FAKE_UID=1000 bash "$HOME/.nim-ha/scripts/run-step.sh" preflight');
const SUDO = 'expected rc 0 of: sudo -n true; allow it in sudoers (NOPASSWD: ALL), give ssh.sudoPassword, or let the deploy log in as root';
const UPLOAD = "run the preflight again, which uploads … terraform apply -replace of this node's preflight";

const rows: Trouble[] = [
  {
    trouble: 'sudo asks for a password',
    id: 'node/sudo',
    make: () => undefined,
    run: asOps,
    says: `sudo without a password for …, got sudo: a password is required, ${SUDO}`,
  },
  {
    trouble: 'sudo does not take the password',
    id: 'node/sudo',
    make: (node) => node.sudoTakes('right one').uploadSudoPassword('wrong one'),
    run: asOps,
    says: 'sudo with ssh.sudoPassword for …, got sudo: 1 incorrect password attempt, expected that it takes it; correct the password, or let the deploy log in as root',
  },
  {
    trouble: 'the user may not use sudo',
    id: 'node/sudo',
    make: (node) => node.wrap('sudo', 'echo "ops is not in the sudoers file." >&2; exit 1'),
    run: asOps,
    says: `sudo without a password for …, got ops is not in the sudoers file., ${SUDO}`,
  },
  {
    trouble: 'there is no sudo',
    id: 'node/sudo',
    make: (node) => node.without('sudo'),
    run: asOps,
    says: `sudo without a password for …, got no command sudo, ${SUDO}`,
  },
  {
    trouble: 'the data of the upload is gone',
    id: 'step/upload',
    name: 'node-primary',
    make: (node) => node.bash('rm "$HOME/.nim-ha/node.data"'),
    says: `node.data, got no such file in …/home/ops/.nim-ha, expected the data of this node; ${UPLOAD}`,
  },
  {
    trouble: '/run is full, or the upload cannot be read',
    id: 'step/upload',
    make: (node) => node.wrap('cp', '[[ $* != */scripts/ ]] || exit 1; next "$@"'),
    says: `the uploaded files in …/home/ops/.nim-ha, got incomplete, expected scripts and node.data; ${UPLOAD}`,
  },
  {
    trouble: 'systemd starts nothing',
    id: 'step/systemd-run',
    make: (node) => {
      node.wrap('systemd-run', 'echo asked >>"$FAKE/asked"; echo "Failed to connect to bus" >&2; exit 1');
      node.wrap('sleep', 'exit 0');
    },
    says: 'systemd-run for nim-ha-step.service, got Failed to connect to bus, expected a started unit; see: systemctl status nim-ha-step.service',
  },
  {
    trouble: 'a step hangs until its time limit',
    id: 'step/time-limit',
    code: 4,
    make: preflightIs('echo waits; exec sleep 30'),
    // systemd ends all processes of the unit.
    run: endedBy((node) => node.bash('kill -TERM -- -"$(cat "$FAKE/step.pid")"')),
    says: 'preflight, got stopped before its end, by its time limit or by somebody, expected an end within 300 s; look at the lines above for what it waited for, then run the deploy again: it goes on from there',
  },
  {
    trouble: 'a step is killed for lack of memory',
    id: 'step/no-result',
    code: 1,
    make: preflightIs('echo waits; exec sleep 30'),
    run: endedBy((node) => node.bash('kill -KILL -- -"$(cat "$FAKE/step.pid")"')),
    says: 'nim-ha-step.service, got an end without a result, expected an exit code; it was killed; see: journalctl -u nim-ha-step.service',
  },
  {
    trouble: 'another deploy does not come to its end',
    id: 'step/busy',
    code: 5,
    make: preflightIs('echo waits; until [[ -e $FAKE/go ]]; do sleep 0.05; done; echo ends'),
    // It is shown the log until then, so the step ends only after the limit.
    run: async (node) => {
      let second: Result | undefined;
      await endedBy((it) => {
        second = it.bash('(sleep 3; : >"$FAKE/go"; sleep 0.3) & NIM_HA_WAIT_LIMIT=0 bash "$HOME/.nim-ha/scripts/run-step.sh" preflight');
      })(node);
      return second!;
    },
    says: 'nim-ha-step.service, got still running after 0 s, expected an end; see: …/run/nim-ha/step/current/log; end it with: systemctl stop nim-ha-step.service',
  },
];

troubles('any step', ['preflight'], () => new DeployNode(), rows);
