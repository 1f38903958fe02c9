import { HOST_KEYS } from '../config/pairs';
import { OTHER_KEY, Rows } from './row';

const keys = (...hostKeys: string[]) => ({ primary: { hostKeys } });
const timeout = (timeoutText: string) => ({ ssh: { timeoutText } });
const [TYPE, BASE64] = HOST_KEYS.primary.split(' ');
const START = JSON.stringify(`${HOST_KEYS.primary.slice(0, 40)}…`);

const KEY = 'primary.hostKeys[0]: must be one line "<type> <base64>"';
const INSIDE = `${KEY}, the base64 holding a key of that type, got`;
const TYPES = 'ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521, ssh-rsa';
const MISSING =
  'without a key Terraform trusts any machine, got none; add those of /etc/ssh/ssh_host_*_key.pub on the node';
const TIMEOUT = 'must be more than no time and have a unit, Terraform takes 5 minutes for what it cannot read, got';

export const sshRows: Rows = {
  'ssh/host-key-format': {
    passes: [keys(OTHER_KEY), keys(HOST_KEYS.primary, OTHER_KEY)],
    fails: [
      [keys(`${HOST_KEYS.primary} root@nim-a`), `${KEY}, got more than these two words; write "${HOST_KEYS.primary}"`],
      [keys(`nim-a ${HOST_KEYS.primary}`), `${KEY}, got more than these two words; write "${HOST_KEYS.primary}"`],
      [
        keys(`${HOST_KEYS.primary}\n${OTHER_KEY}`),
        `${KEY}, got more than these two words; write "${HOST_KEYS.primary}"`,
      ],
      [keys(`${HOST_KEYS.primary}\n`), `${KEY}, got more than these two words; write "${HOST_KEYS.primary}"`],
      [keys('ssh-dss AAAA'), `${KEY}, got "ssh-dss" as type; use a key of type ${TYPES}`],
      [keys(''), `${KEY}, got "" as type; use a key of type ${TYPES}`],
      [keys(TYPE), `${INSIDE} "ssh-ed25519"; copy the line again, whole`],
      [keys(`${TYPE} AAAA`), `${INSIDE} "ssh-ed25519 AAAA"; copy the line again, whole`],
      [keys(`${TYPE} ${BASE64.slice(0, -1)}`), `${INSIDE} ${START}; copy the line again, whole`],
      [keys(`${TYPE}  ${BASE64}`), `${KEY}, got more than these two words; write "${HOST_KEYS.primary}"`],
      // 40 characters are repeated whole.
      [keys(`${TYPE} ${'A'.repeat(28)}`), `${INSIDE} "${TYPE} ${'A'.repeat(28)}"; copy the line again, whole`],
      [
        { ssh: { bastion: { hostKeys: ['ssh-dss AAAA'] } } },
        `ssh.bastion.hostKeys[0]: must be one line "<type> <base64>", got "ssh-dss" as type; use a key of type ${TYPES}`,
      ],
      // What a decoder would pass over.
      [keys(`${TYPE} ${BASE64}!!!!`), `${INSIDE} ${START}; copy the line again, whole`],
      [
        keys(`${TYPE} !!!!${BASE64}`),
        `${INSIDE} ${JSON.stringify(`${TYPE} !!!!${BASE64}`.slice(0, 40) + '…')}; copy the line again, whole`,
      ],
      [keys(`${TYPE} ${BASE64.slice(0, -1)}…`), `${INSIDE} ${START}; copy the line again, whole`],
      [
        keys(`ssh-rsa ${BASE64}`),
        `${INSIDE} ${JSON.stringify(`ssh-rsa ${BASE64}`.slice(0, 40) + '…')}; copy the line again, whole`,
      ],
    ],
  },
  'ssh/host-keys-equal': {
    passes: [{ primary: { hostKeys: [HOST_KEYS.secondary] }, secondary: { hostKeys: [HOST_KEYS.primary] } }],
    fails: [
      [
        { secondary: { hostKeys: [OTHER_KEY, HOST_KEYS.primary] } },
        `secondary.hostKeys: must differ from those of primary, cloned machines break the lock on the share, got ${START} on both; ` +
          'give the second machine keys and a hostname of its own',
      ],
    ],
  },
  'ssh/host-keys-missing': {
    passes: [
      { ssh: { hostKeyChecking: false }, primary: { hostKeys: [] }, secondary: { hostKeys: [] } },
      { primary: { hostKeys: [], ssh: { hostKeyChecking: false } } },
    ],
    fails: [
      [
        { primary: { hostKeys: [] }, secondary: { hostKeys: [] } },
        `primary.hostKeys: ${MISSING}`,
        `secondary.hostKeys: ${MISSING}`,
      ],
      [
        {
          ssh: { hostKeyChecking: false },
          primary: { hostKeys: [] },
          secondary: { hostKeys: [], ssh: { hostKeyChecking: true } },
        },
        `secondary.hostKeys: ${MISSING}`,
      ],
    ],
  },
  'ssh/bastion-host-keys-missing': {
    passes: [
      { ssh: { bastion: { hostKeys: [OTHER_KEY] } } },
      { ssh: { hostKeyChecking: false, bastion: { hostKeys: [] } } },
      { primary: { ssh: { hostKeyChecking: false, bastion: { hostKeys: [] } } } },
    ],
    fails: [
      [
        {
          ssh: { hostKeyChecking: true, bastion: { hostKeys: [] } },
          secondary: { ssh: { hostKeyChecking: true, bastion: { hostKeys: [] } } },
          fencingSsh: { hostKeyChecking: true, bastion: { hostKeys: [] } },
        },
        ...['ssh', 'secondary.ssh', 'nfsShare.fencing.ssh'].map(
          (path) =>
            `${path}.bastion.hostKeys: without a key the bastion cannot be told from another machine, got none; ` +
            'add those of /etc/ssh/ssh_host_*_key.pub on the bastion',
        ),
      ],
    ],
  },
  'ssh/timeout-unit': {
    passes: ['5m', '90s', '1h30m', '1.5m', '0.25h'].map(timeout),
    fails: [
      [timeout('3'), `ssh.timeout: ${TIMEOUT} "3"; write "3s" or "3m"`],
      ...['', '0', '0s', '5 m', '5min', '-5m', 'x5m', 'x5'].map((text): [object, string] => [
        timeout(text),
        `ssh.timeout: ${TIMEOUT} "${text}"; write one like "90s" or "5m"`,
      ]),
      [{ primary: { ssh: { timeoutText: '30' } } }, `primary.ssh.timeout: ${TIMEOUT} "30"; write "30s" or "30m"`],
    ],
  },
};
