/**
 * The protocol of docs/decisions/0009-fencing.md as a state machine: two nodes, their NFS server, and everything that can happen to
 * them, one step at a time. What may take its time, or never come, is a step that need not be taken: so a cut network, a lost advert and
 * a slow disk need no state of their own. Small enough to walk through every state there is.
 */

export type Who = 0 | 1;

/** What a node has to do with the share. */
export enum Share {
  /** Nothing: not mounted, and nothing of the services lives. */
  NONE,
  MOUNTED,
  /** `flock` succeeded; not marked yet. */
  LOCKED,
  /** Its mark is on the share; not yet sure that the peer cannot write. */
  MARKED,
  /** Serves: the services write. */
  SERVING,
  /** Not to serve any more: what was written is on its way. */
  DRAINING,
}

export enum Life {
  OFF,
  ON,
  FROZEN,
}

/** The name of a fence, as a node knows it. Names are never used twice, so one that is not in force is as good as any other such. */
export enum Name {
  NONE,
  IN_FORCE,
  OLD,
}

/** When a node has asked for a fence. */
export enum Asked {
  NOT,
  WITH_THIS_LOCK,
  EARLIER,
}

export interface Node {
  life: Life;
  share: Share;
  /** Has been told that the peer is fenced, since it has the lock. */
  answered: boolean;
  fence: Name;
  /** Requests on their way to the server: they may be late, and come twice. */
  asksFence: Asked;
  asksRejoin: Name;
}

export interface State {
  nodes: [Node, Node];
  /** The one node to which the server does not export. */
  fenced?: Who;
  lock?: Who;
  /** On the share: this node has begun to serve, and has not said that it has ended. */
  marks: [boolean, boolean];
  /** For the judgement alone: the last one that began to write. */
  writer?: Who;
}

/** Rules of the protocol, to be left out one at a time to see what each is there for. */
export const RULES = {
  /** However the lock was come by, a peer that has left its mark is fenced before the services start. */
  fenceByMark: true,
  /** The mark is there before the lock is confirmed, and so before anything is written. */
  markFirst: true,
  /** A node asks to come back only when it holds nothing of the share. */
  rejoinHoldingNothing: true,
  /** It learns the name of the fence before it lets go, and each fence has a name of its own. */
  names: true,
  /** The server refuses a fenced caller, so it never fences both. */
  refuseFenced: true,
  /** An answer counts only for the lock that it was asked with. */
  answerForThisLock: true,
};
export type Rules = typeof RULES;

export interface Step {
  name: string;
  state: State;
}

export const node = (life = Life.ON): Node => ({ life, share: Share.NONE, answered: false, fence: Name.NONE, asksFence: Asked.NOT, asksRejoin: Name.NONE });

export const START: State = { nodes: [node(), node()], marks: [false, false] };

/** Whether what this node writes, knowingly or not, lands on the share. */
export function writes({ nodes, fenced }: State, who: Who): boolean {
  const { life, share } = nodes[who];
  return life === Life.ON && (share === Share.SERVING || share === Share.DRAINING) && fenced !== who;
}

/** Everything that may happen next. */
export function steps(from: State, rules: Rules): Step[] {
  const found: Step[] = [];
  for (const who of [0, 1] as const) {
    const add = (name: string, change: (state: State, mine: Node) => void): void => {
      const [a, b] = from.nodes;
      const state: State = { ...from, nodes: [{ ...a }, { ...b }], marks: [...from.marks] };
      change(state, state.nodes[who]);
      found.push({ name: `${'AB'[who]} ${name}`, state });
    };
    life(from, who, add);
    if (from.nodes[who].life === Life.ON) {
      if (from.fenced === who) fenced(from, who, add);
      else share(from, who, rules, add);
      comingBack(from, who, rules, add);
    }
    server(from, who, rules, add);
  }
  return found;
}

type Add = (name: string, change: (state: State, mine: Node) => void) => void;

const other = (who: Who): Who => (who === 0 ? 1 : 0);

function life(from: State, who: Who, add: Add): void {
  const { life, share, asksFence, asksRejoin } = from.nodes[who];
  if (life === Life.OFF) {
    add('boots', (_, mine) => (mine.life = Life.ON));
  } else {
    add('loses its power', (state) => (state.nodes[who] = { ...node(Life.OFF), asksFence, asksRejoin }));
    if (life === Life.ON) add('freezes', (_, mine) => (mine.life = Life.FROZEN));
    else add('wakes up', (_, mine) => (mine.life = Life.ON));
  }
  // One that lives and gets no answer has got rid of the share by then. A restart of the server is the same.
  if (from.lock === who && (life !== Life.ON || share < Share.LOCKED)) add('has its lease ended', (state) => (state.lock = undefined));
}

function share(from: State, who: Who, rules: Rules, add: Add): void {
  const { share, answered, fence, asksFence } = from.nodes[who];
  const peer = other(who);
  const holds = from.lock === who;
  if (share === Share.NONE && fence === Name.NONE) add('mounts', (_, mine) => (mine.share = Share.MOUNTED));
  if (share === Share.MOUNTED) {
    if (from.lock === undefined) {
      add('has the lock', (state, mine) => {
        state.lock = who;
        mine.share = Share.LOCKED;
        if (rules.answerForThisLock) mine.answered = false;
        if (mine.asksFence === Asked.WITH_THIS_LOCK) mine.asksFence = Asked.EARLIER;
      });
    } else if (from.lock === peer && asksFence === Asked.NOT) {
      // Only when the holder shows no sign of life: it may be late, or on its way back.
      add('asks to fence the holder', (_, mine) => (mine.asksFence = Asked.EARLIER));
    }
    if (from.marks[who]) add('takes back its old mark', (state) => (state.marks[who] = false));
  }
  if (share === Share.LOCKED) {
    add('marks the share', (state, mine) => {
      if (rules.markFirst) state.marks[who] = true;
      mine.share = Share.MARKED;
    });
  }
  if (share === Share.MARKED) {
    if (from.marks[peer] && asksFence !== Asked.WITH_THIS_LOCK) {
      add('asks to fence the one that has left its mark', (_, mine) => (mine.asksFence = Asked.WITH_THIS_LOCK));
    }
    if (holds && (!from.marks[peer] || answered || !rules.fenceByMark)) {
      add('starts the services', (state, mine) => {
        mine.share = Share.SERVING;
        state.writer = who;
      });
    }
  }
  if (share === Share.SERVING && !from.marks[who]) add('marks the share', (state) => (state.marks[who] = true));
  if (share === Share.SERVING) add('is not to serve any more', (_, mine) => (mine.share = Share.DRAINING));
  if (holds && (share === Share.LOCKED || share === Share.MARKED || share === Share.DRAINING)) {
    add('has nothing more to write and lets go', (state, mine) => {
      mine.share = Share.MOUNTED;
      state.marks[who] = false;
      state.lock = undefined;
    });
  }
  if (share !== Share.NONE) add('gets rid of the share', (_, mine) => (mine.share = Share.NONE));
}

/** Whatever it asks of the share is denied. */
function fenced(from: State, who: Who, add: Add): void {
  if (from.nodes[who].share !== Share.NONE) add('is denied everything and gets rid of the share', (_, mine) => (mine.share = Share.NONE));
}

function comingBack(from: State, who: Who, rules: Rules, add: Add): void {
  const { share, fence, asksRejoin } = from.nodes[who];
  if (from.fenced === who && fence !== Name.IN_FORCE) add('learns that it is fenced', (_, mine) => (mine.fence = Name.IN_FORCE));
  if (from.fenced !== who && fence !== Name.NONE) add('learns that it is not fenced any more', (_, mine) => (mine.fence = Name.NONE));
  if (fence !== Name.NONE && asksRejoin === Name.NONE && (share === Share.NONE || !rules.rejoinHoldingNothing)) {
    add('asks to come back', (_, mine) => (mine.asksRejoin = mine.fence));
  }
}

/** What the server does about a request; the same one may still be on its way then. */
function server(from: State, who: Who, rules: Rules, add: Add): void {
  const { asksFence, asksRejoin } = from.nodes[who];
  const peer = other(who);
  for (const again of [false, true]) {
    const suffix = again ? ', and the same request is on its way once more' : '';
    if (asksFence !== Asked.NOT) {
      add(`is heard to ask for a fence${suffix}`, (state, mine) => {
        if (!again) mine.asksFence = Asked.NOT;
        if (state.fenced === who && rules.refuseFenced) return;
        state.fenced = peer;
        if (state.lock === peer) state.lock = undefined;
        if (mine.life !== Life.OFF && (asksFence === Asked.WITH_THIS_LOCK || !rules.answerForThisLock)) mine.answered = true;
        const { nodes } = state;
        if (rules.names && nodes[peer].fence === Name.IN_FORCE) nodes[peer].fence = Name.OLD;
        if (rules.names && nodes[peer].asksRejoin === Name.IN_FORCE) nodes[peer].asksRejoin = Name.OLD;
      });
    }
    if (asksRejoin !== Name.NONE) {
      add(`is heard to ask to come back${suffix}`, (state, mine) => {
        if (!again) mine.asksRejoin = Name.NONE;
        if (state.fenced !== who || asksRejoin === Name.OLD) return;
        state.fenced = undefined;
        if (!rules.names) return;
        if (mine.fence === Name.IN_FORCE) mine.fence = Name.OLD;
        if (mine.asksRejoin === Name.IN_FORCE) mine.asksRejoin = Name.OLD;
      });
    }
  }
}
