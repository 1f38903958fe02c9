import { execFileSync, spawn } from 'child_process';
import { mkdirSync, symlinkSync } from 'fs';
import { join } from 'path';
import { NODE, Operator, WITH_KEY } from '../support/operator';
import { flawsOf, readReport } from '../support/report';

/** A thing that goes wrong between the machine that runs Terraform and a node, seen by a removal. Of a deploy Terraform itself speaks. */
interface WayIn {
  trouble: string;
  id: string;
  /** What ssh, or the node behind it, ends with. */
  code?: number;
  error?: string;
  /** What the node has said by then. */
  heard?: string;
  settings?: string[];
  environment?: Record<string, string>;
  says: string;
  /** All that is in PATH beside the OpenSSH client. */
  tools?: string[];
  /** Goes on without the node: a dead one must not keep the living one from being changed. */
  skipped?: boolean;
}

const BASTION = [...WITH_KEY, 'NIM_HA_BASTION_HOST=b.example', 'NIM_HA_BASTION_USER=jump', 'NIM_HA_BASTION_HOST_KEYS=ssh-ed25519 CCCC'];
const LATER = 'run on it: sudo /usr/local/lib/nim-ha/remove.sh restore';
const SKIPPED = `expected a login; nothing was removed there: when the node is back, ${LATER}`;
const STOPPED = `nothing was removed there: mend it and run this again, or take the node out of the state (terraform state rm) and ${LATER}`;
const HANGS =
  `to answer within 2400 s; nothing is known to have been removed there, and it may be serving: mend it (or end the machine, or its power: then it is skipped) and run this again, or take the node out of the state (terraform state rm) and ${LATER}`;
const ON = 'expected the end of the removal that began above; run this again, it goes on from there';
const CHANGED_KEY = [
  '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@',
  '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @',
  '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@',
  'IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!',
  'Host key verification failed.\n',
].join('\n');

const rows: WayIn[] = [
  {
    trouble: 'the host is unreachable',
    id: 'ssh/unreachable',
    error: 'ssh: connect to host 192.0.2.11 port 2222: No route to host',
    says: `ssh to ops@192.0.2.11, got ssh: connect to host 192.0.2.11 port 2222: No route to host, ${SKIPPED}`,
    skipped: true,
  },
  {
    trouble: 'the name of the host is not known',
    id: 'ssh/unreachable',
    error: 'ssh: Could not resolve hostname node-a.example: Name or service not known',
    settings: [...WITH_KEY, 'NIM_HA_HOST=node-a.example'],
    says: `ssh to ops@node-a.example, got ssh: Could not resolve hostname node-a.example: Name or service not known, ${SKIPPED}`,
    skipped: true,
  },
  {
    trouble: 'the bastion is down',
    id: 'ssh/unreachable',
    error: 'ssh: connect to host b.example port 22: Connection refused\nConnection closed by UNKNOWN port 65535',
    settings: BASTION,
    says: `ssh to ops@192.0.2.11, got ssh: connect to host b.example port 22: Connection refused, ${SKIPPED}`,
    skipped: true,
  },
  {
    trouble: 'the bastion does not get to the node, and says so below its banner',
    id: 'ssh/unreachable',
    error: 'Permitted use only: Unable to negotiate\r\nchannel 0: open failed: connect failed: Connection timed out\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
    settings: BASTION,
    says: `ssh to ops@192.0.2.11, got channel 0: open failed: connect failed: Connection timed out, ${SKIPPED}`,
    skipped: true,
  },
  {
    trouble: 'the bastion forwards nothing',
    id: 'ssh/refused',
    error: 'channel 0: open failed: administratively prohibited: open failed\r\nstdio forwarding failed\r\nConnection closed by UNKNOWN port 65535\r\n',
    settings: BASTION,
    says: `ssh to ops@192.0.2.11, got channel 0: open failed: administratively prohibited: open failed, expected the node or the bastion jump@b.example, which answers, to take a connection and keep it; ${STOPPED}`,
  },
  ...[
    ['closes the connection at once', 'kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 192.0.2.11 port 2222\r\n', 'kex_exchange_identification: Connection closed by remote host'],
    ['resets the connection at once', 'kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 192.0.2.11 port 2222\r\n', 'kex_exchange_identification: read: Connection reset by peer'],
    ['is frozen, or its storage hangs', 'Connection timed out during banner exchange\r\nConnection to 192.0.2.11 port 2222 timed out\r\n', 'Connection timed out during banner exchange'],
    [
      'has no algorithm in common',
      "Unable to negotiate with 192.0.2.11 port 2222: no matching key exchange method found. Their offer: x\r\n",
      'Unable to negotiate with 192.0.2.11 port 2222: no matching key exchange method found. Their offer: x',
    ],
    [
      'has an account that is expired, or boots, below a banner that sounds like ssh',
      "Warning: Permanently added '192.0.2.11' (ED25519) to the list of known hosts.\r\nConnection timed out is what idle sessions see.\nssh to host: connection refused to others\nConnection closed by 192.0.2.11 port 2222\r\n",
      'Connection closed by 192.0.2.11 port 2222',
    ],
    ['closes the session', 'ssh: connect to host nfs port 22: No route to host\nConnection to 192.0.2.11 closed by remote host.\r\n', 'Connection to 192.0.2.11 closed by remote host.'],
    [
      'stops to answer, and denies permission in its banner',
      'Permission denied to all others: Host key verification failed is logged\nToo many authentication failures lock you out\nTimeout, server 192.0.2.11 not responding.\r\n',
      'Timeout, server 192.0.2.11 not responding.',
    ],
    ['says what nobody knows', 'Authorized use only\nnew words\r\n', 'new words'],
    ['says nothing', '', 'no word of an error'],
  ].map(([what, error, got]) => ({
    trouble: `the node ${what}`,
    id: 'ssh/refused',
    error,
    says: `ssh to ops@192.0.2.11, got ${got}, expected the node, which answers, to take a connection and keep it; ${STOPPED}`,
  })),
  {
    trouble: 'the node takes the login and says nothing',
    id: 'ssh/no-answer',
    code: 124,
    says: `ssh to ops@192.0.2.11, got no word of an error, expected the node, which has taken the connection, ${HANGS}`,
  },
  {
    trouble: 'the node hangs behind a bastion, and has a banner',
    id: 'ssh/no-answer',
    code: 137,
    error: 'Disconnect IMMEDIATELY if you are not an authorized user!\nBad people are not.\nAll activity is monitored.\n',
    settings: BASTION,
    says: `ssh to ops@192.0.2.11, got no word of an error, expected the node or the bastion jump@b.example, which has taken the connection, ${HANGS}`,
  },
  {
    trouble: 'the line breaks during the removal',
    id: 'ssh/lost',
    error: 'client_loop: send disconnect: Broken pipe',
    heard: 'nim-ha node-a: remove restore: changed: stopped keepalived',
    says: `ssh to ops@192.0.2.11, got client_loop: send disconnect: Broken pipe, ${ON}`,
  },
  {
    trouble: 'the removal does not come to its end',
    id: 'ssh/lost',
    code: 124,
    heard: 'nim-ha node-a: remove restore: changed: stopped keepalived',
    says: `ssh to ops@192.0.2.11, got no word of an error, ${ON}`,
  },
  {
    trouble: 'the key is another one than the node knows',
    id: 'ssh/permission-denied',
    error: 'ops@192.0.2.11: Permission denied (publickey).',
    says: `ssh to ops@192.0.2.11, got ops@192.0.2.11: Permission denied (publickey)., expected the node to take the user and the key or password; ${STOPPED}`,
  },
  {
    trouble: 'the agent has more keys than the node tries, below a banner',
    id: 'ssh/permission-denied',
    error: 'Disconnect IMMEDIATELY if you are not an authorized user!\nReceived disconnect from 192.0.2.11 port 2222:2: Too many authentication failures\r\nDisconnected from 192.0.2.11 port 2222\r\n',
    says: `ssh to ops@192.0.2.11, got Received disconnect from 192.0.2.11 port 2222:2: Too many authentication failures, expected the node to take the user and the key or password; ${STOPPED}`,
  },
  {
    trouble: 'the bastion does not take the key',
    id: 'ssh/permission-denied',
    error: 'jump@b.example: Permission denied (publickey).\nConnection closed by UNKNOWN port 65535',
    settings: BASTION,
    says: `ssh to ops@192.0.2.11, got jump@b.example: Permission denied (publickey)., expected the node or the bastion jump@b.example to take the user and the key or password; ${STOPPED}`,
  },
  {
    trouble: 'the two nodes were swapped, or the machine was installed anew',
    id: 'ssh/host-key',
    error: CHANGED_KEY,
    says: `ssh to ops@192.0.2.11, got Host key verification failed., expected the node to have one of its hostKeys; ${STOPPED}`,
  },
  {
    trouble: 'another machine answers as the bastion',
    id: 'ssh/host-key',
    error: 'Host key verification failed.\nConnection closed by UNKNOWN port 65535',
    settings: BASTION,
    says: `ssh to ops@192.0.2.11, got Host key verification failed., expected the node or the bastion jump@b.example to have one of its hostKeys; ${STOPPED}`,
  },
  {
    trouble: 'the machine that would go is in the program under another address',
    id: 'ssh/same-machine',
    settings: [...WITH_KEY, 'NIM_HA_MACHINE=192.0.2.11', 'NIM_HA_PROGRAM=a.example ssh-ed25519 AAAA', 'NIM_HA_RESOURCE=terraform_data.x'],
    says:
      '192.0.2.11 is not in the program any more, got its address or one of its host keys at a.example, expected another machine there; nothing was removed. If it is one machine under another address: ' +
      'deploy, which enters it under the new one, take the old entry out of the state, and run this again: terraform state rm \'terraform_data.x["192.0.2.11"]\'. If it is not, give the new one host keys of its own',
  },
  {
    trouble: 'sudo asks for a password, or for a terminal',
    id: 'ssh/sudo-needs-password',
    code: 94,
    error: 'sudo: sorry, you must have a tty to run sudo',
    says: `sudo of ops on 192.0.2.11, got sudo: sorry, you must have a tty to run sudo, expected it to ask for no password and no terminal, or ssh.sudoPassword from a variable; ${STOPPED}`,
  },
  {
    trouble: 'sudo asks, and the node has a banner',
    id: 'ssh/sudo-needs-password',
    code: 94,
    error: 'Authorized use only\nsudo: a password is required\n',
    says: `sudo of ops on 192.0.2.11, got sudo: a password is required, expected it to ask for no password and no terminal, or ssh.sudoPassword from a variable; ${STOPPED}`,
  },
  ...[
    ['sudo asks, and the banner sounds like ssh', 'sudo: a password is required'],
    ['sudo does not know the user, and the banner sounds like ssh', 'ops is not in the sudoers file.'],
  ].map(([trouble, got]) => ({
    trouble,
    id: 'ssh/sudo-needs-password',
    code: 94,
    error: `Disconnect IMMEDIATELY if you are not an authorized user!\nPermission denied (to all others).\n${got}\n`,
    says: `sudo of ops on 192.0.2.11, got ${got}, expected it to ask for no password and no terminal, or ssh.sudoPassword from a variable; ${STOPPED}`,
  })),
  {
    trouble: 'sudo does not take the password',
    id: 'ssh/sudo-needs-password',
    code: 94,
    error: 'sudo: 1 incorrect password attempt',
    settings: [...WITH_KEY, 'NIM_HA_SUDO_ENV=TF_VAR_sudo'],
    environment: { TF_VAR_key: 'PRIVATE KEY\n', TF_VAR_sudo: 'wrong' },
    says: `sudo of ops on 192.0.2.11, got sudo: 1 incorrect password attempt, expected it to take the password in TF_VAR_sudo, without a terminal; ${STOPPED}`,
  },
  {
    trouble: 'the variable with the password for sudo is not set',
    id: 'ssh/no-credentials',
    settings: [...WITH_KEY, 'NIM_HA_SUDO_ENV=TF_VAR_sudo'],
    says: `no password for sudo, got TF_VAR_sudo not set, or not readable, expected it to be there; ${STOPPED}`,
  },
  {
    trouble: "somebody has deleted the removal's program",
    id: 'ssh/no-program',
    code: 95,
    says: `the removal's program on 192.0.2.11, got none, though /var/lib/nim-ha is there, expected it in /usr/local/lib/nim-ha; a deploy brings it back; ${STOPPED}`,
  },
  {
    trouble: 'the variable with the key is not set',
    id: 'ssh/no-credentials',
    environment: {},
    says: `no key to log in with, got TF_VAR_key not set, or not readable, expected it to be there; ${STOPPED}`,
  },
  {
    trouble: 'the file with the key is not there',
    id: 'ssh/no-credentials',
    settings: [...NODE, 'NIM_HA_KEY_FILE=/nonexistent/id_ed25519'],
    says: `no key to log in with, got /nonexistent/id_ed25519 not set, or not readable, expected it to be there; ${STOPPED}`,
  },
  {
    trouble: 'the key of the program is no variable',
    id: 'ssh/no-credentials',
    settings: NODE,
    says: `no key to log in with, for that of the program is no Terraform variable, got observeWith not set, or not readable, expected it to be there; ${STOPPED}`,
  },
  {
    trouble: 'no agent runs',
    id: 'ssh/no-credentials',
    settings: [...NODE, 'NIM_HA_AGENT=yes'],
    says: `no key to log in with, got SSH_AUTH_SOCK not set, or not readable, expected it to be there; ${STOPPED}`,
  },
  {
    trouble: 'the key has a passphrase, or lost its line breaks',
    id: 'ssh/unusable-key',
    environment: { TF_VAR_key: 'nonsense' },
    says: `the key in TF_VAR_key, got Error loading key "(stdin)": error in libcrypto, expected a private key without a passphrase; ${STOPPED}`,
  },
  {
    trouble: 'the machine that runs Terraform has no timeout',
    id: 'ssh/missing-tool',
    tools: ['bash', 'mktemp', 'rm', 'grep', 'head'],
    says: `programs of the machine that runs Terraform, got no timeout in PATH, expected GNU timeout and an OpenSSH client; ${STOPPED}`,
  },
  {
    trouble: 'the user is empty, from a resource that is gone',
    id: 'ssh/bad-settings',
    settings: [...WITH_KEY, 'NIM_HA_USER='],
    says: `settings of the node, got user '', host '192.0.2.11', port '2222', expected a user name, a host, a port; ${STOPPED}`,
  },
  {
    trouble: 'the bastion has a port that is none',
    id: 'ssh/bad-settings',
    settings: [...BASTION, 'NIM_HA_BASTION_PORT=ssh'],
    says: `settings of the bastion, got user 'jump', host 'b.example', port 'ssh', expected a user name, a host, a port; ${STOPPED}`,
  },
];

let operator: Operator;
beforeEach(() => (operator = new Operator()));
afterEach(() => operator.destroy());

/** A PATH that has these and nothing else. */
function only(tools: string[]): string {
  const directory = join(operator.root, 'tools');
  mkdirSync(directory);
  for (const tool of tools) symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(directory, tool));
  return `${operator.root}:${directory}`;
}

test.each(rows)('$trouble: [$id]', ({ id, code = 255, error, heard = '', settings = WITH_KEY, environment, says, skipped, tools }) => {
  operator.answer(code, heard, error);
  if (tools) environment = { PATH: only(tools) };
  const { code: ended, out } = operator.run(['remove', 'restore', ...settings, 'NIM_HA_CONNECT_LIMIT=0'], environment);
  expect({ code: ended, out }).toEqual({ code: skipped ? 0 : 5, out: expect.stringContaining(`${skipped ? 'SKIPPED' : 'FAILED'} [${id}]`) });
  const [message, ...others] = readReport(out).messages;
  expect(others).toEqual([]);
  expect(`[${message.id}] ${message.text}`).toBe(`[${id}] ${says}`);
  expect(settings).toContain(`NIM_HA_HOST=${message.node}`);
  expect(flawsOf(out)).toEqual([]);
  // Who has no settings to ask with, asks nobody.
  if (/settings|credentials|tool|key$/.test(id) && id !== 'ssh/host-key') expect(operator.has('arguments')).toBe(false);
});

test('an agent that does not start leaves the user’s own alone: it gets no key, and is not ended', () => {
  operator.standIn('ssh-agent', 'echo "unix_listener: path is too long" >&2; exit 1');
  const own = spawn('sleep', ['60']);
  try {
    const { code, out } = operator.run(['remove', 'restore', ...WITH_KEY, 'NIM_HA_CONNECT_LIMIT=0'], { TF_VAR_key: 'PRIVATE KEY\n', SSH_AUTH_SOCK: '/nowhere', SSH_AGENT_PID: String(own.pid) });
    expect({ code, out }).toEqual({ code: 5, out: expect.stringMatching(/FAILED \[ssh\/missing-tool\]: .*got no ssh-agent \(.*too long.*\)/) });
    expect(operator.has('arguments')).toBe(false);
    expect(() => process.kill(own.pid!, 0)).not.toThrow();
    expect(own.signalCode).toBeNull();
  } finally {
    own.kill();
  }
});
