/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { rowsOf } from '../../lab/report';
import { writeReport } from '../../lab/results';
import { outcome, T, timing } from '../lab/outcome';

const failed = {
  ...outcome, fault: 'power-cut-active', active: 'node-b', standby: 'node-a', vipAway: 9, writesAway: 40,
  findings: ['3 acknowledged rows are lost: 1, 2, 3'], explanation: '── node-a\nWAITING -> STARTING\n', expected: ['nms-core: line 3 is torn'],
} as const;

let browser: Browser;
let page: Page;
const troubles: string[] = [];

beforeAll(async () => {
  const executablePath = process.env.CHROMIUM ?? (process.env.PATH ?? '').split(':').map((directory) => path.join(directory, 'chromium')).find((file) => fs.existsSync(file));
  browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  page = await browser.newPage();
  page.on('console', (message) => troubles.push(message.text()));
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('request', (request) => void (request.url().startsWith('file:') || troubles.push(request.url())));
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'report-'));
  const file = writeReport(directory, { command: 'npm run lab', seed: 7, profile: 'guide', timing, accel: 'tcg', skipped: 1, broken: [], outcomes: [outcome, failed] });
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(`file://${file}`);
});
afterAll(() => browser?.close());

test('the page needs nothing but itself, and has no trouble', () => {
  expect(troubles).toEqual([]);
});

test('it says what came out, and marks what is beyond its bound', async () => {
  expect(await page.$eval('#summary', (element) => (element as HTMLElement).innerText)).toContain('2 faults, 1 audits failed, 1 with lost data, 1 not begun');
  expect(await page.$$eval('tbody tr', (rows) => rows.length)).toBe(rowsOf([outcome, failed]).length);
  const red = await page.$$eval('tbody .bad', (cells) => cells.map((cell) => [(cell as HTMLElement).innerText, getComputedStyle(cell).color]));
  expect(red).toContainEqual(['9.00', 'rgb(192, 57, 43)']);
  expect(await page.$eval('pre.expected', (element) => (element as HTMLElement).innerText)).toContain('line 3 is torn');
});

test('what the nodes say opens on a click', async () => {
  const shown = (): Promise<boolean> => page.$eval('details pre', (element) => (element as HTMLElement).checkVisibility());
  expect(await shown()).toBe(false);
  await page.click('summary');
  expect(await shown()).toBe(true);
});

test('each timeline is drawn: inside its picture, no label upon another, each span where its time is', async () => {
  const drawings = await page.$$eval('svg', (all) =>
    all.map((svg) => {
      const box = (element: Element) => (({ left, right, top, bottom, width }) => ({ left, right, top, bottom, width }))(element.getBoundingClientRect());
      const labels = [...svg.querySelectorAll('text[x="0"]')].map(box);
      const spans = [...svg.querySelectorAll('rect')].map((rect) => ({ ...box(rect), title: rect.textContent }));
      return { frame: box(svg), labels, spans };
    }),
  );
  expect(drawings).toHaveLength(2);
  for (const { frame, labels, spans } of drawings) {
    expect(frame.width).toBeGreaterThan(800);
    for (const box of [...labels, ...spans]) expect(box.left >= frame.left && box.right <= frame.right + 1 && box.top >= frame.top && box.bottom <= frame.bottom).toBe(true);
    const first = Math.min(...spans.map(({ left }) => left));
    for (const { right } of labels) expect(right).toBeLessThanOrEqual(first);
    labels.slice(1).forEach(({ top }, index) => expect(top).toBeGreaterThanOrEqual(labels[index].bottom - 4));
  }
  const { spans, frame } = drawings[0];
  const active = spans.find(({ title }) => title === 'node-a phase ACTIVE')!;
  // From 3 s before the fault to half a second after it, of 13 s in all.
  const scale = (frame.right - Math.min(...spans.map(({ left }) => left))) / (outcome.until - (T - 3000));
  expect(active.width / scale).toBeCloseTo(3500, -2);
});
