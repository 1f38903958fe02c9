import { TerraformStack, TerraformVariable, Testing } from 'cdktf';
import { attribute, encode, escapeTemplate, expression, sha256 } from '../../lib/remote/text';
import { environmentVariable, resolved } from '../../lib/remote/variables';

const scope = new TerraformStack(Testing.app(), 'stack');
const host = new TerraformVariable(scope, 'host', { type: 'string' }).stringValue;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test.each([
  ['${x}', '$${x}'],
  ['a ${b:-c} %{ if } $d $$ %', 'a $${b:-c} %%{ if } $d $$ %'],
  ['nothing', 'nothing'],
])('a template becomes text again: %s', (text, escaped) => {
  expect(escapeTemplate(text)).toBe(escaped);
});

test('beside a token a "$" or an open "${" is text, too', () => {
  expect(resolved(scope, attribute(host))).toBe('${var.host}');
  expect(attribute('a${b}')).toBe('a$${b}');
  expect(resolved(scope, attribute(`a\${$${host}`))).toBe(`\${join("", [base64decode("${base64('a${$')}"), var.host])}`);
});

test.each(['a\r${b}', '\ufeffa'])('what Terraform would read in another way travels as base64: %j', (text) => {
  expect(resolved(scope, attribute(text))).toBe(`\${join("", [base64decode("${base64(text)}")])}`);
});

test('a token stays one', () => {
  expect(resolved(scope, escapeTemplate(`\${x} ${host}`))).toBe('$${x} ${var.host}');
});

test('literals are packed here, tokens by Terraform, and no literal part is left for Terraform to read', () => {
  expect(encode('a "b"\n${c}')).toBe(base64('a "b"\n${c}'));
  expect(resolved(scope, encode(host))).toBe('${base64encode(var.host)}');
  const mixed = `x "\${y}" ${host}\n`;
  expect(resolved(scope, encode(mixed))).toBe(
    `\${base64encode(join("", [base64decode("${base64('x "${y}" ')}"), var.host, base64decode("${base64('\n')}")]))}`,
  );
  expect(resolved(scope, expression(host))).toBe('${var.host}');
});

test('a hash with a token in it is taken by Terraform, and tells apart what is literal', () => {
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  const one = resolved(scope, sha256(`one ${host}`));
  expect(one).toMatch(/^\$\{sha256\(join\(" ", \["[0-9a-f]{64}", var\.host\]\)\)\}$/);
  expect(one).not.toBe(resolved(scope, sha256(`two ${host}`)));
});

test('a variable is known by its environment variable, if it is a variable and nothing else', () => {
  expect(environmentVariable(scope, host)).toBe('TF_VAR_host');
  expect(environmentVariable(scope, `x${host}`)).toBeUndefined();
  expect(environmentVariable(scope, '${var.host}x')).toBeUndefined();
  expect(environmentVariable(scope, undefined)).toBeUndefined();
});
