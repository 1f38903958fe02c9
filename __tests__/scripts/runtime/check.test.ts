import { StandInNode } from './node';

describe('nms-check-keepalived.sh', () => {
  let node: StandInNode;
  beforeEach(() => (node = new StandInNode()));
  afterEach(() => node.destroy());

  const state = (text: string) => node.write('run/nim-ha/state', text);
  const check = () => node.run('nms-check-keepalived.sh').status;

  test('young and able is success, and the run leaves its time', () => {
    state('phase=ACTIVE\nable=yes\nupdated=995\n');
    expect(check()).toBe(0);
    expect(node.has('run/nim-ha/checked')).toBe(true);
  });

  test.each([
    ['unable', 'able=no\nupdated=995\n'],
    ['too old', 'able=yes\nupdated=960\n'],
    ['without a time', 'able=yes\n'],
    ['with a time that is no number', 'able=yes\nupdated=$(id)\n'],
    ['empty', ''],
    ['with line ends of another system', 'able=yes\r\nupdated=995\r\n'],
  ])('%s is failure', (_, text) => {
    state(text);
    expect(check()).toBe(1);
  });

  test('no state at all is failure', () => {
    expect(check()).toBe(1);
  });
});
