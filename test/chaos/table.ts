import type { Scenario, ScenarioReport } from './scenario.ts';

/** A row of the result table. */
export interface TableRow extends ScenarioReport {
  scenario: Scenario;
  title: string;
  seconds: number;
}

const columns: readonly [string, (row: TableRow) => string | number][] = [
  ['scenario', ({ title }) => title],
  ['trials', ({ trials }) => trials],
  ['kills', ({ kills }) => kills],
  ['in starting', ({ hitsInStarting }) => hitsInStarting],
  ['slices', ({ slices }) => slices],
  ['lost', countOf('lost')],
  ['duplicated', countOf('duplicated')],
  ['stuck', countOf('stuck')],
  ['unlawful', countOf('unlawful')],
  ['orphaned tasks', ({ orphans }) => orphans],
  ['unverified creates', ({ unverified }) => unverified],
  ['longest in starting', ({ longestStartMs }) => `${(longestStartMs / 1_000).toFixed(1)} s`],
  ['seconds', ({ seconds }) => seconds.toFixed(0)],
];

function countOf(kind: TableRow['violations'][number]['kind']) {
  return ({ violations }: TableRow) => violations.filter((found) => found.kind === kind).length;
}

/** Writes the result table in Markdown. */
export function writeTable(rows: readonly TableRow[]): string {
  const cells = [
    columns.map(([name]) => name),
    ...rows.map((row) => columns.map(([, read]) => String(read(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  const lines = cells.map((line) =>
    line.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    ),
  );
  const rule = widths.map(
    (width, at) => '-'.repeat(width - (at === 0 ? 0 : 1)) + (at === 0 ? '' : ':'),
  );
  return [lines[0], rule, ...lines.slice(1)]
    .map((line) => `| ${(line ?? []).join(' | ')} |`)
    .join('\n');
}
