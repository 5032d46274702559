import { type Static, Type } from '@sinclair/typebox';
import { examplePreflight, Preflight } from '#targets/preflight/check.ts';
import type { OpenTarget } from '#targets/target.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { Count, jobFacts } from '../export-job.ts';
import type { PlannedJob } from '../planning/plan-job.ts';
import { arrivalsOf, type PlannedSlice } from '../planning/plan-slices.ts';
import { type PrefixTemplate, readPrefixTemplate } from '../planning/prefix-template.ts';
import { warningsOfLogGroups } from '../planning/prefix-warnings.ts';
import type { QueueView } from '../queue/position.ts';
import { exampleJob } from './example-jobs.ts';
import { showEstimate, showFacts } from './show-job.ts';

// Enough to check a plan. All 10,000 slices would be some megabytes.
const maxSlicesShown = 100;

const ShownSlice = Type.Object(
  {
    number: Count('Number of the slice in its job: 0, 1, 2, …'),
    logGroupName: Type.String({ description: 'Name of the log group.' }),
    from: DateTime('Start of the time range of the slice, inclusive.'),
    to: DateTime('End of the time range of the slice, exclusive.'),
    notBeforeAt: Type.Optional(
      DateTime(
        'When the log events of the slice become exportable. The slice would start after that. Absent if it need not wait for them.',
      ),
    ),
    destinationPrefix: Type.String({
      description:
        'Destination prefix of the first attempt. `{jobId}` stays a placeholder, because the job has no id yet.',
    }),
  },
  { title: 'PlannedSlice', description: 'A planned slice: one log group over one interval.' },
);

/** The answer to a dry run. */
export type PlannedExportJob = Static<typeof PlannedExportJob>;
export const PlannedExportJob = Type.Object(
  {
    ...jobFacts,
    logGroupNames: Type.Array(Type.String(), {
      description:
        'Names of the log groups. With `logGroupNamePrefix`, the log groups that exist now.',
    }),
    sliceCount: Count('Number of slices of the job.'),
    slices: Type.Array(ShownSlice, { description: `The first ${maxSlicesShown} slices.` }),
    queue: Type.Object(
      {
        slicesWaiting: Count('Number of waiting slices of all callers at the target.'),
        slicesAhead: Count('Number of slices that would start before the first slice of this job.'),
        estimatedStartAt: Type.Optional(
          DateTime(
            'Estimated start of the first slice. Absent if there is no recent export at the target from which to estimate.',
          ),
        ),
        estimatedEndAt: Type.Optional(
          DateTime(
            'Estimated end of the last slice. Absent if there is no recent export at the target from which to estimate.',
          ),
        ),
      },
      { title: 'QueueEstimate', description: 'The queue that the job would join.' },
    ),
    preflight: Preflight,
  },
  {
    title: 'PlannedExportJob',
    description: 'The plan of a job, as a dry run returns it. Nothing is stored.',
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
        verification: exampleJob.verification,
        destination: exampleJob.destination,
        destinationPrefix: exampleJob.destinationPrefix,
        isUnsettled: false,
        logGroupNames: ['/demo/checkout'],
        sliceCount: 2,
        slices: [
          {
            number: 0,
            logGroupName: '/demo/checkout',
            from: exampleJob.from,
            to: '2024-05-02T00:00:00.000Z',
            destinationPrefix: 'checkout/2024-05-01/{jobId}/1',
          },
          {
            number: 1,
            logGroupName: '/demo/checkout',
            from: '2024-05-02T00:00:00.000Z',
            to: exampleJob.to,
            destinationPrefix: 'checkout/2024-05-02/{jobId}/1',
          },
        ],
        queue: { slicesWaiting: 0, slicesAhead: 0 },
        preflight: examplePreflight,
      },
    ],
  },
);

/** Shows a plan, and the queue that it would join. */
export async function showPlan(
  { job, logGroupNames, slices }: PlannedJob,
  { target, caller, now, queue, preflight }: ShowPlanOptions,
): Promise<PlannedExportJob> {
  const { name } = target;
  const [depth, { slicesAhead, ...estimate }] = await Promise.all([
    queue.depthOf(name),
    queue.estimate(name, arrivalsOf(slices), job.priority, caller),
  ]);
  const { prefixTemplate, timeZone } = job;
  const template = readPrefixTemplate(prefixTemplate, { target, jobId: '{jobId}', timeZone });
  const { warnings = [], ...facts } = showFacts(job, caller, now);
  warnings.push(...warningsOfLogGroups(prefixTemplate, logGroupNames));
  return {
    ...facts,
    ...(warnings.length > 0 && { warnings }),
    logGroupNames: [...logGroupNames],
    sliceCount: slices.length,
    slices: Iterator.from(slices)
      .take(maxSlicesShown)
      .map((slice) => showPlannedSlice(slice, template))
      .toArray(),
    queue: {
      slicesWaiting: depth.reduce((sum, { waiting }) => sum + waiting, 0),
      slicesAhead,
      ...showEstimate(estimate),
    },
    preflight,
  };
}

function showPlannedSlice(
  slice: PlannedSlice,
  template: PrefixTemplate,
): Static<typeof ShownSlice> {
  const { number, logGroupName, fromAt, toAt, notBeforeAt } = slice;
  return {
    number,
    logGroupName,
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    ...(notBeforeAt !== null && { notBeforeAt: toDateTime(notBeforeAt) }),
    destinationPrefix: template.render({ ...slice, attempt: 1 }),
  };
}

/** What showing a plan needs beside the plan. */
interface ShowPlanOptions {
  target: Pick<OpenTarget, 'name' | 'accountId' | 'region'>;
  caller: string;
  now: number;
  queue: QueueView;
  preflight: Preflight;
}
