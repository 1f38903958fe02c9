import { DeployNode, Result } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

function ok({ code, out }: Result): void {
  expect({ code, out }).toEqual({ code: 0, out: expect.any(String) });
}

function refused(id: string): string {
  const before = node.tree();
  const { code, out } = node.step('stage');
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(`FAILED [${id}]`) });
  expect(out).toContain('changed so far: nothing');
  const changed = Object.keys(node.tree()).filter((path) => !path.startsWith('run/nim-ha') && !(path in before));
  expect(changed).toEqual([]);
  return out;
}

test.each([
  '/etc/passwd',
  '/etc/systemd/system/ssh.service.d/50-nim-ha.conf',
  '/etc/systemd/system/nginx.service.d/99-other.conf',
  '/etc/systemd/system/../../shadow',
  '/etc/nms/scripts/../../../root/.bashrc',
])('a file of the deploy at %s is refused', (path) => {
  node.files = { ...node.files, [path]: ['0644', 'x'] };
  node.upload();
  expect(refused('data/file-path')).toContain(path);
});

test('a keepalived.conf with two places for the password is not staged', () => {
  node.files['/etc/keepalived/keepalived.conf'] = ['0600', 'auth_pass <AUTH_PASSWORD>\n'.repeat(2)];
  node.upload();
  const { code, out } = node.step('stage');
  expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('FAILED [data/placeholder]') });
  expect(node.has('var/lib/nim-ha/staged')).toBe(false);
});

test.each([
  ['SERVICES', 'nginx; reboot'],
  ['SERVICES', 'nginx\n$(reboot)'],
  ['INTERFACE', 'ens32 up; reboot'],
  ['VIRTUAL_IP', '192.0.2.100\n}'],
  ['NAME', '$(touch pwned)'],
  ['NFS_EXPORT_PATH', '/mnt/nfs_share/'],
  ['NFS_EXPORT_PATH', '/mnt//nfs_share'],
])('%s=%j is refused and never run', (key, value) => {
  node.upload({ [key]: value });
  refused('data/value');
});

test.each(['', 'ninechars', 'a b', 'ab#c', '{}', "a'b", 'a\nb', '$(id)'])('the password %j is refused and not shown', (secret) => {
  node.uploadSecret(secret);
  const out = refused('vip/auth-pass');
  if (secret.length > 2) expect(out).not.toContain(secret);
});

test('the password is in no argument and no environment of any process', () => {
  // In front of every command that is not part of bash stands one that writes down what it was given.
  const wrapped = 'base64 bash basename cat chmod cp cut dirname env find grep head id install ln mkdir mktemp mv readlink rm sed sha256sum sort stat tail tr wc xargs';
  for (const name of wrapped.split(' ')) {
    node.write(`wrappers/${name}`, `#!/bin/bash\n{ printf '%s ' ${name} "$@"; echo; export -p; } >>"$FAKE/seen"\nexec /usr/bin/${name} "$@"\n`, 0o755);
  }
  expect(node.bash('PATH="$NIM_HA_ROOT/wrappers:$PATH" /bin/bash "$HOME/.nim-ha/scripts/run-step.sh" stage').code).toBe(0);
  const seen = node.read('fake/seen');
  expect(seen).toMatch(/^base64 -d $/m);
  expect(seen).not.toContain('s3cret');
  expect(node.read('fake/calls')).not.toContain('s3cret');
  expect(node.read('var/lib/nim-ha/staged/root/etc/keepalived/keepalived.conf')).toContain('auth_pass s3cret.X\n');
  expect(node.mode('var/lib/nim-ha/staged/root/etc/keepalived/keepalived.conf')).toBe('600');
  expect(node.mode('var/lib/nim-ha/staged')).toBe('700');
  const secrets = Object.entries(node.tree()).filter(([, text]) => text.includes('s3cret'));
  expect(secrets.map(([path]) => path)).toEqual(['var/lib/nim-ha/staged/root/etc/keepalived/keepalived.conf']);
});

test('keepalived proves the scripts that are staged, and one complaint is enough', () => {
  node.set('keepalived-complains');
  node.write('fake/keepalived-complains', "(keepalived.conf: Line 4) Unknown keyword 'wait'\n");
  const { code, out } = node.step('stage');
  expect(code).toBe(1);
  expect(out).toContain("FAILED [keepalived/config]: keepalived -t, got code 0, (keepalived.conf: Line 4) Unknown keyword 'wait'");
  expect(node.read('fake/keepalived-saw')).toContain('/var/lib/nim-ha/staged.proof/etc/nms/scripts/nms-check-keepalived.sh');
  expect(node.has('var/lib/nim-ha/staged')).toBe(false);
});

test.each([
  ['a file cannot be written', '[[ $* != *nginx.service.d* ]] || exit 1', 'chmod', 'nginx.service.d/50-nim-ha.conf, got an error while staging'],
  ['a sum cannot be made', '[[ $1 != -- ]] || exit 1', 'sha256sum', 'the list of what is staged, got an error'],
])('nothing is staged where %s', (_, fault, command, what) => {
  ok(node.step('stage'));
  const before = node.read('var/lib/nim-ha/staged/manifest');
  node.uploadSecret('other');
  node.write(`wrappers/${command}`, `#!/bin/bash\n${fault}\nexec /usr/bin/${command} "$@"\n`, 0o755);
  const { code, out } = node.bash('PATH="$NIM_HA_ROOT/wrappers:$PATH" bash "$HOME/.nim-ha/scripts/run-step.sh" stage');
  expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining(`FAILED [node/write]: `) });
  expect(out).toContain(what);
  expect(node.read('var/lib/nim-ha/staged/manifest')).toBe(before);
});

test('a problem that cannot be written down ends the step all the same, and is told', () => {
  const code = 'load_data "$HOME/.nim-ha/node.data"; . ./report.sh; mkdir -p "$problems_file"; fail node/write x y z w; echo went on';
  const { code: rc, out } = node.bash(`. ./paths.sh; . ./node-data.sh; . ./data.sh; ${code}`);
  expect(rc).toBe(1);
  expect(out).toContain('FAILED [node/write]: x, got y, expected z; w');
  expect(out).not.toContain('went on');
});

describe('the packages that a removal takes away', () => {
  const packages = () => node.read('var/lib/nim-ha/before/packages');

  test('are those that the installation brought, not what somebody else installed between two tries', () => {
    node.set('apt-fails');
    expect(node.step('stage').code).toBe(1);
    expect(packages()).toBe('');
    node.set('apt-fails', false);
    node.write('fake/packages', `${node.read('fake/packages')}postgresql-15\n`);
    node.uploadSecret('s3cret.X');
    ok(node.step('stage'));
    expect(packages()).toBe('keepalived\nlibnl-3-200\n');
  });

  test('are known after a power cut in the middle, and the installation is finished first', () => {
    node.write('fake/packages', 'bash\nnginx\nkeepalived\n');
    node.write('fake/units/keepalived.service', 'enabled inactive\n');
    node.write('var/lib/nim-ha/before/packages.unfinished', '');
    node.write('var/lib/nim-ha/before/packages', 'keepalived\nlibnl-3-200\n');
    ok(node.step('stage'));
    const calls = node.actions().filter((line) => /^dpkg .*configure|install keepalived/.test(line));
    expect(calls).toEqual([expect.stringContaining('dpkg --force-confold --configure -a'), expect.stringContaining('install keepalived')]);
    expect(packages()).toBe('keepalived\nlibnl-3-200\n');
    expect(node.has('var/lib/nim-ha/before/packages.unfinished')).toBe(false);
  });

  test('go after a power cut in the middle, too, and keepalived is masked no more', () => {
    ok(node.step('stage'));
    // Unpacked, and not yet configured.
    node.write('fake/packages', 'bash\nnginx\n');
    node.write('var/lib/nim-ha/before/packages.unfinished', '');
    node.wrap('dpkg', 'printf "keepalived\\nlibnl-3-200\\n" >>"$FAKE/packages"; next "$@"');
    node.actions();
    ok(node.step('remove', 'restore'));
    expect(node.actions().filter((line) => /^dpkg .*configure|mask| purge /.test(line))).toEqual([
      'dpkg --force-confold --configure -a',
      'systemctl --quiet --runtime unmask keepalived.service',
      expect.stringMatching(/ purge keepalived libnl-3-200$/),
    ]);
    expect(node.read('fake/packages')).toBe('bash\nnginx\n');
  });

  test('are found under the names that an earlier version has put down, and stay where something else needs them', () => {
    ok(node.step('stage'));
    node.write('var/lib/nim-ha/before/packages', 'keepalived\nlibnl-3-200:amd64\n');
    node.actions();
    node.write('fake/needs-keepalived', 'monitoring\n');
    expect(node.step('remove', 'restore').out).toContain('keepalived stays installed: another package needs it by now');
    expect(node.read('fake/packages')).toContain('libnl-3-200');
  });

  test('go by those names', () => {
    ok(node.step('stage'));
    node.write('var/lib/nim-ha/before/packages', 'keepalived\nlibnl-3-200:amd64\n');
    node.actions();
    ok(node.step('remove', 'restore'));
    expect(node.actions().filter((line) => line.includes(' purge '))).toEqual([expect.stringMatching(/ purge keepalived libnl-3-200$/)]);
  });

  test('are not those that somebody has asked for by name since', () => {
    ok(node.step('stage'));
    node.write('fake/manual', 'libnl-3-200\n');
    node.actions();
    ok(node.step('remove', 'restore'));
    const purges = node.actions().filter((line) => line.includes(' purge '));
    expect(purges).toEqual([expect.stringMatching(/ purge keepalived$/)]);
  });
});

describe('lists of packages that are not to be had', () => {
  const update = (then: string) => node.wrap('apt-get', `[[ $* != *" update" ]] || { ${then}; }; next "$@"`);
  const LOCKED = 'echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"; exit 100';

  test('because another apt is at work are waited for', () => {
    update(`echo x >>"$FAKE/updates"; (($(wc -l <"$FAKE/updates") > 3)) || { ${LOCKED}; }; exit 0`);
    const { code, out } = node.step('stage');
    expect({ code, out }).toEqual({ code: 0, out: expect.not.stringContaining('apt-get update') });
    expect(node.read('fake/updates')).toBe('x\n'.repeat(4));
  });

  test.each([
    ['another apt that does not end', LOCKED, 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)'],
    ['a repository that is gone', 'echo "E: The repository has no Release file."; exit 100', 'E: The repository has no Release file.'],
  ])('because of %s are told, and the installation decides', (_, then, complaint) => {
    update(then);
    const stage = () => node.bash('NIM_HA_APT_LIMIT=0 bash "$HOME/.nim-ha/scripts/run-step.sh" stage');
    node.set('apt-fails');
    expect(stage().out).toContain('FAILED [keepalived/install]: installation of keepalived, got code 100, E: Unable to fetch');
    node.set('apt-fails', false);
    node.uploadSecret('s3cret.X');
    const { code, out } = stage();
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`apt-get update: ${complaint}; going on with the lists that are there`) });
    expect(node.read('var/lib/nim-ha/before/packages')).toBe('keepalived\nlibnl-3-200\n');
  });
});

test('keepalived is masked while its package is installed; a failed installation is reported with its log', () => {
  node.set('apt-fails');
  const failed = node.step('stage');
  expect(failed.out).toContain('E: Unable to fetch');
  expect(failed.out).toContain('FAILED [keepalived/install]');
  node.set('apt-fails', false);
  node.actions();
  node.uploadSecret('s3cret.X');
  expect(node.step('stage').code).toBe(0);
  const calls = node.actions().filter((line) => /mask|install keepalived/.test(line));
  expect(calls[0]).toContain('--runtime mask keepalived.service');
  expect(calls[1]).toContain('--no-install-recommends install keepalived');
  expect(calls[2]).toContain('--runtime unmask keepalived.service');
  expect(node.read('var/lib/nim-ha/before/packages')).toBe('keepalived\nlibnl-3-200\n');
});
