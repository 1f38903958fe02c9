import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import type { Lab } from '../../lab/lab';
import { SecretWatch } from '../../lab/secret-watch';
import { formsOf, formsOfKey, judgeSearch } from '../../lab/secrets';
import { ipv6Port } from '../../lab/ways-in';

describe('what a search for secrets on a node says', () => {
  const CONF = '/etc/keepalived/keepalived.conf';
  const SECRETS = ['zqa-Xw2K', 'other'];
  const DEPLOYED = 'auth_pass zqa-Xw2K\n';

  test('nothing, where the password is in keepalived.conf alone', () => {
    expect(judgeSearch(`${CONF}\nlooked\n`, DEPLOYED, SECRETS)).toEqual([]);
  });

  test('every other place; where it waits for the next deploy, only after one that has failed', () => {
    const staged = '/var/lib/nim-ha/staged/etc/keepalived/keepalived.conf';
    const output = `${CONF}\n/home/ops/x\n${staged}\nlooked\nthe journal\n`;
    expect(judgeSearch(output, DEPLOYED, SECRETS)).toEqual(['/home/ops/x', staged, 'the journal']);
    expect(judgeSearch(output, DEPLOYED, SECRETS, true)).toEqual(['/home/ops/x', 'the journal']);
  });

  test('a search that could not look is a finding', () => {
    expect(judgeSearch('', '', SECRETS)).toEqual(['nobody has looked']);
    expect(judgeSearch(`${CONF}\n`, DEPLOYED, SECRETS)).toEqual(['nobody has looked']);
  });

  test('so is one that does not find what is known to be there', () => {
    expect(judgeSearch('looked\n', DEPLOYED, SECRETS)).toEqual([`a search that does not find what is in ${CONF}`]);
  });

  test.each([['no pair', ''], ['a password that is not looked for', 'auth_pass lab-P1\n']])('%s: there is nothing to be found', (_, conf) => {
    expect(judgeSearch('looked\n', conf, SECRETS)).toEqual([]);
  });
});

describe('the forms of a secret', () => {
  const PASSWORD = 'vT5 $x"Qm9\\w';
  const isFound = (forms: string[], text: string) => forms.some((form) => text.includes(form));

  test('as it is, and in JSON', () => {
    expect(formsOf(PASSWORD)[0]).toBe(PASSWORD);
    expect(isFound(formsOf(PASSWORD), JSON.stringify({ password: PASSWORD }))).toBe(true);
  });

  const KEY_LINE = 'AAAAB3NzaC1yc2EAAAADAQABAAAB';
  const key = (directory: string) => {
    const privateKeyFile = join(directory, 'key');
    writeFileSync(privateKeyFile, `-----BEGIN\n1\n2\n${KEY_LINE}\n-----END\n`);
    return formsOfKey({ config: () => ({ privateKeyFile }) } as unknown as Lab);
  };

  // What comes after decides the last character, and what comes before the first.
  test.each([0, 1, 2].flatMap((before) => [0, 1, 2].map((after) => [before, after])))('in base64, with %i bytes before and %i after', (before, after) => {
    const directory = mkdtempSync(join(tmpdir(), 'nim-ha-key-'));
    try {
      for (const [secret, forms] of [[PASSWORD, formsOf(PASSWORD)], [KEY_LINE, key(directory)]] as const) {
        const text = Buffer.from(`${'\xff'.repeat(before)}${secret}${'~'.repeat(after)}`, 'latin1').toString('base64');
        expect([text, isFound(forms, text)]).toEqual([text, true]);
        // One that matches by chance is no use.
        for (const form of forms) expect(form.length).toBeGreaterThanOrEqual(12);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('a watch for secrets', () => {
  let bin: string;
  const path = process.env.PATH;
  const program = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  /** What each machine says, instead of ssh to it; it ends with its input. */
  const machines = (script: string) => program('ssh', `while read -r line && [[ $line != end ]]; do :; done\n${script}\ncat >/dev/null`);
  const LOOKS = 'while :; do echo /tmp/x 644; echo looked; read -rt 0.3; (($? > 128)) || break; done';
  const lab = { sshArgs: (name: string) => [name] };
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'nim-ha-watch-'));
    process.env.PATH = `${bin}:${path}`;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(bin, { recursive: true, force: true });
  });

  test('tells how often it has looked, and where a secret was', async () => {
    machines(LOOKS);
    const watch = await SecretWatch.begin(lab, ['zqa-Xw2K'], 30);
    const { found, looks } = await watch.stop();
    expect(found.sort()).toEqual(['node-a: /tmp/x 644', 'node-b: /tmp/x 644']);
    for (const name of ['here', 'node-a', 'node-b']) expect(looks[name]).toBeGreaterThan(1);
  });

  test('one look before the deploy is none at the deploy', async () => {
    machines(`echo looked; [[ $1 == node-a ]] || { ${LOOKS}; }`);
    const watch = await SecretWatch.begin(lab, ['zqa-Xw2K'], 30);
    const { found } = await watch.stop(2);
    expect(found).toEqual(['node-a: nobody has looked since the deploy began', 'node-b: /tmp/x 644']);
  });

  test('one that has ended before it was told to is a finding, however often it has looked', async () => {
    machines(`[[ $1 != node-a ]] || { echo looked; sleep 2; echo looked; exit 255; }\n${LOOKS}`);
    const watch = await SecretWatch.begin(lab, ['zqa-Xw2K'], 30);
    await new Promise((done) => setTimeout(done, 4000));
    const { found } = await watch.stop();
    expect(found).toEqual(['node-a: the watch has ended by itself', 'node-b: /tmp/x 644']);
  });

  test('looks in the home of root, too, where the staged secret of a login as root may be', async () => {
    program('ssh', 'exec bash -c "$2"');
    program('sudo', 'exec "$@"');
    program('stat', 'echo 600');
    program('grep', '[[ " $* " != *" /root "* ]] || printf "%s\\n" /root/.nim-ha/secret/auth_pass /root/.nim-ha/node.data');
    const watch = await SecretWatch.begin(lab, ['zqa-Xw2K'], 30);
    const { found } = await watch.stop();
    expect(found.sort()).toEqual(['node-a: /root/.nim-ha/node.data 600', 'node-b: /root/.nim-ha/node.data 600']);
  });

  test('does not begin while a machine has not been looked at', async () => {
    machines('[[ $1 != node-a ]] || echo looked');
    await expect(SecretWatch.begin(lab, ['zqa-Xw2K'], 2)).rejects.toThrow('no look for secrets within 2 s: node-b');
  });
});

test('each lab has ports of its own for its nodes', () => {
  const ports = Array.from({ length: 254 }, (_, index) => index + 1).flatMap((octet) =>
    (['node-a', 'node-b'] as const).map((name, index) => ipv6Port({ name, host: `127.${octet}.0.${index + 11}` })),
  );
  expect(new Set(ports).size).toBe(2 * 254);
  // Below those that a kernel gives to connections.
  expect(Math.max(...ports)).toBeLessThan(32_768);
  expect(() => ipv6Port({ name: 'node-a', host: 'nim.example' })).toThrow('expected a loopback address');
});
