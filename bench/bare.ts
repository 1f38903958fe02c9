import { readFileSync, readdirSync } from 'fs';
import { join } from 'path';
import { DataLocalCommand } from '@cdktf/provider-local/lib/data-local-command';
import { LocalProvider } from '@cdktf/provider-local/lib/provider';
import { NullProvider } from '@cdktf/provider-null/lib/provider';
import { Resource as NullResource } from '@cdktf/provider-null/lib/resource';
import { App, AssetType, ITerraformIterator, Lazy, TerraformAsset, TerraformLocal, TerraformOutput, TerraformResource, TerraformResourceConfig, TerraformStack, TerraformVariable } from 'cdktf';
import { Construct } from 'constructs';
import { hosts, stackName } from './hosts';

/** A pair as the library synthesised it: `cdk.tf.json` and `assets/`. */
let templateText: string | undefined;
let assetFiles: string[] | undefined;

/**
 * A pair written down with cdktf alone: the texts of the template with this pair's addresses in them, the same resources at the same
 * paths, one token wherever the template has an expression. What it synthesises is the library's, byte for byte.
 *
 * It has no work for making the texts, and an expression is one token however deep it is: what bare cdktf needs at the least.
 */
export function bareStack(app: App, number: number, template: string): void {
  templateText ??= readFileSync(join(template, 'cdk.tf.json'), 'utf8');
  assetFiles ??= readdirSync(join(template, 'assets'), { recursive: true, encoding: 'utf8' }).filter((path) => path.split('/').length === 3);
  new BareStack(app, stackName(number), template, JSON.parse(withAddressesOf(number, templateText)));
}

function withAddressesOf(number: number, text: string): string {
  const [from, to] = [hosts(1), hosts(number)];
  let result = text.replaceAll(stackName(1), stackName(number));
  for (const name of ['primary', 'secondary', 'virtualIp', 'nfs'] as const) {
    const base64 = (address: string): string => Buffer.from(address).toString('base64');
    result = result.replaceAll(base64(from[name]), base64(to[name])).replaceAll(from[name], to[name]);
  }
  return result;
}

class BareStack extends TerraformStack {
  private readonly assetPaths: { [path: string]: string };

  constructor(app: App, id: string, template: string, tf: any) {
    super(app, id);
    new NullProvider(this, 'null');
    new LocalProvider(this, 'local');
    for (const [name, { type, sensitive }] of Object.entries<any>(tf.variable)) new TerraformVariable(this, name, { type, sensitive });
    this.assetPaths = Object.fromEntries(
      assetFiles!.map((path) => {
        const [place, assetHash] = path.split('/');
        const asset = new TerraformAsset(this.at('NimHa'), /_(scripts|operator)_/.exec(place)![1], {
          path: join(template, 'assets', path),
          type: AssetType.FILE,
          assetHash,
        });
        return [`assets/${path}`, asset.path];
      }),
    );
    for (const [type, blocks] of Object.entries<any>(tf.resource)) {
      for (const block of Object.values<any>(blocks)) this.resource(type, block);
    }
    for (const block of Object.values<any>(tf.data.local_command)) {
      const [scope, name] = this.place(block);
      const { depends_on, allow_non_zero_exit_code, command, arguments: args } = this.tokens(block);
      const data = new DataLocalCommand(scope, name, { command, arguments: args, allowNonZeroExitCode: allow_non_zero_exit_code });
      data.dependsOn = depends_on;
    }
    for (const [name, value] of Object.entries<any>(tf.locals)) {
      new TerraformLocal(this.at('NimHa'), name, this.tokens(value)).overrideLogicalId(name);
    }
    for (const [name, { value }] of Object.entries<any>(tf.output)) {
      new TerraformOutput(this, name, { value: this.tokens(value), staticId: true });
    }
  }

  private resource(type: string, block: any): void {
    const [scope, name] = this.place(block);
    const { provisioner, depends_on, triggers, input, for_each, triggers_replace } = this.tokens(block);
    const provisioners = provisioner.flatMap((entry: any) => Object.entries<any>(entry).map(([kind, inner]) => ({ type: kind, ...camelCase(inner) })));
    const resource =
      type === 'null_resource'
        ? new NullResource(scope, name, { triggers, provisioners })
        : new PlainResource(scope, name, { terraformResourceType: type, provisioners, forEach: each(for_each) }, { input, triggers_replace });
    resource.dependsOn = depends_on;
  }

  /** Where a block is in the tree of constructs: `stack/NimHa/primary/stage`. */
  private place(block: any): [Construct, string] {
    const path: string[] = block['//'].metadata.path.split('/').slice(1);
    return [this.at(...path.slice(0, -1)), path[path.length - 1]];
  }

  private at(...path: string[]): Construct {
    return path.reduce<Construct>((scope, id) => (scope.node.tryFindChild(id) as Construct | undefined) ?? new Construct(scope, id), this);
  }

  /** The same value, with a token wherever Terraform has something to compute. */
  private tokens(value: any): any {
    if (typeof value === 'string') return this.token(value);
    if (Array.isArray(value)) return value.map((inner) => this.tokens(inner));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === '//' ? inner : this.tokens(inner)]));
  }

  private token(text: string): string {
    for (const [path, asset] of Object.entries(this.assetPaths)) {
      if (text.includes(path)) return text.replace(path, () => asset);
    }
    return /(^|[^$])\$\{/.test(text) ? Lazy.stringValue({ produce: () => text }) : text;
  }
}

/** An iterator that is nothing but its text. */
function each(text: string): ITerraformIterator {
  return { _getForEachExpression: () => text } as unknown as ITerraformIterator;
}

/** `terraform_data`, for which cdktf's own class looks for a terraform binary. */
class PlainResource extends TerraformResource {
  constructor(scope: Construct, id: string, config: TerraformResourceConfig, private readonly values: { [name: string]: unknown }) {
    super(scope, id, config);
  }

  protected synthesizeAttributes(): { [name: string]: unknown } {
    return this.values;
  }
}

/** Names of settings as cdktf has them; those of environment variables stay. */
function camelCase(settings: any): any {
  return Object.fromEntries(
    Object.entries<any>(settings).map(([key, value]) => [
      key.replace(/_(.)/g, (_, letter) => letter.toUpperCase()),
      key === 'connection' ? camelCase(value) : value,
    ]),
  );
}
