import { changesSince, look, unaccounted } from './changes';
import { DeployNode, Result } from './deploy-node';
import { flawsOf, readReport } from './report';

/** A thing that goes wrong on a node, and what the person who runs the deploy reads. */
export interface Trouble {
  /** In the operator's words. */
  trouble: string;
  id: string;
  /** Makes it, on a machine where all is well. */
  make(node: DeployNode): unknown;
  /** Ends what was made, where that is a process. */
  undo?(node: DeployNode): unknown;
  /** Another step than the table's. */
  step?: string[];
  /** Another way to run it. */
  run?(node: DeployNode): Result | Promise<Result>;
  /** The whole message, or each of them: what, got, expected, and what to do. `…` is what no test can know. */
  says: string | string[];
  /** What else the step says: what is done by now. */
  also?: string[];
  /** How the machine calls itself, where it does not know its name in the pair. */
  name?: string;
  /** Refused before anything was touched, unless something else stands here. */
  code?: number;
}

/** What the deploy has changed in the steps before this one, and in earlier tries. */
const CHANGED = 'run/nim-ha/step/changed';

/** A text in which `…` stands for anything. */
function pattern(text: string): RegExp {
  return new RegExp(`^${text.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.+')}$`);
}

export async function expectTrouble(node: DeployNode, { id, make, run, step, says, also = [], name = node.role, code = 3 }: Trouble): Promise<void> {
  await make(node);
  const before = look(node);
  const earlier = node.has(CHANGED) ? node.read(CHANGED).slice(0, -1).split('\n') : [];
  const { code: ended, out } = await (run ? run(node) : node.step(...step!));
  expect({ code: ended, out }).toEqual({ code, out: expect.stringContaining(`FAILED [${id}]`) });
  const { messages, changed } = readReport(out);
  const wanted = [says].flat();
  expect(messages.map(({ text }) => text)).toEqual(wanted.map((text) => expect.stringMatching(pattern(text))));
  expect(messages.map((message) => `${message.node} ${message.step} ${message.id}`)).toEqual(wanted.map(() => `${name} ${step!.join(' ')} ${id}`));
  for (const text of also) expect(out).toContain(text);
  expect(flawsOf(out)).toEqual([]);
  expect(changed?.slice(0, earlier.length)).toEqual(earlier);
  if (code === 3) expect(changed).toEqual(earlier);
  expect(unaccounted(changed!.slice(earlier.length), changesSince(before, node))).toEqual([]);
}

/** A table of troubles, each on a machine as `prepare` leaves it. */
export function troubles(title: string, step: string[], prepare: () => DeployNode, rows: Trouble[]): void {
  describe(title, () => {
    let node: DeployNode;
    beforeAll(() => {
      node = prepare();
      node.snapshot();
    });
    beforeEach(() => node.restore());
    afterAll(() => node.destroy());

    test.each(rows)('$trouble: [$id]', async (row) => {
      try {
        await expectTrouble(node, { step, ...row });
      } finally {
        row.undo?.(node);
      }
    });
  });
}
