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
    'State of the partitions. `open`: they are not due yet. `waiting`: they are due and wait for their export. `running`: the export runs or is verified. `covered`: they are exported and verified. `missing`: the export failed, or they are older than `catchUpDays`. `atRisk`: they are not covered, and their log events expire soon. `lost`: they can no longer be exported. `waived`: a caller has stated that they need no export.',
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
        'Number of the log group among those of this name: 1, or more if it was deleted and created again.',
    }),
    from: DateTime(
      'Start of the first partition, inclusive. With `from` in the query, not before that.',
    ),
    to: DateTime('End of the last partition, exclusive. With `to` in the query, not after that.'),
    partitions: Count('Number of partitions.'),
    state: PartitionStateName,
    isEmpty: Type.Optional(
      Type.Boolean({
        description: 'Whether they have no log events. Present if `state` is `covered`.',
      }),
    ),
    isFinal: Type.Optional(
      Type.Boolean({
        description:
          'Whether they are not exported again: `refreshDays` is over, and no backfill asks for them. Present if `state` is `covered`.',
      }),
    ),
    cause: Type.Optional(LossCauseName),
    waiver: Type.Optional(ShownWaiver),
    jobId: Type.Optional(
      Type.String({
        description: 'Id of the export job of the partition. Absent if there is none.',
      }),
    ),
    problem: Type.Optional({
      ...SliceProblem,
      description: 'The reason why the last export failed. Absent if none did.',
    }),
    retryAt: Type.Optional(
      DateTime('When a failed export is tried again. Absent if it is not, without a backfill.'),
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
