import { nodesOf, perNode, present, problem, quoted, Rule, RuleInput, SshInput } from './rule';

// What sshd can present as its own key and Terraform's client can check.
const KEY_TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'];

/** A key's blob begins with its own type, behind four bytes of length. */
function holds(base64: string, type: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return false;
  const start = Buffer.from([0, 0, 0, type.length, ...Buffer.from(type)]);
  return Buffer.from(base64, 'base64').subarray(0, start.length).equals(start);
}

const shortened = (key: string): string => quoted(key.length > 40 ? `${key.slice(0, 40)}…` : key);

function hostKeyProblem(path: string, key: string): string | undefined {
  const demand = 'must be one line "<type> <base64>"';
  const words = key.split(/\s+/);
  const start = words.findIndex((word) => KEY_TYPES.includes(word));
  if (start < 0)
    return problem(path, demand, `${quoted(words[0])} as type`, `use a key of type ${KEY_TYPES.join(', ')}`);
  const type = words[start];
  // Around it: a comment as in ssh_host_*_key.pub, or a host in front as ssh-keyscan prints it.
  const exact = words.slice(start, start + 2).join(' ');
  if (!holds(exact.slice(type.length + 1), type))
    return problem(
      path,
      `${demand}, the base64 holding a key of that type`,
      shortened(key),
      'copy the line again, whole',
    );
  if (key !== exact) return problem(path, demand, 'more than these two words', `write ${quoted(exact)}`);
  return undefined;
}

/** Everywhere that SSH settings were written, with what the user typed there. */
export function sshSettings(input: RuleInput): Array<{ path: string; ssh: SshInput }> {
  const nodes = nodesOf(input).map(({ path, node }) => ({ path: `${path}.ssh`, ssh: node.ssh ?? {} }));
  return [{ path: 'ssh', ssh: input.ssh ?? {} }, ...nodes, { path: 'nfsShare.fencing.ssh', ssh: input.fencingSsh ?? {} }];
}

/** The nodes, and what else the deploy logs in to or goes through: the NFS server, bastions. */
function machinesOf(input: RuleInput): Array<{ path: string; hostKeys?: Array<string | undefined> }> {
  const nodes = nodesOf(input).map(({ path, node }) => ({ path: path as string, hostKeys: node.hostKeys }));
  const bastions = sshSettings(input).map(({ path, ssh }) => ({ path: `${path}.bastion`, hostKeys: ssh.bastion?.hostKeys }));
  return [...nodes, { path: 'nfsShare.fencing', hostKeys: input.nfs?.fencing?.hostKeys }, ...bastions];
}

export const sshRules: Rule[] = [
  {
    id: 'ssh/host-key-format',
    summary: 'A host key is one line, `<type> <base64>`, and the key inside is of that type.',
    check: (input) =>
      machinesOf(input).flatMap(({ hostKeys, path }) =>
        present(
          (hostKeys ?? []).map((key, i) =>
            key === undefined ? undefined : hostKeyProblem(`${path}.hostKeys[${i}]`, key),
          ),
        ),
      ),
  },
  {
    id: 'ssh/host-keys-equal',
    summary: 'No host key is on both nodes: cloned machines also share the name by which NFS tells its clients apart.',
    check: ({ primary, secondary }) =>
      present(secondary?.hostKeys ?? [])
        .filter((key) => primary?.hostKeys?.includes(key))
        .map((key) => {
          const demand = 'must differ from those of primary, cloned machines break the lock on the share';
          return problem(
            'secondary.hostKeys',
            demand,
            `${shortened(key)} on both`,
            'give the second machine keys and a hostname of its own',
          );
        }),
  },
  perNode(
    {
      id: 'ssh/host-keys-missing',
      summary:
        'Each node has a host key, or checking is switched off by name: without one Terraform trusts any machine.',
    },
    (node, path, input) => {
      const checking = node.ssh?.hostKeyChecking ?? input.ssh?.hostKeyChecking;
      if (!checking || node.hostKeys?.length !== 0) return undefined;
      const todo = 'add those of /etc/ssh/ssh_host_*_key.pub on the node';
      return problem(`${path}.hostKeys`, 'without a key Terraform trusts any machine', 'none', todo);
    },
  ),
  {
    id: 'ssh/bastion-host-keys-missing',
    summary: 'A bastion has a host key, wherever one is named, or checking is switched off by name.',
    check: (input) =>
      sshSettings(input)
        .filter(({ ssh }) => ssh.hostKeyChecking && ssh.bastion?.hostKeys?.length === 0)
        .map(({ path }) => {
          const todo = 'add those of /etc/ssh/ssh_host_*_key.pub on the bastion';
          return problem(`${path}.bastion.hostKeys`, 'without a key the bastion cannot be told from another machine', 'none', todo);
        }),
  },
  {
    id: 'ssh/timeout-unit',
    summary: 'A time limit has a unit: Terraform silently takes 5 minutes for one that it cannot read.',
    check: (input) =>
      sshSettings(input)
        .filter(({ ssh }) => ssh.timeoutText !== undefined && !isDuration(ssh.timeoutText))
        .map(({ path, ssh }) => {
          const todo = /^[1-9][0-9]*$/.test(ssh.timeoutText!)
            ? `write "${ssh.timeoutText}s" or "${ssh.timeoutText}m"`
            : 'write one like "90s" or "5m"';
          return problem(
            `${path}.timeout`,
            'must be more than no time and have a unit, Terraform takes 5 minutes for what it cannot read',
            quoted(ssh.timeoutText!),
            todo,
          );
        }),
  },
];

/** What Go's time.ParseDuration reads, and more than nothing. */
function isDuration(text: string): boolean {
  return /^(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text) && /[1-9]/.test(text);
}
