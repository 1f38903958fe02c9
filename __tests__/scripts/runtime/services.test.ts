import { StandInNode } from './node';

describe('read_slice', () => {
  let node: StandInNode;
  beforeEach(() => (node = new StandInNode()));
  afterEach(() => node.destroy());
  const read = (more = '') => node.bash(`. ./paths.sh; . ./pause.sh; . ./services.sh; read_slice; echo "\${slice_pids[*]}"; ${more}`).stdout;

  test('finds the processes of all groups of the slice, however deep', () => {
    node.write('cgroup/cgroup.procs', '1\n');
    node.write('cgroup/nginx.service/cgroup.procs', '2\n3\n');
    node.write('cgroup/clickhouse-server.service/query/cgroup.procs', '4\n');
    expect(read().trim().split(' ').sort()).toEqual(['1', '2', '3', '4']);
  });

  test('finds none where there is no slice', () => {
    node.remove('cgroup');
    expect(read()).toBe('\n');
  });

  test('leaves all other patterns of the shell as they were: what matches nothing stands for itself', () => {
    expect(read('echo no-such-file[0-9]; shopt globstar nullglob')).toMatch(/^\nno-such-file\[0-9\]\nglobstar\s+off\nnullglob\s+off\n$/);
  });
});
