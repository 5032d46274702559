import { exportOptions, jobOptions, readJobRequest } from '../../arguments/export-request.ts';
import type { Command } from '../../command.ts';
import { withQuery } from '../../connection/query.ts';
import type { PlanDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import { cleanText } from '../../output/clean-text.ts';
import { printPreflight } from '../../output/preflight-lines.ts';
import type { Screen } from '../../output/screen.ts';
import { printFacts, printTable } from '../../output/table.ts';
import { jsonOption, shortPatience } from '../waiting.ts';

const maxSlicesShown = 10; // on a terminal. More: the checks below scroll away. The API has up to 100.

export const planCommand: Command = {
  usage: '<log group>... --from TIME --to TIME --destination BUCKET',
  description: 'Shows the slices and the checks of a job, without creating it.',
  operands: { min: 0, max: 1_000 },
  options: { ...exportOptions, ...jobOptions, ...jsonOption },
  examples: [
    'log-export plan /demo/checkout --from -8d --to -1d --slice-by day --destination demo-log-archive',
  ],
  async run(given, { surroundings, screen, openClient }) {
    const now = surroundings.now();
    const { target, body, timeRange } = readJobRequest(given, now);
    const client = openClient(shortPatience(now));
    screen.note(`Time range: ${timeRange} (UTC)`);

    const { bytes, document } = await client.send(
      { method: 'POST', path: withQuery('/export-jobs', { target, dryRun: 'true' }), body },
      'sliceCount',
    );

    const plan = document as PlanDocument;
    if (given.isGiven('json')) screen.printDocument(bytes);
    else printPlan(screen, plan);
    return plan.preflight.verdict === 'fail' ? exitCodes.failed : exitCodes.completed;
  },
};

function printPlan(screen: Screen, plan: PlanDocument): void {
  const { queue, slices, sliceCount, warnings = [] } = plan;
  const timeOf = (at: string | undefined) => (at === undefined ? undefined : screen.time(at));
  printFacts(screen, [
    ['Target', plan.target],
    ['Log groups', String(plan.logGroupNames.length)],
    ['Slices', String(sliceCount)],
    ['Destination', `s3://${plan.destination}/${plan.destinationPrefix}`],
    ['Slices ahead', String(queue.slicesAhead)],
    ['Would start', timeOf(queue.estimatedStartAt)],
    ['Would end', timeOf(queue.estimatedEndAt)],
  ]);
  screen.print('');
  const shown = screen.isTerminal ? slices.slice(0, maxSlicesShown) : slices;
  printTable(screen, shown, [
    { title: 'SLICE', text: ({ number }) => String(number) },
    { title: 'FROM', text: ({ from }) => screen.time(from) },
    { title: 'TO', text: ({ to }) => screen.time(to) },
    { title: 'LOG GROUP', text: ({ logGroupName }) => logGroupName, isFlexible: true },
  ]);
  const further = sliceCount - shown.length;
  if (further > 0) screen.note(`There are ${screen.count(further, 'further slice')}.`);
  screen.print('', ...warnings.map(({ detail }) => cleanText(`Warning: ${detail}`)));
  printPreflight(screen, plan.preflight);
}
