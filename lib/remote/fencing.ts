import { Resource as NullResource } from '@cdktf/provider-null/lib/resource';
import { FileProvisioner, Fn, ITerraformDependable, RemoteExecProvisioner, TerraformIterator, Token } from 'cdktf';
import { Construct } from 'constructs';
import { programNow, removalProvisioner } from './identity';
import { Target } from './login';
import { SETTINGS, operatorSettings } from './operator-script';
import { ScriptBundle } from './script-bundle';
import { after, block, sudoPassword } from './steps';
import { TerraformData } from './terraform-data';
import { encode, expression, lines, sha256 } from './text';
import { serverNames, serverScript, serverUploadCommands } from './upload';
import { written } from './written';

/** The NFS server as far as it fences: where it is, and what it is told of the pair. */
export interface FencingServer {
  readonly target: Target;
  /** Of the pair, on this server. */
  readonly name: string;
  /** In the form of `scripts/server/fence.sh`. */
  readonly settings: string;
}

/**
 * What takes the pair off the server again: when it is destroyed, when fencing is switched off, when the share moves to another server. It
 * stays in the program without fencing, with no instance, for Terraform runs no removal that the program does not have any more. Whoever
 * depends on it is removed before it; and it goes last when fencing is switched off, when no node wants to use it any more. So it does with a
 * `decommission`, which is no word of a server that has left the program: where the pair is retained, so is its place there.
 */
export function fencingIdentity(scope: Construct, server: FencingServer | undefined, removal: string, decommission: boolean): TerraformData {
  const instances = server && !decommission ? { [instanceKey(server)]: { ...operatorSettings(server.target), NIM_HA_FENCING_NAME: server.name } } : {};
  const data: TerraformData = new TerraformData(scope, 'fencing', {
    forEach: TerraformIterator.fromList(Object.keys(instances)),
    input: written((write) => (server && !decommission ? `${write(instances)}[each.value]` : 'null')),
    lifecycle: { createBeforeDestroy: true },
    provisioners: [removalProvisioner(`remove-fencing ${removal}`, [...SETTINGS, 'NIM_HA_FENCING_NAME'], programNow(() => data, server ? { [instanceKey(server)]: server.target } : {}))],
  });
  return data;
}

/** The name of the pair may be a token, then there is one server, whatever it is called. */
function instanceKey({ target, name }: FencingServer): string {
  return Token.isUnresolved(target.host) || Token.isUnresolved(name) ? 'server' : `${name}@${target.host}`;
}

function goThere({ name }: FencingServer): string[] {
  return [...serverNames(encode(name)), 'cd ".nim-ha-fence/$directory"'];
}

/** In the names of files: several pairs may be at work there, and each forgets its own. The name may be a token, and so anything: it makes no path. */
function nameHash({ name }: FencingServer): string {
  return Token.isUnresolved(name) ? Fn.sha256(expression(name)) : sha256(name);
}

function serverSudoPassword(server: FencingServer): FileProvisioner[] {
  return sudoPassword(server.target, `.nim-ha-fence/secret/${nameHash(server)}`);
}

function serverBlock(server: FencingServer, commands: string[]): RemoteExecProvisioner {
  return block(server.target, serverScript(nameHash(server)), commands);
}

/** Looks at the server, refuses what is in the way, and sets the pair up there. */
export function fencingSetup(scope: Construct, server: FencingServer, dependsOn: ITerraformDependable[]): NullResource {
  const upload = serverUploadCommands(ScriptBundle.SERVER.asset(scope), encode(server.name), nameHash(server));
  const install = `base64 -d <<<'${encode(server.settings)}' | bash scripts/setup.sh install "$name"`;
  const sudo = serverSudoPassword(server);
  return new NullResource(scope, 'fencing_setup', {
    dependsOn,
    triggers: {
      host: server.target.host,
      // A server that was built anew at the old address has others, and nothing of the pair.
      hostKeys: sha256(lines(server.target.hostKeys)),
      login: `${server.target.login.user}:${server.target.port}`,
      text: sha256(`${server.name}\n${server.settings}`),
      scripts: ScriptBundle.SERVER.hash,
    },
    provisioners: sudo.length
      ? [serverBlock(server, [...upload, `put 0600 ../secret/${nameHash(server)} cat </dev/null`]), ...sudo, serverBlock(server, [...goThere(server), install])]
      : [serverBlock(server, [...upload, install])],
  });
}

/** Lets the nodes in by the keys that they have left on the share. */
export function fencingKeys(scope: Construct, server: FencingServer, stages: NullResource[], setUp: NullResource): NullResource {
  return new NullResource(scope, 'fencing_keys', {
    triggers: { ...after('stage', stages), setup: setUp.id },
    provisioners: [
      ...serverSudoPassword(server),
      serverBlock(server, [
        ...goThere(server),
        // Terraform gives a script a terminal for its stdin, which never ends.
        'bash scripts/setup.sh admit "$name" </dev/null',
      ]),
    ],
  });
}
