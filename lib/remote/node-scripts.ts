import { createHash } from 'crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, posix } from 'path';
import { AssetType, TerraformAsset } from 'cdktf';
import { Construct } from 'constructs';
import { escapeTemplate } from './text';

/** The constant scripts, beside `lib/` in the source tree and beside `build/` in the package. */
export const SCRIPTS = join(__dirname, '..', '..', 'scripts');

/** What runs on the operator's machine, or on the NFS server, is not sent to the nodes. */
const ELSEWHERE = ['operator', 'server'];

/**
 * All files for a node as one text, `<octal mode> <path> <base64>` per line. One file, because a program with a hundred pairs
 * would otherwise spend its time on copying thousands of small ones.
 */
const bundle = once(() => nodeFiles('').map((path) => `${mode(path)} ${path} ${content(path)}`).join('\n'));

/** Changes exactly when a file that goes to the nodes does. */
export const nodeScriptsHash = once(() => createHash('sha256').update(bundle()).digest('hex').slice(0, 32));

/** The asset beside the synthesised JSON that holds the scripts. Terraform reads it, so no template touches them. */
export function nodeScriptsAsset(scope: Construct): TerraformAsset {
  return new TerraformAsset(scope, 'scripts', { path: bundleFile(), type: AssetType.FILE, assetHash: nodeScriptsHash() });
}

/** An asset has to be a file before it is copied; this one lives as long as the process. */
const bundleFile = once(() => {
  const directory = mkdtempSync(join(tmpdir(), 'nim-ha-scripts-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'node-scripts');
  writeFileSync(file, bundle());
  return file;
});

/**
 * Shell that makes `~/.nim-ha` and fills it: the scripts, `node.data`, an empty `secret` for the password to come.
 * Each file appears whole or not at all, so that it may be cut off anywhere and run again.
 */
export function uploadCommands(asset: TerraformAsset, nodeData: string): string[] {
  const shell = [
    'umask 077',
    // Terraform leaves its own script behind, empty or, after a failure, whole.
    'for old in ./.nim-ha-*.sh; do if [ "$old" != "$0" ]; then rm -f -- "$old"; fi; done',
    // A file of that name is what scp makes of a path whose directory is gone.
    'for directory in .nim-ha .nim-ha/secret; do [ -d "$directory" ] || rm -f "$directory"; done',
    'mkdir -p .nim-ha/scripts .nim-ha/secret',
    'chmod 0700 .nim-ha',
    'cd .nim-ha',
    'put() { mkdir -p "$(dirname "$2")"; $3 >"$2.new"; chmod "$1" "$2.new"; mv -f "$2.new" "$2"; }',
    'kept=" "',
    'while read -r mode path content; do',
    '  put "$mode" "scripts/$path" "base64 -d" <<<"$content"',
    '  kept="$kept$path "',
    'done <<\'NIM_HA_END\'',
  ];
  const afterwards = [
    'NIM_HA_END',
    // Scripts of an earlier version that this one no longer has.
    'find scripts -type f -printf "%P\\n" | while read -r path; do',
    '  case "$kept" in *" $path "*) ;; *) rm -f -- "scripts/$path" ;; esac',
    'done',
    `put 0600 node.data cat <<'NIM_HA_END'\n${nodeData}NIM_HA_END`,
    'put 0600 secret/auth_pass cat </dev/null',
    // Later deploys may find this done and bring nothing: a power cut must not leave files without content.
    'sync -f .',
  ];
  return [...shell.map(escapeTemplate), `\${file("${asset.path}")}`, ...afterwards.map(escapeTemplate)];
}

function nodeFiles(directory: string): string[] {
  return readdirSync(join(SCRIPTS, directory))
    .sort()
    .map((name) => posix.join(directory, name))
    .filter((path) => !ELSEWHERE.includes(path))
    .flatMap((path) => (statSync(join(SCRIPTS, path)).isDirectory() ? nodeFiles(path) : [path]));
}

function mode(path: string): string {
  return path.endsWith('.sh') ? '0700' : '0600';
}

function content(path: string): string {
  return readFileSync(join(SCRIPTS, path)).toString('base64');
}

/** Every pair of a program shares one reading of the files. */
function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}
