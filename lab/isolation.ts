import type { Entry } from './history';
import type { NodeName } from './machines';

/** What the clocks of the host and of a node may be apart, and a line of the journal be late. */
const APART = 2;

const ISOLATED = /-> ISOLATED\b/;
const REBOOTS = /; rebooting at once$/;
/** Without an isolation: the services are stopped, and all that they wrote is there. */
const LET_GO = /^let go of the lock on the share$/;
const BY_ITS_CLOCK = /^isolation: nothing of the share is held here any more, after (\d+) s of (\d+)$/;

/** systemd's word for it that the kernel holds nothing of the share any more: the isolation comes to no other end. */
const isIsolated = ({ about, text }: Entry): boolean => about === 'nim-ha-isolate.service' && /^Finished /.test(text);

/**
 * Whether a node that was cut off from the share while it held the lock could write nothing there any more when the lease ended: from then on
 * another one may. A frozen node is none of these, for it can do nothing.
 *
 * @param since when it was cut off at the latest; milliseconds of the host's clock
 * @param lease seconds
 * @returns what is wrong
 */
export function isolationOf(node: NodeName, since: number, lease: number, journal: readonly Entry[]): string[] {
  const said = journal.filter((entry) => entry.node === node).sort((one, other) => one.at - other.at);
  const ours = said.filter(({ about }) => about === 'nim-ha');
  // Where calls are aborted the lock is let go of, too, and what is pending elsewhere may not be at its end.
  const begun = ours.find(({ text }) => ISOLATED.test(text))?.at ?? Infinity;
  const end = said.find((entry) => isIsolated(entry) || (entry.about === 'nim-ha' && (REBOOTS.test(entry.text) || (LET_GO.test(entry.text) && entry.at < begun))));
  const seconds = end && (end.at - since) / 1000;
  const late = ours.filter(({ text }) => {
    const [, after, of] = BY_ITS_CLOCK.exec(text) ?? [];
    return Number(after) >= Number(of);
  });
  return [
    ...(seconds === undefined ? [`${node} does not say that it has let go of the share, though it was cut off from it for longer than the lease`] : []),
    ...(seconds !== undefined && seconds > lease + APART ? [`${node} let go of the share ${seconds.toFixed(1)} s after it was cut off from it, and the lease is ${lease} s`] : []),
    ...late.map(({ text }) => `${node}, by its own clock: ${text}`),
  ];
}
