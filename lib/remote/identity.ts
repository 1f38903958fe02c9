import { ITerraformDependable, Lazy, LocalExecProvisioner, TerraformIterator, Token } from 'cdktf';
import { Construct } from 'constructs';
import { Target } from './login';
import { SETTINGS, operatorScriptText, operatorSettings } from './operator-script';
import { TerraformData } from './terraform-data';
import { escapeTemplate } from './text';
import { written } from './written';

/**
 * What makes a destroy reach the nodes. One instance per machine, which goes away only with the machine: the key is the literal
 * host, so two nodes may swap roles, and all else is `input`, which changes in place. A host that comes from another
 * resource may become unknown without being another machine, so there the key is the role.
 *
 * Another address, or a token in place of a literal host, looks like another machine and need not be one: then the removal finds its host key in
 * the program, and refuses. Where host keys are not verified, or tokens themselves, it cannot tell.
 */
export function identity(scope: Construct, nodes: { [role: string]: Target }, mode: string, dependsOn: ITerraformDependable[]): TerraformData {
  const machines = Object.fromEntries(Object.entries(nodes).map(([role, target]) => [machineKey(role, target, nodes), target]));
  const instances = Object.fromEntries(Object.entries(machines).map(([key, target]) => [key, operatorSettings(target)]));
  // A set of keys and a look-up: a map of values would have to be known, and not sensitive, before anything is planned.
  const each = TerraformIterator.fromList(Object.keys(instances));
  const data: TerraformData = new TerraformData(scope, 'identity', {
    dependsOn,
    forEach: each,
    input: written((write) => `${write(instances)}[each.value]`),
    triggersReplace: machineTrigger(machines),
    provisioners: [removalProvisioner(`remove ${mode}`, SETTINGS, programNow(() => data, machines))],
  });
  return data;
}

/**
 * A machine with a literal host is replaced with it. It says the same of a machine whatever the host of the other one is: a value that came or went would
 * be a replacement, too, and take the pair off a machine that stays.
 */
function machineTrigger(machines: { [key: string]: Target }): string | undefined {
  const literal = Object.entries(machines).filter(([, { host }]) => !Token.isUnresolved(host)).map(([key]) => JSON.stringify(key));
  if (literal.length === 0) return undefined;
  if (literal.length === Object.keys(machines).length) return '${each.value}';
  return `\${contains([${literal.map(escapeTemplate).join(', ')}], each.value) ? each.value : null}`;
}

/**
 * What a removal has to know of the program that makes an instance go: the machines by the keys of their instances, a line for each host key, or one
 * without a key where none is known, and one for where it answers. As far as they are literals, for a removal may refer to nothing but itself.
 */
export function programNow(resource: () => TerraformData, machines: { [key: string]: Target }): { [setting: string]: string } {
  const lines = Object.entries(machines).flatMap(([machine, { host, port, hostKeys, login }]) => {
    const known = login.verifyHostKeys && !Token.isUnresolved(hostKeys) ? hostKeys.filter((key) => !Token.isUnresolved(key)) : [];
    const address = [host, port].some(Token.isUnresolved) ? [] : [`at=${host}:${port}`];
    return [...(known.length > 0 ? known : ['']), ...address].map((key) => `${machine} ${key}`);
  });
  return {
    NIM_HA_MACHINE: '${each.key}',
    NIM_HA_PROGRAM: escapeTemplate(lines.join('\n')),
    NIM_HA_RESOURCE: Lazy.stringValue({ produce: () => `terraform_data.${resource().friendlyUniqueId}` }),
  };
}

/**
 * Distinguishes the machines of a pair: the host, with its port where both are behind one address (port forwarding). Of a token nothing but the role is
 * known, and a removal may not refer to it.
 */
export function machineKey(role: string, target: Target, nodes: { [role: string]: Target }): string {
  const shared = Object.values(nodes).filter((node) => node.host === target.host).length > 1;
  if (Token.isUnresolved(target.host) || (shared && Token.isUnresolved(target.port))) {
    return role;
  }
  return shared ? `${target.host}:${target.port}` : target.host;
}

/**
 * Runs when the resource is destroyed, from a checkout that may be fresh: so it carries its script as text. The script ends well
 * when a node is dead, for that must not keep a living pair from being changed. A removal that fails stops the destroy: the
 * instance stays in the state, and the next run goes on from there.
 */
export function removalProvisioner(command: string, settings: readonly string[], program: { [setting: string]: string }): LocalExecProvisioner {
  return {
    type: 'local-exec',
    when: 'destroy',
    // Or it would print the whole script before its output.
    quiet: true,
    interpreter: ['bash', '-c'],
    command: `set -- ${command}\n${escapeTemplate(operatorScriptText())}`,
    // An earlier version may have stored fewer of them.
    environment: { ...Object.fromEntries(settings.map((name) => [name, `\${try(self.input.${name}, "")}`])), ...program },
    // cdktf's type does not know `quiet`.
  } as LocalExecProvisioner;
}
