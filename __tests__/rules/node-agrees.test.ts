import { execFileSync } from 'child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { PairModel } from '../../lib/config/model';
import { encodeLiteral, nodeDataEntries, renderNodeData } from '../../lib/config/node-data';
import { changed } from './row';
import { nfsRows } from './rows-nfs';
import { nodeRows } from './rows-nodes';
import { pairRows } from './rows-pair';
import { sshRows } from './rows-ssh';
import { vipRows } from './rows-vip';

// The rules and scripts/node-data.sh judge the same values, one for literals, one for tokens. What the rules let pass
// and a node then refused would be found out only in the middle of a deploy.
test('what the rules let pass, a node accepts', () => {
  const rows = Object.values({ ...vipRows, ...nodeRows, ...sshRows, ...nfsRows, ...pairRows });
  const pairs = rows.flatMap((row) => row.passes).map((change) => changed(change) as PairModel);
  const directory = mkdtempSync(join(tmpdir(), 'node-agrees-'));
  try {
    // Every different line once, each in a file of its own; FILES and FSTAB are judged by those who read them.
    const all = pairs.flatMap((pair) =>
      [pair.primary, pair.secondary].map((node) =>
        renderNodeData(nodeDataEntries(pair, node, { GENERATION: '1' }, encodeLiteral), encodeLiteral),
      ),
    );
    const lines = all
      .join('')
      .trimEnd()
      .split('\n')
      .filter((line) => !/^(FILES|FSTAB)=/.test(line));
    const files = [...new Set(lines)].map((line, i) => {
      const file = join(directory, String(i));
      writeFileSync(file, `${line}\n`);
      return file;
    });
    expect(files.length).toBeGreaterThan(50);
    const script =
      'source "$1"; shift; for file in "$@"; do node_value "$(sed "s/=.*//" "$file")" "$file" >/dev/null; done 2>&1';
    const shell = join(__dirname, '..', '..', 'scripts', 'node-data.sh');
    expect(execFileSync('bash', ['-c', script, 'bash', shell, ...files]).toString()).toBe('');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
