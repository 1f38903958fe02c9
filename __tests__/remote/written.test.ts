import { Fn, TerraformLocal } from 'cdktf';
import { written } from '../../lib/remote/written';
import { stack, synth, variable } from '../fixture';

function local(make: (name: (name: string) => string) => unknown): unknown {
  const scope = stack();
  const value = make((name) => variable(scope, name).stringValue);
  new TerraformLocal(scope, 'value', value);
  return synth(scope).locals.value;
}

test('literals are quoted, and are no templates to Terraform', () => {
  const value = { text: 'a "b"\n\\ ${c} %{d}', number: 1, nothing: null, list: ['x', true], object: {} };
  expect(local(() => written((write) => write(value)))).toBe(
    '${{"text" = "a \\"b\\"\\n\\\\ $${c} %%{d}", "number" = 1, "nothing" = null, "list" = ["x", true], "object" = {}}}',
  );
});

test('two escapes of JSON that Terraform does not know are written in another way', () => {
  expect(local(() => written((write) => write('a\bb\f\\b\\\f\u0001')))).toBe('${"a\\u0008b\\u000c\\\\b\\\\\\u000c\\u0001"}');
});

test('tokens are what they stand for, alone and within text', () => {
  const value = local((name) => written((write) => `f(${write({ alone: name('a'), within: `b/${name('b')}` })})`));
  expect(value).toBe('${f({"alone" = var.a, "within" = join("", [base64decode("Yi8="), var.b])})}');
});

test('it may be an argument of a function of cdktf, and hold another', () => {
  const value = local((name) => Fn.upper(written((write) => `f(${write(written((inner) => inner(name('a'))))})`) as unknown as string));
  expect(value).toBe('${upper(f(var.a))}');
});
