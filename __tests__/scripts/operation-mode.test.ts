import { DeployNode } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

const run = (...args: string[]) => node.script('operation-mode.sh', args);

test.each([
  [
    'a value with a comment behind it',
    'integrations:\n    license:\n        # why\n        mode_of_operation: connected # as ordered\n        x: 1\n',
    'integrations:\n    license:\n        # why\n        mode_of_operation: disconnected # as ordered\n        x: 1\n',
  ],
  [
    'the same keys elsewhere',
    'license:\n  mode_of_operation: connected\nintegrations:\n  other:\n    license:\n      mode_of_operation: connected\n  license:\n    a: 1\n',
    'license:\n  mode_of_operation: connected\nintegrations:\n  other:\n    license:\n      mode_of_operation: connected\n  license:\n    mode_of_operation: disconnected\n    a: 1\n',
  ],
  ['no value', 'integrations:\n  license:\n    mode_of_operation:  # to do\n', 'integrations:\n  license:\n    mode_of_operation: disconnected # to do\n'],
  ['a quoted value', 'integrations:\n  license:\n    mode_of_operation: "connected"\n', 'integrations:\n  license:\n    mode_of_operation: disconnected\n'],
  ['no such level', '# NIM\nuser: nms\n', '# NIM\nuser: nms\nintegrations:\n  license:\n    mode_of_operation: disconnected\n'],
  ['one level', 'integrations:\n    address: unix\nb: 1\n', 'integrations:\n    license:\n      mode_of_operation: disconnected\n    address: unix\nb: 1\n'],
  ['no newline at the end', 'user: nms', 'user: nms\nintegrations:\n  license:\n    mode_of_operation: disconnected'],
  ['an empty file', '', 'integrations:\n  license:\n    mode_of_operation: disconnected\n'],
  ['a comment that looks like it', '# integrations:\n#   license:\nuser: nms\n', '# integrations:\n#   license:\nuser: nms\nintegrations:\n  license:\n    mode_of_operation: disconnected\n'],
  ['line ends of another system', 'integrations:\r\n  license:\r\n    mode_of_operation: connected\r\n', 'integrations:\r\n  license:\r\n    mode_of_operation: disconnected\r\n'],
])('%s', (_, before, after) => {
  node.write('etc/nms/nms.conf', before, 0o640);
  expect(run('set', 'disconnected')).toEqual({ code: 0, out: 'changed\n' });
  expect(node.read('etc/nms/nms.conf')).toBe(after);
  expect(node.mode('etc/nms/nms.conf')).toBe('640');
  expect(run('set', 'disconnected')).toEqual({ code: 0, out: '' });
  expect(run('get').out).toBe('disconnected');
});

test('what it cannot edit safely is refused, with the line', () => {
  node.write('etc/nms/nms.conf', 'a: 1\nintegrations: {license: {mode_of_operation: connected}}\n');
  const { code, out } = run('set', 'disconnected');
  expect(code).toBe(1);
  expect(out).toContain('line 2: integrations has its value on the same line');
  expect(run('set', 'off').code).toBe(2);
});
