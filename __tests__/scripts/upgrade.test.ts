import { rmSync } from 'fs';
import { join } from 'path';
import { DeployNode, Result } from './support/deploy-node';

function ok(result: Result): string {
  expect(result).toEqual({ code: 0, out: expect.any(String) });
  return result.out;
}

const UPLOAD = 'home/ops/.nim-ha/scripts';
const UNIT = 'nim-ha-other.service';
let node: DeployNode;

/** Another version of the library has something on a node that this one does not know. */
function uploadOther(): void {
  node.upload();
  node.write(`${UPLOAD}/other.sh`, '#!/bin/bash\necho other\n', 0o700);
  node.write(`${UPLOAD}/other-lib.sh`, '# sourced\n', 0o600);
  node.write(`${UPLOAD}/units/${UNIT}`, '[Service]\nExecStart=/usr/local/lib/nim-ha/other.sh\n[Install]\nWantedBy=multi-user.target\n');
}

/** As Terraform does it: scripts that this version does not have are not there any more. */
function uploadThis(): void {
  for (const file of ['other.sh', 'other-lib.sh', `units/${UNIT}`]) rmSync(join(node.root, UPLOAD, file), { force: true });
  node.upload();
}

function stage(): void {
  node.uploadSecret('s3cret.X');
  ok(node.step('stage'));
}

/** One that has a line more. */
function change(...scripts: string[]): void {
  for (const script of scripts) node.write(`${UPLOAD}/${script}`, `${node.read(`${UPLOAD}/${script}`)}# changed by a test\n`, 0o700);
}

const OF_OTHER = ['usr/local/lib/nim-ha/other.sh', 'usr/local/lib/nim-ha/other-lib.sh', `etc/systemd/system/${UNIT}`];
const there = () => OF_OTHER.filter((path) => node.has(path));
const rollOut = () => node.step('rollout', '2');

describe('a node that another version was deployed to', () => {
  let before: Record<string, string>;
  beforeAll(() => {
    node = new DeployNode();
    before = node.tree();
    uploadOther();
    for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
    node.write(`fake/units/${UNIT}`, 'enabled active\n');
    node.actions();
    node.snapshot();
  });
  beforeEach(() => node.restore());
  afterAll(() => node.destroy());

  test('keeps no password of a roll-out that was cut off before its files got their names', () => {
    node.write('etc/keepalived/.nim-ha.new/keepalived.conf', 'auth_pass other');
    uploadThis();
    stage();
    ok(rollOut());
    expect(node.has('etc/keepalived/.nim-ha.new')).toBe(false);
  });

  test('has nothing of it that this one does not know: what ran is stopped, and out of the boot', () => {
    expect(there()).toEqual(OF_OTHER);
    uploadThis();
    stage();
    expect(ok(rollOut())).toContain(`changed: ${UNIT} is no part of this version, so it is stopped`);
    expect(there()).toEqual([]);
    expect(node.read(`fake/units/${UNIT}`)).toBe('disabled inactive\n');
    const done = node.actions().filter((action) => action.includes(UNIT) || action.includes('keepalived') || action.includes('daemon-reload'));
    expect(done).toEqual([`systemctl stop ${UNIT}`, expect.stringMatching(`^systemctl .*disable ${UNIT}$`), 'systemctl daemon-reload']);
    expect(ok(rollOut())).toContain('nothing to do: active, as deployed');
    ok(node.step('remove', 'restore'));
    expect(node.tree()).toEqual(before);
  });

  test('goes on serving, and is told when what holds the lock has other scripts now', () => {
    change('agent.sh', 'metrics.sh');
    stage();
    expect(ok(rollOut())).not.toContain('next hand-over');
    for (const script of ['lock-holder.sh', 'heartbeat.sh']) {
      change(script);
      stage();
      expect(ok(rollOut())).toContain('what holds the lock goes on with the scripts that it has begun with, until the next hand-over');
    }
    expect(node.actions().filter((action) => /keepalived|nim-ha-lock/.test(action))).toEqual([]);
  });

  test('gets all files, or none where a file system is full, of whatever directory', () => {
    change('agent.sh', 'paths.sh', 'nms-check-keepalived.sh');
    node.write(`${UPLOAD}/units/nimha.slice`, '[Unit]\nDescription=another\n');
    stage();
    const there = node.tree(['etc', 'usr']);
    // The first is let through.
    node.wrap('install', '[[ $* != *.nim-ha.new* ]] || { [[ -e $FAKE/installed ]] && exit 1; : >"$FAKE/installed"; }; next "$@"');
    const failed = rollOut();
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('FAILED [node/write]: files in /')]);
    expect(node.tree(['etc', 'usr'])).toEqual(there);
    node.wrap('install', 'next "$@"');
    ok(rollOut());
    for (const path of ['usr/local/lib/nim-ha/agent.sh', 'usr/local/lib/nim-ha/paths.sh', 'etc/nms/scripts/nms-check-keepalived.sh']) expect(node.read(path)).toContain('# changed by a test');
  });

  test('has its scripts of one version or the other: those that are run, and those that are sourced, at once', () => {
    change('agent.sh', 'notify.sh', 'paths.sh', 'services.sh');
    stage();
    node.wrap('mv', '[[ $* != *"/usr/local/lib/nim-ha -- "* ]] || grep -l "changed by a test" "$NIM_HA_ROOT"/usr/local/lib/nim-ha/*.sh | wc -l >>"$FAKE/placed"\nnext "$@"');
    ok(rollOut());
    // Before the only one there was none yet.
    expect(node.read('fake/placed')).toBe('0\n');
    expect(node.bash('grep -l "changed by a test" "$NIM_HA_ROOT"/usr/local/lib/nim-ha/*.sh | wc -l').out).toBe('4\n');
  });

  test('has new files whole on the disk before they have their names', () => {
    change('agent.sh');
    stage();
    node.wrap('sync', '[[ $* != *.nim-ha.new* ]] || exit 1; next "$@"');
    expect(rollOut().out).toContain('FAILED [node/write]');
    expect(node.read('usr/local/lib/nim-ha/agent.sh')).not.toContain('# changed by a test');
    expect(node.has('usr/local/lib/nim-ha/.nim-ha.new')).toBe(false);
  });
});

describe('a deploy of another version that broke off', () => {
  let before: Record<string, string>;
  beforeAll(() => {
    node = new DeployNode();
    before = node.tree();
    for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
    node.snapshot();
  });
  beforeEach(() => {
    node.restore();
    uploadOther();
    stage();
    node.wrap('systemctl', '[[ $1 != daemon-reload ]] || exit 1\nnext "$@"');
    expect(rollOut().out).toContain('FAILED [node/daemon-reload]');
    node.wrap('systemctl', 'next "$@"');
    node.write(`fake/units/${UNIT}`, 'enabled active\n');
    expect(there()).toEqual(OF_OTHER);
  });
  afterAll(() => node.destroy());

  test('is taken back by the version before it', () => {
    expect(node.mode('var/lib/nim-ha/todo/files')).toBe('600');
    uploadThis();
    stage();
    ok(rollOut());
    expect(there()).toEqual([]);
    expect(node.read(`fake/units/${UNIT}`)).toBe('disabled inactive\n');
    expect(node.has('var/lib/nim-ha/todo')).toBe(false);
    expect(ok(rollOut())).toContain('nothing to do: active, as deployed');
  });

  test('goes on where it is run again', () => {
    ok(rollOut());
    expect(there()).toEqual(OF_OTHER);
    expect(node.read(`fake/units/${UNIT}`)).toBe('enabled active\n');
  });

  test('is taken back by a removal, with what was on its way to its place', () => {
    const waiting = '.nim-ha.new/keepalived.conf';
    for (const directory of ['etc/keepalived', 'usr/local/lib/nim-ha']) node.write(`${directory}/${waiting}`, 'auth_pass s3cret.X\n', 0o600);
    ok(node.step('remove', 'restore'));
    expect(node.tree()).toEqual(before);
    expect(node.read(`fake/units/${UNIT}`)).toBe('disabled inactive\n');
  });
});

test('nodes of two versions lock the same file: one that locks another has to say so by lock_protocol', () => {
  node = new DeployNode();
  try {
    expect(node.bash('NIM_HA_ROOT= && . ./paths.sh && echo "$lock_protocol $share_lock $share_protocol"').out).toBe('1 /var/lib/nms/.nim-ha/lock /var/lib/nms/.nim-ha/protocol\n');
  } finally {
    node.destroy();
  }
});

describe('a share whose nodes lock in another way, of a later version', () => {
  beforeEach(() => (node = new DeployNode()));
  afterEach(() => node.destroy());

  test.each([['1\n', 0], ['2\n', 3], ['', 3]])('protocol %j: the preflight ends with %i', (text, code) => {
    node.write('fake/nfs/nms/.nim-ha/protocol', text);
    const result = node.step('preflight');
    expect(result.code).toBe(code);
    expect(/FAILED \[storage\/other-version\]/.test(result.out)).toBe(code !== 0);
    // It is none of theirs.
    if (code !== 0) expect(node.has('fake/nfs/nms/.nim-ha/nodes')).toBe(false);
  });
});
