import { problemNameOf } from '../connection/refused-request.ts';
import type { JobDocument } from '../documents.ts';
import { cleanText, wrap } from './clean-text.ts';
import { countSlices, countWithNoun, styleOfState } from './job-texts.ts';
import type { Screen } from './screen.ts';

/** Shows the warnings and failures of a job, each failure with its remedy. */
export function printFailures(screen: Screen, { warnings = [], failures }: JobDocument): void {
  const width = screen.isTerminal ? screen.columns() : Infinity;
  const print = (text: string) => screen.print(...wrap(cleanText(text), width));
  for (const { detail } of warnings) print(`Warning: ${detail}`);
  for (const { slices, problem } of failures) {
    print(`${countWithNoun(slices, 'slice')}: ${problem.title} (${problemNameOf(problem)})`);
    print(`  ${problem.detail}`);
    print(`  Remedy: ${problem.remedy}`);
  }
}

/** Shows how a job has ended. */
export function printOutcome(screen: Screen, job: JobDocument): void {
  const { done, total } = countSlices(job);
  const style = styleOfState(job.state);
  const state = style ? screen.style(style, job.state) : job.state;
  const of = done === total ? countWithNoun(total, 'slice') : `${done} of ${total} slices`;
  screen.print(`Job ${cleanText(job.id)} ${state}: ${of}.`);
  printFailures(screen, job);
  if (job.state === 'failed')
    screen.print(`Export the failed slices again: log-export retry ${cleanText(job.id)}`);
}
