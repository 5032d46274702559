import { type Static, Type } from '@sinclair/typebox';
import { countUnits, startOf } from '#coverage/ledger/units.ts';
import { Count } from '#export-jobs/export-job.ts';
import { awsLimits } from '#problems/limits.ts';
import { examplePreflight, Preflight } from '#targets/preflight/check.ts';
import type { OpenTarget } from '#targets/target.ts';
import { dayMs } from '#time/durations.ts';
import { firstPrefixOf } from '../planning/first-prefix.ts';
import type { PlannedArchive } from '../planning/plan-archive.ts';
import { archiveFacts, exampleArchive } from './archive-view.ts';
import { showArchiveFacts } from './show-archive.ts';

// Enough to check a plan. All 10,000 names would be megabytes.
const maxNamesShown = 100;

const bases = ['log-groups', 'target', 'assumed'] as const;

const Load = Type.Object(
  {
    exportsPerDay: Type.Number({
      minimum: 0,
      description: 'Number of exports in a day, on average.',
    }),
    secondsPerExport: Type.Number({
      minimum: 0,
      description: 'Expected duration of an export, in seconds.',
    }),
    basis: Type.Unsafe<(typeof bases)[number]>({
      title: 'ArchiveLoadBasis',
      type: 'string',
      enum: bases,
      description:
        'Source of `secondsPerExport`. `log-groups`: the median of the latest exports of these log groups. `target`: the median of the latest exports of the target. `assumed`: the target has no completed export yet.',
    }),
    slotShare: Type.Number({
      minimum: 0,
      description:
        'Share of the time in which these exports keep the slot busy. 1 is all the time.',
    }),
    targetShare: Type.Number({
      minimum: 0,
      description:
        'The same share for all archives of the target together, this one included. More than 1 is rejected unless `allowOverload` is true.',
    }),
  },
  {
    title: 'ArchiveLoad',
    description: 'An estimate of the time that the exports of the archive need in the slot.',
  },
);

/** The answer to a dry run. */
export type PlannedArchiveView = Static<typeof PlannedArchiveView>;
export const PlannedArchiveView = Type.Object(
  {
    ...archiveFacts,
    logGroupCount: Count('Number of its log groups that exist now.'),
    foundLogGroupNames: Type.Array(Type.String(), {
      description: `Names of its log groups that exist now, only the first ${maxNamesShown}. \`logGroupCount\` counts all of them.`,
    }),
    firstDestinationPrefix: Type.String({
      description:
        'Destination prefix of the first export. `{jobId}` stays a placeholder, because the job has no id yet.',
    }),
    duePartitions: Count(
      'Number of partitions since `from` that are already due. Those that are older than `catchUpDays` or have expired do not count.',
    ),
    catchUpSeconds: Type.Number({
      minimum: 0,
      description: 'Expected duration of the exports of the `duePartitions`, in seconds.',
    }),
    load: Load,
    preflight: Preflight,
  },
  {
    title: 'PlannedArchive',
    description: 'The plan of an archive, as a dry run returns it. Nothing is stored.',
    examples: [
      {
        target: exampleArchive.target,
        name: exampleArchive.name,
        caller: exampleArchive.caller,
        logGroupNamePrefix: exampleArchive.logGroupNamePrefix,
        exceptLogGroupNamePrefixes: [],
        partitionBy: 'day',
        from: exampleArchive.from,
        destination: exampleArchive.destination,
        destinationPrefix: exampleArchive.destinationPrefix,
        priority: exampleArchive.priority,
        refreshDays: 0,
        verification: 'objects',
        allowOverload: false,
        logGroupCount: 1,
        foundLogGroupNames: ['/demo/checkout'],
        firstDestinationPrefix: '111122223333/eu-west-1/demo/checkout/2024/05/01/r1/1',
        duePartitions: 3,
        catchUpSeconds: 180,
        load: {
          exportsPerDay: 1,
          secondsPerExport: 60,
          basis: 'assumed',
          slotShare: 0.0007,
          targetShare: 0.0007,
        },
        preflight: examplePreflight,
      },
    ],
  },
);

/** Shows a plan of an archive. */
export function showArchivePlan(
  plan: PlannedArchive,
  options: {
    target: Pick<OpenTarget, 'name' | 'accountId' | 'region'>;
    caller: string;
    now: number;
    preflight: Preflight;
  },
): PlannedArchiveView {
  const { target, caller, now, preflight } = options;
  const { name, definition, logGroups, warnings } = plan;
  const { secondsOfTarget: _seconds, ...load } = plan.load;
  const names = logGroups.map(({ logGroupName }) => logGroupName);
  const duePartitions = countDue(plan, now);
  return {
    ...showArchiveFacts({ target: target.name, name, caller }, definition, warnings),
    logGroupCount: names.length,
    foundLogGroupNames: names.slice(0, maxNamesShown),
    firstDestinationPrefix: firstPrefixOf(plan, target, '{jobId}'),
    duePartitions,
    catchUpSeconds: duePartitions * load.secondsPerExport,
    load,
    preflight,
  };
}

/** Counts the partitions that are due at `now`, and whose log events have not expired. */
function countDue({ definition, logGroups }: PlannedArchive, now: number): number {
  const { partitionBy, fromAt, toAt, catchUpDays } = definition;
  const dueAt = Math.min(toAt ?? Infinity, startOf(now - awsLimits.settlingMs, partitionBy));
  const oldestAt = catchUpDays === null ? 0 : now - catchUpDays * dayMs;
  return logGroups.reduce((sum, { creationTime = 0, retentionInDays }) => {
    const keptSince = retentionInDays === undefined ? 0 : now - retentionInDays * dayMs;
    const window = { fromAt: Math.max(fromAt, creationTime, keptSince, oldestAt), toAt: dueAt };
    return sum + countUnits(window, partitionBy);
  }, 0);
}
