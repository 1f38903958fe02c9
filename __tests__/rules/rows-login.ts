import { HOST_KEYS } from '../config/pairs';
import { Rows } from './row';

const bastion = (changes: object) => ({ ssh: { user: 'ops', bastion: { host: '192.0.2.1', port: 22, user: 'ops', hostKeys: [HOST_KEYS.primary], ...changes } } });
const USER = 'must be a user name of letters, digits, ".", "_", "@" and "-", got';
const PATH = 'must be a path without quotes, backslashes, line ends, "${" and "%{", got';
const NAME = 'must be the name of an environment variable, got';
const HOST = 'must be a host name or an IP address and nothing else, got';
const PORT = 'ssh.bastion.port: must be a whole number from 1 to 65535, got';
const LIKE = 'write one like';

export const loginRows: Rows = {
  'ssh/user-syntax': {
    passes: [{ ssh: { user: 'first.last@example' } }, { ssh: { user: '_x-1' } }, bastion({ user: 'jump' })],
    fails: [
      ...['', '-l', 'a b', '${file("/etc/passwd")}', 'a%{b'].map((user): [object, string] => [{ ssh: { user } }, `ssh.user: ${USER} ${JSON.stringify(user)}; ${LIKE} "ops" or "root"`]),
      [{ secondary: { ssh: { user: 'ops\n' } } }, `secondary.ssh.user: ${USER} "ops\\n"; ${LIKE} "ops" or "root"`],
      [bastion({ user: 'a b' }), `ssh.bastion.user: ${USER} "a b"; ${LIKE} "ops" or "root"`],
      // By default the bastion's is the same, and one message says it.
      [{ ssh: { ...bastion({ user: 'a b' }).ssh, user: 'a b' } }, `ssh.user: ${USER} "a b"; ${LIKE} "ops" or "root"`],
      // A terminal would act on the first, and show the text after the second backwards.
      [{ ssh: { user: '\u009b2J' } }, `ssh.user: ${USER} "\\u009b2J"; ${LIKE} "ops" or "root"`],
      [{ ssh: { user: '\u202e\u{e0041}' } }, `ssh.user: ${USER} "\\u202e\\udb40\\udc41"; ${LIKE} "ops" or "root"`],
    ],
  },
  'ssh/key-file-path': {
    passes: ['~/.ssh/id_ed25519', '/home/my keys/$id', '/k/100%'].map((keyFile) => ({ ssh: { keyFiles: [keyFile] } })),
    fails: ['a"b', 'a\\b', 'a\nb', '/k/${var.x}', '/k/%{x', 'a\u2028b'].map((keyFile): [object, string] => [
      { ssh: { keyFiles: ['~/key', keyFile] } },
      `ssh.path: ${PATH} ${JSON.stringify(keyFile).replace('\u2028', '\\u2028')}; rename the file, or make a link to it`,
    ]),
  },
  'ssh/key-file-relative': {
    passes: ['~/.ssh/id_ed25519', '/keys/id'].map((keyFile) => ({ ssh: { keyFiles: [keyFile] } })),
    fails: ['id', './id', 'keys/id', '~ops/id'].map((keyFile): [object, string] => [
      { ssh: { keyFiles: ['~/key', keyFile] } },
      `ssh.observeWith: must be a path that is absolute or begins with "~/", got "${keyFile}"; write it in full`,
    ]),
  },
  'ssh/environment-variable': {
    passes: [{ ssh: { environment: ['TF_VAR_a1', '_x'] } }],
    fails: ['', '$KEY', 'a b', '1a', 'x[$(reboot)]'].map((name): [object, string] => [
      { ssh: { environment: ['TF_VAR_key', name] } },
      `ssh.observeWith: ${NAME} ${JSON.stringify(name)}; ${LIKE} "TF_VAR_ssh_private_key"`,
    ]),
  },
  'ssh/bastion-host-syntax': {
    passes: [bastion({ host: 'b.example.com' }), bastion({ host: '2001:db8::1' })],
    fails: [[bastion({ host: 'a b' }), `ssh.bastion.host: ${HOST} "a b"; ${LIKE} "192.0.2.11" or "nim-a.example.com"`]],
  },
  'ssh/bastion-port-range': {
    passes: [bastion({ port: 1 }), bastion({ port: 65535 })],
    fails: [0, 65536, 1.5].map((port): [object, string] => [bastion({ port }), `${PORT} ${port}; give the port of the sshd there, usually 22`]),
  },
};
