import { SshAccess } from '../lib';
import { pair, provisioners, stack, synth } from './fixture';

/** What is counted: one TCP connection per provisioner block, and one per run of the OpenSSH client. */
function connections(options: { repairDrift: boolean }): { [host: string]: { provisioners: number; reads: number } } {
  const scope = stack();
  pair(scope, options);
  const tf = synth(scope);
  const hosts = ['192.0.2.11', '192.0.2.12'];
  return Object.fromEntries(
    hosts.map((host) => [
      host,
      {
        provisioners: provisioners(tf).filter(({ block }) => block.connection?.host === host).length,
        reads: Object.values<any>(tf.data.local_command).filter((data) => data.arguments.includes(`NIM_HA_HOST=${host}`)).length,
      },
    ]),
  );
}

test.each([false, true])('at most 8 for a first deploy and 2 when nothing changed, with repairDrift %s', (repairDrift) => {
  for (const count of Object.values(connections({ repairDrift }))) {
    expect(count.provisioners + count.reads).toBeLessThanOrEqual(8);
    expect(count.reads).toBeLessThanOrEqual(2);
  }
  expect(connections({ repairDrift })['192.0.2.11']).toEqual({ provisioners: 5, reads: repairDrift ? 2 : 1 });
});

test('a password or a key that is written out is text, whatever Terraform would make of it', () => {
  const connectionOf = (ssh: SshAccess): any => {
    const scope = stack();
    pair(scope, { ssh });
    return provisioners(synth(scope))[0].block.connection;
  };
  expect(connectionOf(SshAccess.withPassword({ user: 'ops', password: 'a${b}%{c}' })).password).toBe('a$${b}%%{c}');
  expect(connectionOf(SshAccess.withPrivateKey({ user: 'ops', privateKey: 'KEY ${b}' })).private_key).toBe('KEY $${b}');
});

test('each block has a time limit, its own script path in the home of the user, and bash', () => {
  const scope = stack();
  pair(scope, { ssh: SshAccess.withPassword({ user: 'ops', password: 'x', timeout: '45s' }) });
  for (const { kind, block } of provisioners(synth(scope)).filter(({ block }) => block.connection)) {
    expect(block.connection.timeout).toBe('45s');
    expect(block.connection.script_path).toMatch(/^\.\/\.nim-ha/);
    if (kind === 'remote-exec') expect(block.inline[0]).toMatch(/^#!\/bin\/bash\nset -eu\n/);
  }
});
