import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Outcome } from './outcome';
import { progress } from './progress';
import { isLate, rowsOf, type Report } from './report';
import { reportPage } from './report-page';

export const REPORT = path.join(__dirname, 'report');

/** What came of a run so far; its report is whole after every fault, for a run may be ended at any time. */
export class Results {
  public readonly outcomes: Outcome[] = [];
  private readonly broken: string[] = [];
  private page = '';

  /** @param turns how many faults were meant to happen */
  public constructor(
    private readonly directory: string,
    private readonly about: Omit<Report, 'outcomes' | 'skipped' | 'broken'>,
    private readonly turns: number,
  ) {}

  public add(outcome: Outcome): void {
    this.outcomes.push(outcome);
    this.write();
  }

  public breakOff(reason: string): void {
    this.broken.push(reason);
    progress(`FAILED ${reason}`);
    this.write();
  }

  private write(): void {
    const { outcomes, broken } = this;
    this.page = writeReport(this.directory, { ...this.about, skipped: this.turns - outcomes.length, broken, outcomes });
  }

  /** Says what came out. @returns whether all is well; a run in which nothing happened is not */
  public conclude(): boolean {
    const notBegun = this.turns - this.outcomes.length;
    const failed = this.outcomes.filter(({ findings }) => findings.length > 0);
    const lines = [
      ...failed.map(({ fault, active, findings }) => `FAILED ${fault} from ${active}: ${findings.join('; ')}`),
      ...this.broken.map((reason) => `FAILED ${reason}`),
      ...this.outcomes.filter(isLate).map(({ fault, active }) => `over its bound: ${fault} from ${active}`),
      ...(this.page ? [`report: ${path.relative(process.cwd(), this.page)}`] : []),
      `${this.outcomes.length - failed.length} passed, ${failed.length + this.broken.length} failed${notBegun ? `, ${notBegun} not begun` : ''}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return this.outcomes.length > 0 && failed.length === 0 && this.broken.length === 0;
  }
}

/** @returns where the page is */
export function writeReport(directory: string, report: Report): string {
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'report.json'), JSON.stringify({ ...report, table: rowsOf(report.outcomes) }));
  const page = path.join(directory, 'index.html');
  fs.writeFileSync(page, reportPage(report, rowsOf(report.outcomes)));
  return page;
}
