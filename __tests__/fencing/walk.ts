import { Node, Rules, START, State, Step, Who, steps, writes } from './model';

/** A state as one number. The nodes are alike, so of a state and its mirror image one is enough. */
function codeOf(state: State): number {
  return Math.min(codeFrom(state, 0, 1), codeFrom(state, 1, 0));
}

function codeFrom(state: State, first: Who, second: Who): number {
  const { fenced, lock, writer } = state;
  const which = (who?: Who): number => (who === undefined ? 2 : who === first ? 0 : 1);
  return ((codeOfNode(state, first) * NODES + codeOfNode(state, second)) * 27) + which(fenced) * 9 + which(lock) * 3 + which(writer);
}

const NODES = 3 * 6 * 2 * 3 * 3 * 3 * 2;
function codeOfNode({ nodes, marks }: State, who: Who): number {
  const { life, share, answered, fence, asksFence, asksRejoin }: Node = nodes[who];
  return (((((life * 6 + share) * 2 + +answered) * 3 + fence) * 3 + asksFence) * 3 + asksRejoin) * 2 + +marks[who];
}

/** Why a state must never come to be. */
function wrongWith(state: State): string | undefined {
  for (const who of [0, 1] as const) {
    if (writes(state, who) && state.writer !== who) return `${'AB'[who]} writes over what ${'BA'[who]} has stored`;
  }
  return undefined;
}

export interface Walk {
  states: number;
  /** The shortest way to a state that must not be. */
  wrong?: string[];
}

/** Goes through all states that can be reached, nearest first, and stops at the first wrong one. */
export function walk(rules: Rules): Walk {
  const cameFrom = new Map<number, number>([[codeOf(START), -1]]);
  let border: State[] = [START];
  while (border.length > 0) {
    const next: State[] = [];
    for (const state of border) {
      const from = codeOf(state);
      for (const { state: to } of steps(state, rules)) {
        const code = codeOf(to);
        if (cameFrom.has(code)) continue;
        cameFrom.set(code, from);
        const wrong = wrongWith(to);
        if (wrong !== undefined) return { states: cameFrom.size, wrong: [...wayTo(code, cameFrom, rules), wrong] };
        next.push(to);
      }
    }
    border = next;
  }
  return { states: cameFrom.size };
}

/** The names of the steps, found again by going the way of the codes. */
function wayTo(code: number, cameFrom: Map<number, number>, rules: Rules): string[] {
  const codes: number[] = [];
  for (let at = code; at !== -1; at = cameFrom.get(at)!) codes.unshift(at);
  let state = START;
  return codes.slice(1).map((wanted) => {
    const step: Step = steps(state, rules).find(({ state: to }) => codeOf(to) === wanted)!;
    state = step.state;
    return step.name;
  });
}
