import { problemNameOf } from '../connection/refused-request.ts';
import type { Hindrance, JobDocument, ProblemText } from '../documents.ts';
import { cleanText, wrap } from './clean-text.ts';
import { countSlices, styleOfState } from './job-texts.ts';
import { remedyText } from './problem-lines.ts';
import type { Screen } from './screen.ts';

/** Shows the warnings and failures of a job, and why none of its slices runs, each problem with its remedy. */
export function printFailures(
  screen: Screen,
  { warnings = [], failures }: JobDocument,
  hindrance?: Hindrance,
): void {
  const width = screen.isTerminal ? screen.columns() : Infinity;
  const print = (text: string) => screen.print(...wrap(cleanText(text), width));
  for (const { detail } of warnings) print(`Warning: ${detail}`);
  if (hindrance) hindranceLines(screen, hindrance).forEach(print);
  for (const { slices, problem } of failures) {
    for (const line of linesOf(screen, screen.count(slices, 'slice'), problem)) print(line);
  }
}

/** The lines about why no slice of a job runs. */
export const hindranceLines = (screen: Screen, { problem, attemptAt }: Hindrance): string[] =>
  attemptAt === undefined
    ? linesOf(screen, 'Nothing starts', problem)
    : [
        ...linesOf(screen, `Attempt at ${screen.time(attemptAt)}`, problem),
        '  The gateway sends the slice again.',
      ];

const linesOf = ({ commandName }: Screen, what: string, problem: ProblemText) => [
  `${what}: ${problem.title} (${problemNameOf(problem)})`,
  `  ${problem.detail}`,
  `  Remedy: ${remedyText(problem.remedy, commandName)}`,
];

/** Shows how a job has ended. */
export function printOutcome(screen: Screen, job: JobDocument): void {
  const { done, total } = countSlices(job);
  const style = styleOfState(job.state);
  const state = style ? screen.style(style, job.state) : job.state;
  const part = done === total ? '' : `${screen.isTerminal ? done.toLocaleString('en') : done} of `;
  screen.print(`Job ${cleanText(job.id)} ${state}: ${part}${screen.count(total, 'slice')}.`);
  printFailures(screen, job);
  if (job.state === 'failed' && job.links.retry !== undefined)
    screen.print(
      `Export the failed slices again: ${screen.commandName} retry ${cleanText(job.id)}`,
    );
}
