import { cleanText, shorten, widthOf, wrap } from './clean-text.ts';
import type { Screen, TextStyle } from './screen.ts';

/** A column of a table. */
export interface TableColumn<Row> {
  title: string;
  /** The text for a person. */
  text(row: Row): string;
  /** The text for a program. Default: the same. */
  plain?(row: Row): string;
  style?(row: Row): TextStyle | undefined;
  /** Whether a narrow terminal may shorten it. */
  isFlexible?: boolean;
  /** Whether a narrow terminal omits it. */
  isOptional?: boolean;
}

const gap = 2;
// A flexible column is this wide before other columns are shown. Lower: names are cut for columns that matter
// less. Higher: these columns are seldom shown.
const comfortableCells = 16;
const shortestCells = 4; // on a terminal that is too narrow for all

/**
 * Writes rows as a table that fits the terminal, or below each other if it is too narrow for a table. For a program, each row is a line without a header, and tabs
 * separate its cells.
 */
export function printTable<Row>(screen: Screen, rows: Row[], columns: TableColumn<Row>[]): void {
  if (!screen.isTerminal) {
    const lines = rows.map((row) =>
      columns.map(({ plain, text }) => cleanText((plain ?? text)(row))).join('\t'),
    );
    screen.print(...lines);
    return;
  }
  const fitting = fitColumns(rows, columns, screen.columns());
  if (!fitting) {
    for (const row of rows) {
      printFacts(
        screen,
        columns.map(({ title, text }) => [title, text(row) || undefined]),
      );
      screen.print('');
    }
    return;
  }
  const line = (cells: { text: string; width: number; style?: TextStyle | undefined }[]) =>
    cells
      .map(({ text, width, style }, index) => {
        const short = shorten(text, width);
        const styled = style ? screen.style(style, short) : short;
        const isLast = index === cells.length - 1;
        return isLast ? styled : styled + ' '.repeat(width - widthOf(short) + gap);
      })
      .join('')
      .trimEnd();
  screen.print(
    line(fitting.map(({ column, width }) => ({ text: column.title, width, style: 'bold' }))),
    ...rows.map((row) =>
      line(
        fitting.map(({ column, width }) => ({
          text: cleanText(column.text(row)),
          width,
          style: column.style?.(row),
        })),
      ),
    ),
  );
}

/**
 * Omits optional columns, the last first, then shortens flexible ones, until the table fits. Undefined if it
 * cannot fit: ids are never cut, because people copy them.
 */
function fitColumns<Row>(rows: Row[], columns: TableColumn<Row>[], available: number) {
  const sized = columns.map((column) => {
    const texts = [column.title, ...rows.map((row) => cleanText(column.text(row)))];
    return { column, width: Math.max(...texts.map(widthOf)) };
  });
  const total = (all: { width: number }[]) =>
    all.reduce((sum, { width }) => sum + width, gap * (all.length - 1));
  const least = (all: typeof sized) =>
    total(
      all.map(({ column, width }) => ({
        width: column.isFlexible ? Math.min(width, comfortableCells) : width,
      })),
    );
  while (least(sized) > available) {
    const omitted = sized.findLastIndex(({ column }) => column.isOptional);
    if (omitted < 0) break;
    sized.splice(omitted, 1);
  }
  for (let over = total(sized) - available; over > 0; over -= 1) {
    const flexible = sized.filter(
      ({ column, width }) => column.isFlexible && width > shortestCells,
    );
    const [widest] = flexible.sort((one, other) => other.width - one.width);
    if (!widest) break;
    widest.width -= 1;
  }
  return total(sized) > available ? undefined : sized;
}

/** Writes names and values, for a person aligned, and for a program separated by a tab. */
export function printFacts(
  screen: Screen,
  facts: [name: string, value: string | undefined][],
): void {
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const width = Math.max(...known.map(([name]) => name.length));
  screen.print(
    ...known.flatMap(([name, value]) => {
      if (!screen.isTerminal) return `${name}\t${cleanText(value)}`;
      const [first, ...rest] = wrap(cleanText(value), screen.columns() - width - gap);
      const indent = ' '.repeat(width + gap);
      const head = screen.style('bold', name.padEnd(width)) + ' '.repeat(gap);
      return [head + first, ...rest.map((line) => indent + line)];
    }),
  );
}
