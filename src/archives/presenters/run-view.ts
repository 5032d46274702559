import { type Static, Type } from '@sinclair/typebox';

import { countUnits, type PartitionBy } from '#coverage/ledger/units.ts';
import { Count, SliceProblem, showProblem } from '#export-jobs/export-job.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { type PartitionState, partitionStates } from '../archive.ts';
import type { LossCause } from '../partitions/losses.ts';
import type { LogGroupRun } from '../store/reads/read-coverage-page.ts';
import { ShownWaiver } from './waiver-view.ts';

/** A state of partitions, in queries and answers. */
export const PartitionStateName = Type.Unsafe<PartitionState>({
  title: 'PartitionState',
  type: 'string',
  enum: partitionStates,
  description:
    'State of the partitions. `open`: they are not due yet. `waiting`: they are due and wait for their export. `running`: the export is in progress or is being verified. `covered`: they are exported and verified. `missing`: their export failed, somebody cancelled its job, they are older than `catchUpDays`, or the archive ended before their export. `atRisk`: they are not covered, and their log events expire soon: usually within 24 hours, or within 10 % of the retention if that is longer. This state replaces `open` and `waiting`. It also replaces `missing` if the export failed or somebody cancelled its job. `lost`: they can no longer be exported. `waived`: a caller has stated that they need no export.',
  'x-rule': `one of ${partitionStates.join(', ')}`,
});

const causes: readonly LossCause[] = ['retention', 'log-group-deleted'];
const LossCauseName = Type.Unsafe<LossCause>({
  title: 'LossCause',
  type: 'string',
  enum: causes,
  description:
    'The reason why the partitions are lost. `retention`: the log events expired before they were exported. `log-group-deleted`: the log group was deleted. Present if `state` is `lost`.',
});

/** Neighbouring partitions of a log group with one state, as callers see them. */
export type ShownRun = Static<typeof ShownRun>;
export const ShownRun = Type.Object(
  {
    logGroupName: Type.String({ description: 'Name of the log group.' }),
    incarnation: Type.Integer({
      minimum: 1,
      description:
        'Number of the log group: 1, 2, 3, … It grows by one when a log group with this name is deleted and created again.',
    }),
    from: DateTime(
      'Start of the first partition, or `from` of the query if that is later. Inclusive.',
    ),
    to: DateTime('End of the last partition, or `to` of the query if that is earlier. Exclusive.'),
    partitions: Count('Number of partitions.'),
    state: PartitionStateName,
    isEmpty: Type.Optional(
      Type.Boolean({
        description: 'Whether their exports have no objects. Present if `state` is `covered`.',
      }),
    ),
    isFinal: Type.Optional(
      Type.Boolean({
        description:
          'Whether no further export of them is planned, neither because of `refreshDays` nor by a backfill. It is also true if a second export failed for the last time: then `problem` is present. Present if `state` is `covered`.',
      }),
    ),
    cause: Type.Optional(LossCauseName),
    waiver: Type.Optional(ShownWaiver),
    jobId: Type.Optional(
      Type.String({
        description:
          'Id of the export job. Present if the run is one partition whose export is in the queue, is in progress or has failed.',
      }),
    ),
    problem: Type.Optional({
      ...SliceProblem,
      description:
        'The reason why the latest export failed. If `state` is `covered`, this was a second export. Absent if no export failed. Also absent while a newer export waits or runs.',
    }),
    retryAt: Type.Optional(
      DateTime(
        'When the failed export is tried again automatically. Absent if no export failed, or if only a backfill repeats it.',
      ),
    ),
  },
  { title: 'CoverageRun', description: 'Neighbouring partitions of a log group with one state.' },
);

/** Runs for the examples of the API document. */
export const exampleRuns = [
  {
    logGroupName: '/demo/checkout',
    incarnation: 1,
    from: '2024-05-01T00:00:00.000Z',
    to: '2024-05-04T00:00:00.000Z',
    partitions: 3,
    state: 'covered' as const,
    isEmpty: false,
    isFinal: true,
  },
  {
    logGroupName: '/demo/checkout',
    incarnation: 1,
    from: '2024-05-04T00:00:00.000Z',
    to: '2024-05-05T00:00:00.000Z',
    partitions: 1,
    state: 'open' as const,
  },
] satisfies ShownRun[];

/** Shows a run. `waivers` has the waivers of the archive by number. */
export function showRun(
  run: LogGroupRun,
  options: {
    partitionBy: PartitionBy;
    waivers: ReadonlyMap<string, ShownWaiver>;
    /** The public path prefix of all links. */
    basePath: string;
  },
): ShownRun {
  const { partitionBy, waivers, basePath } = options;
  const { logGroupName, incarnation, fromAt, toAt, state, isEmpty, isFinal } = run;
  const { cause, jobId, problem, retryAt } = run;
  const waiver = state === 'waived' ? waivers.get(cause ?? '') : undefined;
  return {
    logGroupName,
    incarnation,
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    partitions: countUnits({ fromAt, toAt }, partitionBy),
    state,
    ...(isEmpty !== undefined && { isEmpty }),
    ...(isFinal !== undefined && { isFinal }),
    ...(state === 'lost' && { cause: cause as LossCause }),
    ...(waiver && { waiver }),
    ...(jobId !== undefined && { jobId }),
    ...(problem !== undefined && { problem: showProblem(problem, basePath) }),
    ...(retryAt !== undefined && { retryAt: toDateTime(retryAt) }),
  };
}
