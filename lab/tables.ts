import type { Row, Spread } from './report';
import type { MeasuredFailover } from './failovers';
import type { PairOutputs } from './pair';

/** Text in columns, for a person. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()).join('\n') + '\n';
}

export function nodeTable(outputs: PairOutputs): string {
  const { primary, secondary } = outputs;
  const row = (label: string, of: (node: typeof primary) => unknown): string[] => [label, String(of(primary)), String(of(secondary))];
  const services = Object.keys(primary.observed.services ?? {});
  return columns([
    row('node', (node) => `${node.declared.name} (${node.declared.role})`),
    row('host', (node) => node.declared.host),
    row('reachable', (node) => node.observed.reachable),
    row('phase', (node) => node.observed.phase),
    row('VRRP state', (node) => node.observed.vrrp_state),
    row(`holds ${outputs.virtual_ip}`, (node) => node.observed.holds_virtual_ip),
    row('holds the lock', (node) => node.observed.holds_lock),
    ...services.map((service) => row(service, (node) => node.observed.services[service])),
    ...Object.keys(primary.observed.mounts ?? {}).map((point) => row(point, (node) => node.observed.mounts[point].source ?? 'not mounted')),
    row('as deployed', (node) => node.observed.config_in_sync),
    ['active node', outputs.active_node, ''],
  ]);
}

export function failoverTable(measured: readonly MeasuredFailover[]): string {
  const seconds = (value: number): string => value.toFixed(2);
  return columns([
    ['failover', 'from', 'to', 'VIP away s', 'bound', 'fault to VIP s', 'bound', 'fault to serving s'],
    ...measured.map(({ failover, from, to, away, takeover, serving }) => [
      failover.name, from, to, seconds(away), seconds(failover.awayBound), seconds(takeover), seconds(failover.takeoverBound), serving.toFixed(1),
    ]),
  ]);
}

/** Markdown: what each fault cost, beside what the design promises. */
export function faultTable(rows: readonly Row[]): string {
  const spread = ({ best, average, worst }: Spread): string => `${seconds(best)} / ${seconds(average)} / ${seconds(worst)}`;
  return markdown(
    ['fault', 'runs: from node-a + node-b', 'audits failed', 'over a bound', 'virtual IP away, s: best / average / worst', 'bound', 'no row accepted, s: best / average / worst', 'bound', 'two holders, s'],
    rows.map(({ fault, what, from, failed, late, vip, vipBound, writes, writesBound, twoHolders }) =>
      [`\`${fault}\` ${what}`, `${from['node-a']} + ${from['node-b']}`, failed, late, spread(vip), seconds(vipBound), spread(writes), seconds(writesBound), seconds(twoHolders)],
    ),
  );
}

/** Markdown: what the same faults cost with each of two settings, at worst. */
export function comparisonTable(settings: string, pairs: readonly (readonly [one: Row, other: Row])[]): string {
  const both = (of: (row: Row) => number, pair: readonly [Row, Row]): string => pair.map((row) => seconds(of(row))).join(' / ');
  return markdown(
    [`worst, s: ${settings}`, 'runs', 'virtual IP away', 'no row accepted', 'two holders'],
    pairs.map((pair) => [
      pair[0].what, pair.map(({ runs }) => runs).join(' / '), both(({ vip }) => vip.worst, pair), both(({ writes }) => writes.worst, pair), both(({ twoHolders }) => twoHolders, pair),
    ]),
  );
}

export function seconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}

function markdown(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}
