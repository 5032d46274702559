import { type Static, Type } from '@sinclair/typebox';
import type { OpenTarget } from '#targets/target.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { Count, exampleJob, jobFacts } from '../export-job.ts';
import { type PrefixTemplate, readTemplate } from '../planning/destination-prefix.ts';
import type { PlannedSlice } from '../planning/plan.ts';
import type { PlannedJob } from '../planning/plan-job.ts';
import type { QueueView } from '../queue/position.ts';
import { showEstimate, showFacts } from './show-job.ts';

// Enough to see whether it is what was meant; a plan of 10,000 slices would be some megabytes.
const maxSlicesShown = 100;

const ShownSlice = Type.Object(
  {
    number: Count('0, 1, 2, … within the job.'),
    logGroupName: Type.String({ description: 'The log group it would export.' }),
    from: DateTime('Start of its window, inclusive.'),
    to: DateTime('End of its window, exclusive.'),
    notBeforeAt: Type.Optional(
      DateTime('Until when it would wait for its log events to be exportable.'),
    ),
    destinationPrefix: Type.String({
      description: 'Where its first attempt would write; the id of the job is not known yet.',
    }),
  },
  { title: 'PlannedSlice', description: 'One log group × one window, as it would be.' },
);

/** The answer to a dry run. */
export type PlannedExportJob = Static<typeof PlannedExportJob>;
export const PlannedExportJob = Type.Object(
  {
    ...jobFacts,
    logGroupNames: Type.Array(Type.String(), {
      description: 'All log groups it would export; with logGroupNamePrefix those there are now.',
    }),
    sliceCount: Count('How many slices it would have.'),
    slices: Type.Array(ShownSlice, { description: `The first ${maxSlicesShown} of them.` }),
    queue: Type.Object(
      {
        slicesWaiting: Count('Slices of all callers in the queue at the target.'),
        slicesAhead: Count('Slices that would start before its first.'),
        estimatedStartAt: Type.Optional(DateTime('When its first slice would be likely to start.')),
        estimatedEndAt: Type.Optional(
          DateTime('When its last slice would be likely to have ended.'),
        ),
      },
      { title: 'QueueEstimate', description: 'What it would meet in the queue of the target.' },
    ),
  },
  {
    title: 'PlannedExportJob',
    description: 'With dryRun: the job as it would be. Nothing is kept.',
    examples: [
      {
        target: exampleJob.target,
        name: exampleJob.name,
        caller: exampleJob.caller,
        priority: 0,
        from: exampleJob.from,
        to: exampleJob.to,
        sliceBy: 'day',
        timeZone: exampleJob.timeZone,
        destination: exampleJob.destination,
        destinationPrefix: exampleJob.destinationPrefix,
        isUnsettled: false,
        logGroupNames: ['/demo/checkout'],
        sliceCount: 1,
        slices: [],
        queue: { slicesWaiting: 0, slicesAhead: 0 },
      },
    ],
  },
);

/** Shows a plan, and what it would meet in the queue. */
export async function showPlan(
  { job, logGroupNames, slices }: PlannedJob,
  { target, caller, now, queue }: PlanSurroundings,
): Promise<PlannedExportJob> {
  const { name } = target;
  const [depth, { slicesAhead, ...estimate }] = await Promise.all([
    queue.depthOf(name),
    queue.estimate(name, slices.length, job.priority, caller),
  ]);
  const { destinationPrefix: template, timeZone } = job;
  const prefixes = readTemplate(template, { target, jobId: '{jobId}', timeZone });
  return {
    ...showFacts(job, caller, now),
    logGroupNames: [...logGroupNames],
    sliceCount: slices.length,
    slices: Iterator.from(slices)
      .take(maxSlicesShown)
      .map((slice) => showSlice(slice, prefixes))
      .toArray(),
    queue: {
      slicesWaiting: depth.reduce((sum, { waiting }) => sum + waiting, 0),
      slicesAhead,
      ...showEstimate(estimate),
    },
  };
}

function showSlice(slice: PlannedSlice, prefixes: PrefixTemplate): Static<typeof ShownSlice> {
  const { number, logGroupName, fromAt, toAt, notBeforeAt } = slice;
  return {
    number,
    logGroupName,
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    ...(notBeforeAt !== null && { notBeforeAt: toDateTime(notBeforeAt) }),
    destinationPrefix: prefixes.render({ ...slice, attempt: 1 }),
  };
}

/** What a plan is shown with. */
interface PlanSurroundings {
  target: Pick<OpenTarget, 'name' | 'accountId' | 'region'>;
  caller: string;
  now: number;
  queue: QueueView;
}
