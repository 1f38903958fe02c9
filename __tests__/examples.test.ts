import { TerraformStack, Testing } from 'cdktf';
import { PlatformStack } from '../examples/platform-stack/main';
import { TwoServers } from '../examples/two-servers/main';
import { find, synth } from './fixture';

const warnings = jest.spyOn(console, 'warn');

test('two-servers', () => {
  const tf = synth(new TwoServers(Testing.app(), 'two-servers'));
  expect(Object.keys(tf.output)).toEqual(['active_node', 'primary', 'secondary']);
  expect(Object.keys(tf.resource.null_resource)).toHaveLength(5);
});

test('platform-stack', () => {
  const stack: TerraformStack = new PlatformStack(Testing.app(), 'platform');
  const tf = synth(stack);
  expect(find(tf.resource.null_resource, 'SomethingElse').depends_on).toEqual([
    expect.stringContaining('blue_NimHa_rollout'),
    expect.stringContaining('green_NimHa_rollout'),
  ]);
  expect(find(tf.resource.terraform_data, 'blue_NimHa_identity').for_each).toBe('${toset(["primary", "secondary"])}');
});

afterAll(() => expect(warnings).not.toHaveBeenCalled());
