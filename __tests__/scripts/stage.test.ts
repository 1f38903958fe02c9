import { DeployNode } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

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

test('a mode that would let others write is refused', () => {
  node.files['/etc/systemd/system/nim-ha.target'] = ['0666', '[Unit]\n'];
  node.upload();
  refused('data/file-mode');
});

test.each([
  ['SERVICES', 'nginx; reboot'],
  ['SERVICES', 'nginx\n$(reboot)'],
  ['INTERFACE', 'ens32 up; reboot'],
  ['VIRTUAL_IP', '192.0.2.100\n}'],
  ['NAME', '$(touch pwned)'],
])('%s=%j is refused and never run', (key, value) => {
  node.upload({ [key]: value });
  refused('data/value');
});

test.each(['', 'ninechars', 'a b', 'ab#c', '{}', "a'b", 'a\nb', '$(id)'])('the password %j is refused and not shown', (secret) => {
  node.uploadSecret(secret);
  const out = refused('vip/auth-pass');
  if (secret.length > 2) expect(out).not.toContain(secret);
});

test('without a password it says what is missing', () => {
  node.write('home/ops/.nim-ha/secret', '');
  refused('data/secret');
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
  ['with line ends of another system', (text: string) => text.replaceAll('\n', '\r\n')],
  ['without a first line that says how to run it', (text: string) => text.split('\n').slice(1).join('\n')],
  ['that always succeeds', () => '#!/bin/bash\nexit 0\n'],
])('a check %s does not get past the proof', (_, change) => {
  const check = 'home/ops/.nim-ha/scripts/nms-check-keepalived.sh';
  node.write(check, change(node.read(check)));
  expect(node.step('stage').out).toContain('FAILED [keepalived/check]');
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
  const calls = node.actions().filter((line) => /mask|install/.test(line));
  expect(calls[0]).toContain('--runtime mask keepalived.service');
  expect(calls[1]).toContain('--no-install-recommends install keepalived');
  expect(calls[2]).toContain('--runtime unmask keepalived.service');
  expect(node.read('var/lib/nim-ha/before/packages')).toBe('keepalived\nlibnl-3-200:amd64\n');
});
