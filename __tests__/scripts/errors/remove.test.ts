import { DeployNode } from '../support/deploy-node';
import { expectTrouble, Trouble } from '../support/trouble';

/** What goes wrong, as long as the machine is what `make` has made it. */
interface RemovalTrouble extends Trouble {
  /** Takes that away; without it, the commands are as they were. */
  mend?(node: DeployNode): unknown;
}

const when = (command: string, test: string, then = 'exit 1') => (node: DeployNode) => node.wrap(command, `[[ ${test} ]] && { ${then}; }; next "$@"`);
const remove = (environment: string) => (node: DeployNode) => node.bash(`${environment} bash "$HOME/.nim-ha/scripts/run-step.sh" remove restore`);

const rows: RemovalTrouble[] = [
  {
    trouble: 'systemd does not say how anything stands',
    id: 'node/systemctl',
    make: when('systemctl', '$* == *--property=LoadState*'),
    says: 'systemctl show keepalived.service nim-ha.target nim-ha-lock.service nim-ha-agent.service nim-ha-rejoin.service, got an answer for 0 of 5 units, expected one for each, within 30 s; see what it says on this node; then run this again',
  },
  {
    trouble: 'systemd does not say how the services stand, which ran before',
    id: 'node/systemctl',
    make: when('systemctl', '$* == *--property=LoadState*nginx.service*', '(next "$@") | head -n 4; exit'),
    says: 'systemctl show …nginx.service…, got an answer for 1 of … units, expected one for each, within 30 s; see what it says on this node; then run this again',
  },
  {
    trouble: 'keepalived does not stop',
    id: 'remove/stop',
    make: when('systemctl', '$* == "stop keepalived.service"'),
    says: 'systemctl stop keepalived.service, got an error, expected success; see: systemctl status keepalived.service',
  },
  {
    trouble: 'the agent does not stop',
    id: 'remove/stop',
    make: when('systemctl', '$* == *"disable --now nim-ha-agent"*'),
    says: 'systemctl disable --now nim-ha-agent, got an error, expected success; see: systemctl status nim-ha-agent',
    also: ['changed so far: stopped keepalived'],
  },
  {
    trouble: 'processes of the services do not end',
    id: 'remove/drain',
    make: (node) => node.write('cgroup/cgroup.events', 'populated 1\n'),
    mend: (node) => node.write('cgroup/cgroup.events', 'populated 0\n'),
    run: remove('NIM_HA_DRAIN_LIMIT=0'),
    says: 'services, got still running, or the lock still held, after 0 s, expected none; see: systemctl status nimha.slice',
    also: ['changed so far: stopped keepalived'],
  },
  {
    trouble: 'a shell in a directory of the share',
    id: 'storage/unmount',
    make: (node) => node.write('fake/busy', '99'),
    mend: (node) => node.write('fake/busy', '0'),
    run: remove('NIM_HA_UNMOUNT_LIMIT=0'),
    says: 'umount /var/lib/clickhouse, got umount: …/var/lib/clickhouse: target is busy., expected success; end what uses it: …',
  },
  {
    trouble: '/etc is read-only: fstab',
    id: 'remove/fstab',
    make: when('mktemp', '$* == */etc/.nim-ha.*'),
    says: '/etc/fstab, got an error, expected success; is the file system read-only?',
  },
  {
    trouble: 'somebody has edited nms.conf, and it does not take the mode back',
    id: 'remove/nms-conf',
    make: (node) => {
      node.write('etc/nms/nms.conf', `${node.read('etc/nms/nms.conf')}extra: 1\n`);
      when('mktemp', '$* == */etc/nms/.nim-ha.*')(node);
    },
    mend: (node) => {
      node.wrap('mktemp', 'next "$@"');
      // What somebody has added stays; here it goes, for all is to be as it was.
      node.write('etc/nms/nms.conf', node.read('etc/nms/nms.conf').replace('extra: 1\n', ''));
    },
    says: 'mode of operation in /etc/nms/nms.conf, got an error, expected as it was before; set it by hand: no line',
  },
  {
    trouble: 'a directory in the place of a file',
    id: 'remove/file',
    make: (node) => node.bash('cd "$NIM_HA_ROOT/etc/systemd/system" && rm nim-ha.target && mkdir nim-ha.target'),
    mend: (node) => node.bash('rmdir "$NIM_HA_ROOT/etc/systemd/system/nim-ha.target"'),
    says: '/etc/systemd/system/nim-ha.target, got an error, expected as it was before; its original is in …/var/lib/nim-ha/before/files',
  },
  {
    trouble: 'systemd does not put the services back into the boot',
    id: 'remove/unit',
    make: when('systemctl', '$* == "--quiet enable "*'),
    says: 'systemctl enable, got an error, expected success; run it by hand for nms.service nginx.service nms-core.service',
  },
  {
    trouble: 'systemd does not take a service out of the boot',
    id: 'remove/unit',
    make: (node) => {
      node.write('var/lib/nim-ha/before/units', node.read('var/lib/nim-ha/before/units').replace('nginx.service enabled', 'nginx.service disabled'));
      when('systemctl', '$* == "--quiet disable nginx"*')(node);
    },
    mend: (node) => {
      node.wrap('systemctl', 'next "$@"');
      node.write('var/lib/nim-ha/before/units', node.read('var/lib/nim-ha/before/units').replace('nginx.service disabled', 'nginx.service enabled'));
    },
    says: 'systemctl disable, got an error, expected success; run it by hand for nginx.service…',
  },
  {
    trouble: 'a service does not start on its own data',
    id: 'remove/start',
    make: when('systemctl', '$* == "start "*nginx*'),
    says: 'start of nms.service nginx.service nms-core.service, got an error, expected running as before; see: systemctl status nms.service nginx.service nms-core.service',
  },
  {
    trouble: 'apt is locked by somebody else',
    id: 'keepalived/remove',
    make: when('apt-get', '$* == *" purge "* && $* != *simulate*', 'echo "E: Could not get lock /var/lib/dpkg/lock-frontend"; exit 100'),
    says: 'removal of keepalived libnl-3-200, got an error, expected success; see the lines above, and remove them by hand',
    also: ['E: Could not get lock /var/lib/dpkg/lock-frontend'],
  },
];

describe('a removal', () => {
  const node = new DeployNode();
  let before: Record<string, string>;
  beforeAll(() => {
    before = node.tree();
    for (const step of ['preflight', 'stage', 'rollout 2', 'rollout 4']) expect(node.step(...step.split(' ')).code).toBe(0);
    node.snapshot();
  });
  beforeEach(() => node.restore());
  afterAll(() => node.destroy());

  test.each([
    ['is gone', 'rm'],
    ['is empty', 'cp /dev/null'],
  ])('where node.data %s leaves all as it was, too', (_, command) => {
    node.bash(`${command} "$NIM_HA_ROOT/etc/nim-ha/node.data"; rm -rf "$HOME/.nim-ha"`);
    const { code, out } = node.bash('bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/remove.sh" restore');
    expect({ code, out }).toEqual({ code: 0, out: expect.not.stringMatching(/unbound|takes no note|does not take a note/) });
    expect(node.read('fake/nfs/nms/.nim-ha/removed/' + 'a'.repeat(32))).toBe('node-primary\n');
    expect(node.tree()).toEqual(before);
  });

  test('starts a service that was about to run when the pair was deployed', () => {
    node.write('var/lib/nim-ha/before/units', node.read('var/lib/nim-ha/before/units').replace('nginx.service enabled active', 'nginx.service enabled activating'));
    expect(node.step('remove', 'restore').code).toBe(0);
    expect(node.read('fake/units/nginx.service')).toBe('enabled active\n');
  });

  describe('of a node that has lost its records', () => {
    const said = 'FAILED [remove/records]: /var/lib/nim-ha, got nothing, while /usr/local/lib/nim-ha/remove.sh is there, expected the records of what this node was before the pair';
    beforeEach(() => node.bash('rm -rf "$NIM_HA_ROOT/var/lib/nim-ha"'));

    test.each([['', ''], [', node.data too', 'rm -f "$NIM_HA_ROOT/etc/nim-ha/node.data"; rm -rf "$HOME/.nim-ha"']])('does not say that there is nothing%s, and touches nothing', (_, more) => {
      node.bash(more);
      const { code, out } = node.bash('bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/remove.sh" restore');
      expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(said) });
      expect(node.read('fake/units/nim-ha-agent.service')).toBe('enabled active\n');
      for (const path of ['run/nim-ha/state', 'run/nim-ha/lock-held', 'usr/local/lib/nim-ha/agent.sh']) expect([path, node.has(path)]).toEqual([path, true]);
      expect(node.bash('bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/run-step.sh" remove retain').code).toBe(0);
    });

    test('and the program too leaves what the agent has in /run while that runs', () => {
      node.bash('rm -rf "$NIM_HA_ROOT/usr/local/lib/nim-ha" "$NIM_HA_ROOT/etc/systemd/system/keepalived.service.d"');
      expect(node.step('remove', 'restore')).toEqual({ code: 0, out: expect.stringContaining('nothing to remove') });
      expect(node.has('run/nim-ha/state')).toBe(true);
    });

    test('counts as not deployed, by a number that no other node has', () => {
      expect(node.bash('bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/nim-ha.sh" generation')).toEqual({ code: 0, out: '01\n' });
    });
  });

  test.each(rows)('$trouble: [$id], and the next removal leaves all as it was', async ({ mend, ...row }) => {
    await expectTrouble(node, { step: ['remove', 'restore'], code: 1, ...row });
    for (const command of ['systemctl', 'mktemp', 'apt-get']) node.wrap(command, 'next "$@"');
    mend?.(node);
    expect(node.step('remove', 'restore')).toEqual({ code: 0, out: expect.any(String) });
    expect(node.tree()).toEqual(before);
    for (const unit of ['nginx', 'nms-core', 'nms']) expect(node.read(`fake/units/${unit}.service`)).toBe('enabled active\n');
  });
});
