import { spawnSync } from 'child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { getExpressionAst } from '@cdktf/hcl2json';
import { App, TerraformOutput, TerraformStack, TerraformVariable, Testing } from 'cdktf';
import fc from 'fast-check';
import { terraformEnv } from '../../lab/terraform';
import { SshAccess } from '../../lib';
import { attribute, encode } from '../../lib/remote/text';
import { written } from '../../lib/remote/written';
import { pair, stack, synth } from '../fixture';
import { hostile, oneIn, sample, wrong } from './support';

// A text that looks like a token of cdktf is one. A surrogate of its own is in no file, and Terraform knows no NUL.
const plain = (text: string): boolean => !/TfToken\[|\p{Cs}|\0/u.test(text);
const text = hostile('192.0.2.11', 'Pa55-wrd', 'a b', 'x${y}', '').filter(plain);
/** Texts, with a value between them that only Terraform knows. */
const texts = fc.tuple(text, fc.boolean(), text);

const VALUE = 'only ${Terraform} knows\n"this"';

/** One of each way in which a text gets into what Terraform reads. */
function ways(scope: TerraformStack, cases: Array<[string, boolean, string]>): unknown[][] {
  const token = new TerraformVariable(scope, 'value', { type: 'string', default: VALUE }).stringValue;
  return cases.map(([before, withToken, after]) => {
    const whole = `${before}${withToken ? token : ''}${after}`;
    return [attribute(whole), encode(whole), written((write) => write({ key: whole, list: [whole] })), attribute(`${before}\n${after}`)];
  });
}

/** The same as they are meant, in the one form that Terraform reduces all texts to. */
function meant([before, withToken, after]: [string, boolean, string]): unknown[] {
  const whole = `${before}${withToken ? VALUE : ''}${after}`;
  // What has a value in it is put together of texts that Terraform has reduced, one by one.
  const normal = (each: string): string => each.normalize('NFC');
  return [normal(whole), Buffer.from(withToken ? [before, VALUE, after].map(normal).join('') : whole).toString('base64'), { key: normal(whole), list: [normal(whole)] }, normal(`${before}\n${after}`)];
}

function synthesised(cases: Array<[string, boolean, string]>): any {
  const scope = new TerraformStack(Testing.app(), 'stack');
  new TerraformOutput(scope, 'all', { value: ways(scope, cases), staticId: true });
  return JSON.parse(Testing.synth(scope));
}

/** How a text that a template could not hold is put together of its pieces. */
const joining = ['join', 'base64decode'];

/** What Terraform does in a template: functions that it calls, values that it looks up, and all else that is no text. By HashiCorp's own parser. */
async function doings(template: string): Promise<string[]> {
  // A line end of its own is well in JSON, and nowhere else.
  const ast = await getExpressionAst('main.tf', `<<TEMPLATE_OF_A_TEST\n${template.replace(/\r/g, ' ')}\nTEMPLATE_OF_A_TEST\n`);
  const found: string[] = [];
  const walk = ({ type, meta, children }: any): void => {
    if (!['template', 'templateWrap', 'literalValue', 'object', 'tuple', ''].includes(type)) found.push(type === 'function' ? meta.name : meta?.fullAccessor ?? type);
    children.forEach(walk);
  };
  walk(ast);
  return found;
}

test('Terraform finds nothing to do in a text but what we have it do', async () => {
  const cases = sample('templates', texts, oneIn(20));
  const values: unknown[][] = synthesised(cases).output.all.value;
  const allowed = ['var.value', 'base64encode', ...joining];
  const odd: unknown[] = [];
  for (const [index, [escaped, ...others]] of values.entries()) {
    const [before, withToken] = cases[index];
    const found = await doings(escaped as string);
    const needed = withToken ? ['var.value'] : [];
    if (String(found.filter((each) => !joining.includes(each))) !== String(needed)) odd.push({ before, escaped, found });
    for (const other of others.filter((each) => typeof each === 'string') as string[]) {
      const more = (await doings(other)).filter((each) => !allowed.includes(each));
      if (more.length > 0) odd.push({ before, other, more });
    }
  }
  expect(odd.slice(0, 3)).toEqual([]);
});

// npm test needs no Terraform; CI has it.
(process.env.NIM_HA_WITH_TERRAFORM ? test : test.skip)('Terraform makes of a text what was meant, byte for byte', async () => {
  const cases = sample('texts through Terraform', texts, oneIn(10));
  const directory = mkdtempSync(join(tmpdir(), 'nim-ha-terraform-'));
  try {
    const { output, variable } = synthesised(cases);
    writeFileSync(join(directory, 'main.tf.json'), JSON.stringify({ output, variable }));
    const env: NodeJS.ProcessEnv = { ...process.env, ...(await terraformEnv()), CHECKPOINT_DISABLE: '1' };
    const terraform = (...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync(env.TERRAFORM_BINARY_NAME ?? 'terraform', args, { cwd: directory, env, encoding: 'utf8', maxBuffer: 2 ** 28 });
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      return stdout;
    };
    terraform('init', '-input=false');
    terraform('apply', '-input=false', '-auto-approve');
    const got: unknown[] = JSON.parse(terraform('output', '-json', 'all'));
    expect(got).toHaveLength(cases.length);
    const all = cases.map((each, index) => ({ meant: JSON.stringify(meant(each)), got: JSON.stringify(got[index]) }));
    expect(wrong(all, ({ meant: expected, got: made }) => expected !== made)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** All that Terraform does in what a pair becomes, whatever the resource. */
async function doingsOf(scope: TerraformStack): Promise<string[]> {
  const strings = (value: unknown): string[] => (typeof value === 'string' ? [value] : value !== null && typeof value === 'object' ? Object.values(value).flatMap(strings) : []);
  const { resource, data, locals } = synth(scope);
  const found: string[] = [];
  for (const each of new Set(strings([resource, data, locals]).filter((value) => /[$%]\{/.test(value)))) found.push(...(await doings(each)));
  return found.filter((each) => !joining.includes(each)).sort();
}

test('the strings of a pair that may hold anything add nothing to what Terraform does', async () => {
  const some = fc.oneof(text, fc.constantFrom('${file("/etc/passwd")}', 'a%{ if true }b%{ endif }', '${', '%{', '$')).filter((each) => each !== '');
  const free = fc.record({ segment: some, version: some, password: some, byKey: fc.boolean() });
  const pairOf = (scope: TerraformStack, { segment, version, password, byKey }: { segment: string; version: string; password: string; byKey: boolean }): TerraformStack => {
    const ssh = byKey ? SshAccess.withPrivateKey({ user: 'ops', privateKey: password, sudoPassword: password }) : SshAccess.withPassword({ user: 'ops', password });
    pair(scope, { ssh, virtualIp: { segment, authPassVersion: version, authPass: 'Pa55-wrd' } });
    return scope;
  };
  const usual = await doingsOf(pairOf(stack(new App()), { segment: 'lan', version: '1', password: 'x', byKey: false }));
  expect(usual.length).toBeGreaterThan(10);
  const odd: unknown[] = [];
  for (const each of sample('free strings of a pair', free, Math.ceil(oneIn(50) / 5))) {
    const found = await doingsOf(pairOf(stack(Testing.app()), each));
    if (String(found) !== String(usual)) odd.push({ each, found: found.filter((name) => !usual.includes(name)) });
  }
  expect(odd.slice(0, 3)).toEqual([]);
});
