import { createHash } from 'crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, posix } from 'path';
import { AssetType, TerraformAsset } from 'cdktf';
import { Construct } from 'constructs';
import { escapeTemplate } from './text';

/** The constant scripts, beside `lib/` in the source tree and beside `build/` in the package. */
export const SCRIPTS = join(__dirname, '..', '..', 'scripts');

/** Makes the private directory of a deploy, in which each file appears whole or not at all. */
export const PUT = 'put() { mkdir -p "$(dirname "$2")"; $3 >"$2.new"; chmod "$1" "$2.new"; mv -f "$2.new" "$2"; }';

/**
 * All files for a kind of machine as one text, `<octal mode> <path> <base64>` per line. One file, because a program with a hundred
 * pairs would otherwise spend its time on copying thousands of small ones. Every pair of a program shares one reading of the files.
 */
export class ScriptBundle {
  /** Of the nodes. What runs on the operator's machine, or on the NFS server, is not sent to them. */
  public static readonly NODE = new ScriptBundle('scripts', SCRIPTS, ['operator', 'server']);
  /** Of an NFS server that fences. */
  public static readonly SERVER = new ScriptBundle('server_scripts', join(SCRIPTS, 'server'), []);

  private cached?: string;
  private digest?: string;
  private file?: string;

  private constructor(
    private readonly id: string,
    private readonly directory: string,
    private readonly elsewhere: string[],
  ) {}

  /** Changes exactly when a file does. */
  public get hash(): string {
    return (this.digest ??= createHash('sha256').update(this.text).digest('hex').slice(0, 32));
  }

  /** The asset beside the synthesised JSON. Terraform reads it, so no template touches the scripts. */
  public asset(scope: Construct): TerraformAsset {
    return new TerraformAsset(scope, this.id, { path: this.written(), type: AssetType.FILE, assetHash: this.hash });
  }

  /** Shell that brings `./scripts` to what is in the asset. Needs bash, and `PUT`. */
  public unpackCommands(asset: TerraformAsset): string[] {
    const before = ['kept=" "', 'while read -r mode path content; do', '  put "$mode" "scripts/$path" "base64 -d" <<<"$content"', '  kept="$kept$path "', "done <<'NIM_HA_END'"];
    const after = [
      'NIM_HA_END',
      // Scripts of an earlier version that this one no longer has.
      'find scripts -type f -printf "%P\\n" | while read -r path; do',
      '  case "$kept" in *" $path "*) ;; *) rm -f -- "scripts/$path" ;; esac',
      'done',
    ];
    return [...before.map(escapeTemplate), `\${file("${asset.path}")}`, ...after.map(escapeTemplate)];
  }

  private get text(): string {
    return (this.cached ??= this.files('').map((path) => `${mode(path)} ${path} ${this.content(path)}`).join('\n'));
  }

  /** An asset has to be a file before it is copied; this one lives as long as the process. */
  private written(): string {
    if (this.file === undefined) {
      const directory = mkdtempSync(join(tmpdir(), 'nim-ha-scripts-'));
      process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
      this.file = join(directory, 'node-scripts');
      writeFileSync(this.file, this.text);
    }
    return this.file;
  }

  private files(below: string): string[] {
    return readdirSync(join(this.directory, below))
      .sort()
      .map((name) => posix.join(below, name))
      .filter((path) => !this.elsewhere.includes(path))
      .flatMap((path) => (statSync(join(this.directory, path)).isDirectory() ? this.files(path) : [path]));
  }

  private content(path: string): string {
    return readFileSync(join(this.directory, path)).toString('base64');
  }
}

function mode(path: string): string {
  return path.endsWith('.sh') ? '0700' : '0600';
}
