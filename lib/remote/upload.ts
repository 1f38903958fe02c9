import { TerraformAsset } from 'cdktf';
import { PUT, ScriptBundle } from './script-bundle';
import { escapeTemplate } from './text';

/** Terraform leaves its own script behind in the home, empty or, after a failure, whole. */
const forgetOld = (scripts: string): string => `for old in ${scripts}; do if [ "$old" != "$0" ]; then rm -f -- "$old"; fi; done`;

/** Shell that makes `~/.nim-ha` and goes there. What a secret is written into later is there, and private, before it comes. */
export const PRIVATE_DIRECTORY = [
  'umask 077',
  // A file of that name is what scp makes of a path whose directory is gone.
  'for directory in .nim-ha .nim-ha/secret; do [ -d "$directory" ] || rm -f "$directory"; done',
  'mkdir -p .nim-ha/scripts .nim-ha/secret',
  'chmod 0700 .nim-ha',
  'cd .nim-ha',
  PUT,
  'for secret in auth_pass sudo; do put 0600 "secret/$secret" cat </dev/null; done',
].map(escapeTemplate);

/**
 * Shell that makes `~/.nim-ha` on a node and fills it: the scripts, `node.data`, empty secrets.
 * Each file appears whole or not at all, so that it may be cut off anywhere and run again.
 */
export function uploadCommands(asset: TerraformAsset, nodeData: string): string[] {
  const after = [
    `put 0600 node.data cat <<'NIM_HA_END'\n${nodeData}NIM_HA_END`,
    // Later deploys may find this done and bring nothing: a power cut must not leave files without content.
    'sync -f .',
  ];
  return [escapeTemplate(forgetOld('./.nim-ha-*.sh')), ...PRIVATE_DIRECTORY, ...ScriptBundle.NODE.unpackCommands(asset), ...after.map(escapeTemplate)];
}

/** Where a block puts its script on an NFS server: several pairs may be set up there at the same time, by one user. */
export function serverScript(nameHash: string): string {
  return `./.nim-ha-fence-${nameHash}-%RAND%.sh`;
}

/** Shell that knows the name of the pair, which is base64 here, as `$name`, and its place on an NFS server as `$directory`. */
export function serverNames(name: string): string[] {
  return [
    // A newline at its end belongs to it.
    `name="$(base64 -d <<<'${name}' && echo .)"`,
    'name="${name%.}"',
    // What becomes a path is held against its pattern first; setup.sh refuses the name.
    'directory="$name"',
    '[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$ ]] || directory=invalid',
  ].map(escapeTemplate);
}

/** Shell that makes `~/.nim-ha-fence/<name>` on an NFS server, goes there, and brings `./scripts` up to date. `name` is base64. */
export function serverUploadCommands(asset: TerraformAsset, name: string, nameHash: string): string[] {
  const before = ['mkdir -p ".nim-ha-fence/$directory/scripts" .nim-ha-fence/secret', 'chmod 0700 .nim-ha-fence/secret', 'cd ".nim-ha-fence/$directory"', PUT];
  return [
    forgetOld(serverScript(nameHash).replace('%RAND%', '*')),
    'umask 077',
    ...serverNames(name),
    ...before.map(escapeTemplate),
    ...ScriptBundle.SERVER.unpackCommands(asset),
  ];
}
