/** What the stand-ins of the proprietary services have left on the share: `SEQ HOST BOOT_ID STARTED MONOTONIC_SECONDS` per line. */

/** Of the proprietary services, by their names. Each writes once a second. */
export const STAND_INS = ['nms-core', 'nms-dpm', 'nms-integrations', 'nms-ingestion'];

const LINE = /^(\d+) (\S+) ([0-9a-f-]{36} \d+\.\d+) (\d+\.\d+)$/;

export interface Ledger {
  readonly lines: readonly string[];
  /** Nodes in the order in which they wrote, one entry per run of the service. */
  readonly tenures: readonly string[];
  /** What two writers, a lost, a torn or a replayed write leave behind. Empty: every line is there, once, in order. */
  readonly damage: readonly string[];
}

/** @param text the whole file of one service */
export function readLedger(text: string): Ledger {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const tenures: string[] = [];
  const damage: string[] = [];
  let expected: number | undefined;
  lines.forEach((line, index) => {
    const match = LINE.exec(line);
    if (!match) {
      damage.push(`line ${index + 1} is torn: ${JSON.stringify(line.slice(0, 80))}`);
      return;
    }
    const [, sequence, host, run] = match;
    if (expected !== undefined && Number(sequence) !== expected) damage.push(`line ${index + 1} of ${host} is number ${sequence}, not ${expected}`);
    expected = Number(sequence) + 1;
    const tenure = `${host} ${run}`;
    if (tenures[tenures.length - 1] === tenure) return;
    // Two that count on from each other's lines keep the numbers in order; but who was followed by another had to be at an end.
    if (tenures.includes(tenure)) damage.push(`line ${index + 1}: ${host} writes on after ${tenures[tenures.length - 1].split(' ')[0]} has begun`);
    tenures.push(tenure);
  });
  return { lines, tenures: tenures.map((tenure) => tenure.split(' ')[0]), damage };
}

/**
 * @param notes what a node has noted of the lines that it has written to this file; its disk may have lost the end in a power cut
 * @returns the lines that were written for good and are not in the file
 */
export function missingFrom({ lines }: Ledger, notes: string): string[] {
  const there = new Set(lines);
  return notes.split('\n').slice(0, -1).filter((line) => LINE.test(line) && !there.has(line));
}
