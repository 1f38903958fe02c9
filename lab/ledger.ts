/** What the stand-ins of the proprietary services have left on the share: `SEQ HOST BOOT_ID MONOTONIC_SECONDS` per line. */

const LINE = /^(\d+) (\S+) ([0-9a-f-]{36}) (\d+\.\d+)$/;

export interface Ledger {
  readonly lines: number;
  /** Nodes in the order in which they wrote, one entry per takeover. */
  readonly tenures: readonly string[];
  /** What two writers, a lost, a torn or a replayed write leave behind. Empty: every line is there, once, in order. */
  readonly damage: readonly string[];
}

/** @param text the whole file of one service */
export function readLedger(text: string): Ledger {
  const rows = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const tenures: string[] = [];
  const damage: string[] = [];
  let expected: number | undefined;
  rows.forEach((row, index) => {
    const match = LINE.exec(row);
    if (!match) {
      damage.push(`line ${index + 1} is torn: ${JSON.stringify(row.slice(0, 80))}`);
      return;
    }
    const [, sequence, host, boot] = match;
    if (expected !== undefined && Number(sequence) !== expected) damage.push(`line ${index + 1} of ${host} is number ${sequence}, not ${expected}`);
    expected = Number(sequence) + 1;
    const tenure = `${host} ${boot}`;
    if (tenures[tenures.length - 1] === tenure) return;
    tenures.push(tenure);
  });
  return { lines: rows.length, tenures: tenures.map((tenure) => tenure.split(' ')[0]), damage };
}
