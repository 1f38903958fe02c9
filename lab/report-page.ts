import type { Report, Row, Spread } from './report';
import { seconds } from './tables';
import type { Outcome } from './outcome';
import { lanesOf, type Lane, type Span } from './timeline';

const WIDTH = 1000;
const LABELS = 190;
const LANE = 15;

const COLOURS: Record<string, string> = {
  ACTIVE: '#1a7f43',
  STARTING: '#8fce9f',
  WAITING: '#e0b73c',
  DRAINING: '#b9a06a',
  FAILED: '#c0392b',
  ISOLATED: '#7d3c98',
  STANDBY: '#d5d9de',
  MAINTENANCE: '#8899aa',
};

const STYLE = `
body { font: 14px/1.45 sans-serif; margin: 2em auto; max-width: 1060px; color: #222 }
table { border-collapse: collapse; width: 100% } th, td { padding: 3px 8px; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top }
th:first-child, td:first-child { text-align: left } .bad { color: #c0392b; font-weight: bold } .dim { color: #667 }
h2 { margin-top: 2em } svg { width: 100%; height: auto } svg text { font: 10px sans-serif; fill: #222 } pre { white-space: pre-wrap; background: #fbeeee; padding: 8px } pre.expected { background: #fbf5e0 }
`;

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** One page that needs nothing but itself: what was done, how long it took beside what the design promises, and how each went. */
export function reportPage(report: Report, rows: readonly Row[]): string {
  const { timing, outcomes, skipped, broken } = report;
  const failed = outcomes.filter(({ findings }) => findings.length > 0).length;
  const lost = outcomes.flatMap(({ findings }) => findings).filter((finding) => / are lost/.test(finding)).length;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Faults of a pair</title><style>${STYLE}</style>
<h1>Faults of a pair</h1>
<p id="summary">${outcomes.length} faults, <span class="${failed ? 'bad' : ''}">${failed} audits failed</span>, ${lost} with lost data${skipped ? `, ${skipped} not begun for want of time` : ''}.
Profile ${escape(report.profile)}, seed ${report.seed}, machines by ${report.accel === 'kvm' ? 'KVM' : 'software emulation'}.
NFS lease and grace ${timing.lease} s, check every ${timing.checkInterval} s, hold-down ${timing.holdDown} s, VRRP: a leaving master is replaced after ${seconds(timing.skew)} s, a silent one after ${seconds(timing.masterDown)} s;
The bound of writes has in it what the services took to start in that run.</p>
<p class="dim">${escape(report.command)}</p>
${broken.length ? `<pre>${escape(broken.join('\n'))}</pre>` : ''}
<table><thead><tr><th>fault<th>runs<th>failed<th colspan="4">virtual IP away, s: best / average / worst / bound<th colspan="4">no row accepted, s: best / average / worst / bound<th>two holders, s</tr></thead>
<tbody>${rows.map(tableRow).join('\n')}</tbody></table>
${outcomes.map(section).join('\n')}
</html>
`;
}

function tableRow(row: Row): string {
  const spread = ({ best, average, worst }: Spread, bound: number): string =>
    `<td>${seconds(best)}<td>${seconds(average)}<td class="${worst > bound ? 'bad' : ''}">${seconds(worst)}<td class="dim">${seconds(bound)}`;
  return `<tr><td title="${escape(row.what)}">${escape(row.fault)}<td>${row.runs}<td class="${row.failed ? 'bad' : ''}">${row.failed}${spread(row.vip, row.vipBound)}${spread(row.writes, row.writesBound)}<td>${seconds(row.twoHolders)}</tr>`;
}

function section(outcome: Outcome): string {
  const { fault, round, active, what, findings } = outcome;
  const expectedText = outcome.expected.length ? `<pre class="expected">expected by the design:\n${escape(outcome.expected.join('\n'))}</pre>` : '';
  const findingsText = findings.length ? `<pre>${escape(findings.join('\n'))}</pre><details><summary>what the nodes say</summary><pre>${escape(outcome.explanation ?? '')}</pre></details>` : '';
  return `<h2>${escape(fault)} <span class="dim">round ${round}, ${active} active</span></h2>
<p>${escape(what)}. Virtual IP away ${seconds(outcome.vipAway)} s, no row accepted for ${seconds(outcome.writesAway)} s.</p>${findingsText}${expectedText}${drawing(outcome)}`;
}

function drawing(outcome: Outcome): string {
  const window = { from: outcome.from - 3000, to: outcome.until };
  const lanes = lanesOf(outcome, window);
  const height = (lanes.length + 1) * LANE + 40;
  const x = (at: number): number => LABELS + ((Math.min(Math.max(at, window.from), window.to) - window.from) / (window.to - window.from)) * (WIDTH - LABELS);
  const mark = (at: number, label: string): string =>
    `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="14" y2="${height - 22}" stroke="#c0392b" stroke-dasharray="3 3"/><text x="${(x(at) + 3).toFixed(1)}" y="11">${label}</text>`;
  const attempts = outcome.attempts.map(
    ({ until, acknowledged }) => `<rect x="${x(until).toFixed(1)}" y="${20 + lanes.length * LANE}" width="1.5" height="${LANE - 3}" fill="${acknowledged ? '#1a7f43' : '#c0392b'}"/>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="timeline of ${escape(outcome.fault)}">
${lanes.map((lane, index) => drawLane(lane, 20 + index * LANE, x)).join('')}
<text x="0" y="${30 + lanes.length * LANE}">rows: accepted, refused</text>${attempts.join('')}
${mark(outcome.from, 'fault')}${mark(outcome.undone, 'undone')}${ticks(window, x, height)}</svg>`;
}

function drawLane({ name, spans }: Lane, y: number, x: (at: number) => number): string {
  const box = ({ from, to, label }: Span): string => {
    const width = Math.max(1, x(to) - x(from));
    const text = label && width > label.length * 6 ? `<text x="${(x(from) + 2).toFixed(1)}" y="${y + 9}" style="fill:${label === 'STANDBY' ? '#556' : '#fff'}">${escape(label)}</text>` : '';
    return `<rect x="${x(from).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${LANE - 3}" fill="${COLOURS[label] ?? '#4a6fa5'}"><title>${escape(name)} ${escape(label)}</title></rect>${text}`;
  };
  return `<text x="0" y="${y + 10}">${escape(name)}</text>${spans.map(box).join('')}`;
}

function ticks(window: { from: number; to: number }, x: (at: number) => number, height: number): string {
  const total = (window.to - window.from) / 1000;
  const step = [1, 2, 5, 10, 20, 30, 60, 120].find((candidate) => total / candidate <= 12) ?? 300;
  const marks = Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
  return marks.map((second) => `<text x="${x(window.from + second * 1000).toFixed(1)}" y="${height - 6}">${second - 3} s</text>`).join('');
}
