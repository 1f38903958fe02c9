import { DeployNode } from '../support/deploy-node';
import { Trouble, troubles } from '../support/trouble';

const aptSays = (line: string) => (node: DeployNode) =>
  node.wrap('apt-get', `[[ $* != *" install keepalived" || $* == *simulate* ]] || { echo "Reading package lists..."; echo "${line}"; exit 100; }; next "$@"`);
const INSTALL = 'see the lines above; can this node reach its package repository, and does another installation run?';

const rows: Trouble[] = [
  {
    trouble: 'a value that was changed since the preflight',
    id: 'data/value',
    make: (node) => node.upload({ INTERFACE: 'ens32 up; reboot' }),
    says: String.raw`INTERFACE, got ens32\ up\;\ reboot, expected a value that fits; correct it in the program`,
  },
  {
    trouble: 'a file that others could write',
    id: 'data/file-mode',
    make: (node) => {
      node.files = { ...node.files, '/etc/systemd/system/nim-ha.target': ['0666', '[Unit]\n'] };
      node.upload();
    },
    says: 'mode of /etc/systemd/system/nim-ha.target, got 0666, expected 600, 640, 644 or 755; report this',
  },
  {
    trouble: 'a file for a place that is not ours',
    id: 'data/file-path',
    make: (node) => {
      node.files = { ...node.files, '/etc/passwd': ['0644', 'x'] };
      node.upload();
    },
    says: 'a file of this deploy, got /etc/passwd, expected keepalived.conf, the notify script, nim-ha.target, or the drop-in of a monitored service; report this',
  },
  {
    trouble: 'a text that did not arrive as it was sent',
    id: 'data/file-text',
    make: (node) => node.upload({ FILES: '0644 /etc/systemd/system/nim-ha.target W1Vua' }),
    says: 'text of /etc/systemd/system/nim-ha.target, got not base64, expected base64; report this',
  },
  {
    trouble: 'the password was taken by another deploy',
    id: 'data/secret',
    make: (node) => node.write('home/ops/.nim-ha/secret/auth_pass', ''),
    says: 'the VRRP password, got none, expected the file secret/auth_pass, uploaded just before this; run the deploy again: it uploads it',
  },
  {
    trouble: 'a password that keepalived would misread',
    id: 'vip/auth-pass',
    make: (node) => node.uploadSecret('a b'),
    says: 'authPass (its value is not shown), got 3 characters, or one that keepalived would misread, expected 1 to 8 of A-Z a-z 0-9 . _ -; choose another',
  },
  {
    trouble: 'keepalived was removed since the preflight, and is not to be installed',
    id: 'keepalived/missing',
    make: (node) => node.upload({ INSTALL_KEEPALIVED: 'no' }),
    says: 'keepalived, got not installed, expected installed, for installKeepalived is off; install keepalived',
  },
  {
    trouble: 'apt is locked by somebody else',
    id: 'keepalived/install',
    code: 1,
    make: aptSays('E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)'),
    says: `installation of keepalived, got code 100, E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr), expected success; ${INSTALL}`,
    also: ['Reading package lists...\n'],
  },
  {
    trouble: 'no package source',
    id: 'keepalived/install',
    code: 1,
    make: aptSays('E: Unable to locate package keepalived'),
    says: `installation of keepalived, got code 100, E: Unable to locate package keepalived, expected success; ${INSTALL}`,
  },
  {
    trouble: 'an installation that ends without a word',
    id: 'keepalived/install',
    code: 1,
    make: aptSays(''),
    says: `installation of keepalived, got code 100, no word of an error, expected success; ${INSTALL}`,
  },
  {
    trouble: 'a configuration without a place for the password',
    id: 'data/placeholder',
    code: 1,
    make: (node) => {
      node.files = { ...node.files, '/etc/keepalived/keepalived.conf': ['0600', 'vrrp_instance VI_28 {\n}\n'] };
      node.upload();
    },
    says: 'keepalived.conf, got not one line with <AUTH_PASSWORD>, expected exactly one; report this',
  },
  {
    trouble: 'keepalived does not take its configuration',
    id: 'keepalived/config',
    code: 1,
    make: (node) => node.write('fake/keepalived-complains', "(keepalived.conf: Line 4) Unknown keyword 'wait'\n"),
    says: "keepalived -t, got code 0, (keepalived.conf: Line 4) Unknown keyword 'wait', expected no complaint; correct the program, or the interface of this node",
  },
  {
    trouble: 'a keepalived that comes to no end',
    id: 'keepalived/config',
    code: 1,
    make: (node) => node.wrap('keepalived', 'exit 137'),
    says: 'keepalived -t, got code 137, no end within 60 s, expected no complaint; correct the program, or the interface of this node',
  },
  {
    trouble: 'a check script that does not begin with its interpreter',
    id: 'keepalived/check',
    code: 1,
    make: (node) => {
      const check = 'home/ops/.nim-ha/scripts/nms-check-keepalived.sh';
      node.write(check, node.read(check).replaceAll('\n', '\r\n'));
    },
    says: String.raw`first line of the check, got $'#!/bin/bash\r', expected an interpreter of this node; keepalived would take the check for a success; report this`,
  },
  {
    trouble: 'a check script without its first line',
    id: 'keepalived/check',
    code: 1,
    make: (node) => {
      const check = 'home/ops/.nim-ha/scripts/nms-check-keepalived.sh';
      node.write(check, node.read(check).split('\n').slice(1).join('\n'));
    },
    says: 'first line of the check, got …, expected an interpreter of this node; …',
  },
  {
    trouble: 'a check script that always says yes',
    id: 'keepalived/check',
    code: 1,
    make: (node) => node.write('home/ops/.nim-ha/scripts/nms-check-keepalived.sh', '#!/bin/bash\nexit 0\n'),
    says: "the check with the state 'phase=FAILED able=no updated=999', got yes, expected no; report this",
  },
  {
    trouble: '/var is full: a file',
    id: 'node/write',
    code: 1,
    make: (node) => node.wrap('chmod', '[[ $* != *nginx.service.d* ]] || exit 1; next "$@"'),
    says: '/etc/systemd/system/nginx.service.d/50-nim-ha.conf, got an error while staging, expected success; is /var full?',
  },
  {
    trouble: '/var is full: a script',
    id: 'node/write',
    code: 1,
    make: (node) => node.wrap('install', '[[ $* != */agent.sh* ]] || exit 1; next "$@"'),
    says: '/usr/local/lib/nim-ha/agent.sh, got an error while staging, expected success; is /var full?',
  },
  {
    trouble: '/var is full: the list of what is staged',
    id: 'node/write',
    code: 1,
    make: (node) => node.wrap('sha256sum', '[[ $1 != -- ]] || exit 1; next "$@"'),
    says: 'the list of what is staged, got an error, expected a line for each of … files; is /var full?',
  },
  {
    trouble: '/var is full: the record of what was there before',
    id: 'node/write',
    code: 1,
    make: (node) => node.wrap('sync', '[[ $* != *before ]] || exit 1; next "$@"'),
    says: '…/var/lib/nim-ha/before, got an error, expected success; is /var full?',
  },
  {
    trouble: '/var is full: the directory of the proof',
    id: 'node/write',
    code: 1,
    make: (node) => node.wrap('cp', '[[ $* != *staged.proof* ]] || exit 1; next "$@"'),
    says: '…/var/lib/nim-ha/staged.proof, got an error, expected success; is /var full?',
  },
  {
    trouble: '/var is full: the new directory',
    id: 'node/write',
    code: 1,
    make: (node) => node.wrap('mkdir', '[[ $* != *staged.new/root ]] || exit 1; next "$@"'),
    says: '…/var/lib/nim-ha/staged.new, got an error, expected success; is /var full?',
  },
  {
    trouble: '/var becomes read-only at the very end',
    id: 'node/write',
    code: 1,
    make: (node) => node.wrap('mv', '[[ $1 != -T ]] || exit 1; next "$@"'),
    says: '…/var/lib/nim-ha/staged, got an error, expected success; is /var full, or read-only?',
  },
];

troubles('stage', ['stage'], () => new DeployNode(), rows);
