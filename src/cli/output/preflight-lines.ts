import type { PreflightDocument } from '../documents.ts';
import { cleanText, wrap } from './clean-text.ts';
import { styleOfState } from './job-texts.ts';
import { documentLines } from './problem-lines.ts';
import type { Screen } from './screen.ts';
import { printTable } from './table.ts';

/** Shows the checks of a preflight, with remedies and fixes. */
export function printPreflight(screen: Screen, { verdict, checks }: PreflightDocument): void {
  if (!screen.isTerminal) {
    printTable(screen, checks, [
      { title: 'VERDICT', text: (check) => check.verdict },
      { title: 'CHECK', text: ({ name }) => name },
      { title: 'DETAIL', text: ({ detail }) => detail },
      { title: 'REMEDY', text: ({ remedy = '' }) => remedy },
    ]);
    return;
  }
  const names = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(9 + names + 2);
  for (const { name, verdict, detail, remedy, fix } of checks) {
    const head = verdict.padEnd(9);
    const style = styleOfState(verdict);
    const texts = [detail, ...(remedy === undefined ? [] : [`Remedy: ${remedy}`])];
    const lines = texts.flatMap((text) => wrap(cleanText(text), screen.columns() - indent.length));
    screen.print(
      `${style ? screen.style(style, head) : head}${name.padEnd(names)}  ${lines[0]}`,
      ...lines.slice(1).map((line) => indent + line),
      ...(fix === undefined
        ? []
        : ['', `Fix of ${name}:`, ...documentLines(fix).map(cleanText), '']),
    );
  }
  screen.print('', `Verdict: ${verdict}`);
}
