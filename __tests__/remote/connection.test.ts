import { STEP_SCRIPT, connection } from '../../lib/remote/connection';
import { Login } from '../../lib/remote/login';

const login: Login = { user: 'ops', timeout: '2m', verifyHostKeys: true, privateKey: 'KEY' };
const target = { host: '192.0.2.11', port: 2222, hostKeys: ['ssh-ed25519 AAAA', 'ssh-rsa BBBB'], login };

test('further host keys bring along what Terraform writes before the first', () => {
  expect(connection(target, STEP_SCRIPT)).toMatchObject({
    hostKey: 'ssh-ed25519 AAAA\n@cert-authority 192.0.2.11:2222 ssh-rsa BBBB',
    privateKey: 'KEY',
    agent: 'false',
    port: 2222,
    scriptPath: './.nim-ha/step.sh',
  });
  expect(connection({ ...target, host: '2001:db8::1' }, STEP_SCRIPT).hostKey).toContain('[2001:db8::1]:2222');
});

test('without verification there is no host key', () => {
  expect(connection({ ...target, login: { ...login, verifyHostKeys: false } }, STEP_SCRIPT).hostKey).toBeUndefined();
});

test('with a bastion the host key has the lines of both machines, and a first one that fits none', () => {
  const bastion = { host: '192.0.2.1', port: 22, user: 'jump', hostKeys: ['ssh-rsa CCCC'] };
  const result = connection({ ...target, login: { ...login, bastion } }, STEP_SCRIPT);
  expect(result).toMatchObject({ bastionHost: '192.0.2.1', bastionPort: 22, bastionUser: 'jump', bastionHostKey: result.hostKey });
  expect(result).not.toHaveProperty('bastionPrivateKey');
  expect(result.hostKey!.split('\n')).toEqual([
    expect.stringMatching(/^sk-ssh-ed25519@openssh\.com AAAA/),
    '@cert-authority 192.0.2.11:2222 ssh-ed25519 AAAA',
    '@cert-authority 192.0.2.11:2222 ssh-rsa BBBB',
    '@cert-authority 192.0.2.1:22 ssh-rsa CCCC',
  ]);
});
