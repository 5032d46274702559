import { lockLogGroup, putRange } from '#coverage/ledger/put-range.ts';
import type { LedgerRange } from '#coverage/ledger/splice.ts';
import { recordDone } from '../../store/log-groups/incarnations.ts';
import { keyOf } from '../../store/log-groups/read-ledger.ts';
import { writeAfterJobs } from '../../store/looks/hold-look.ts';
import type { QueuedPartition } from '../../store/partitions/read-queued.ts';
import { shrinkPartition } from '../../store/partitions/write-partitions.ts';
import type { Look } from '../look.ts';
import { announceWithdrawn, withdrawPartitions } from '../queue/withdraw-partitions.ts';
import type { AssessedLogGroup, ReadAssessed } from './assess-log-group.ts';

const lost: Omit<LedgerRange, 'fromAt' | 'toAt'> = {
  state: 'lost',
  isEmpty: 0 as 0 | 1,
  again: null,
  cause: null,
};

/**
 * Corrects what is recorded of log groups, in one transaction. It withdraws exports that must not start as they
 * are. Then it records the time that can no longer be exported, without that of exports that go on.
 * Returns the partitions that stay in the queue.
 */
export async function correctLogGroups(
  look: Look,
  assessed: readonly AssessedLogGroup[],
  inQueue: readonly QueuedPartition[],
  read: ReadAssessed,
): Promise<QueuedPartition[]> {
  const { archive, writer, alerts } = look;
  const { partitionBy } = archive.definition;
  const stale = assessed.flatMap(({ assessment }) => assessment.stale);
  const losing = assessed.filter(({ assessment }) => assessment.losses.length > 0);
  const locked = new Set(losing.map(({ group }) => keyOf(group)));
  const { queued, withdrawn, names } = await writeAfterJobs(
    writer,
    (queries) => withdrawPartitions(look, queries, stale, inQueue),
    async (queries, withdrawal) => {
      for (const { group } of losing) {
        const { archiveId, logGroupName, incarnation } = group;
        await lockLogGroup(queries, { archiveId, logGroupName, incarnation });
      }
      const names = new Map<string, Set<string>>();
      const done: Parameters<typeof recordDone>[2][number][] = [];
      for (const { group, assessment } of await read(queries, withdrawal.queued)) {
        for (const { row, rest } of assessment.shrunk) await shrinkPartition(queries, row, rest);
        const { doneUntilAt } = assessment;
        if (doneUntilAt !== null) done.push({ ...group, doneUntilAt });
        if (!locked.has(keyOf(group))) continue;
        for (const { cause, fromAt, toAt } of assessment.losses) {
          const range: LedgerRange = { ...lost, fromAt, toAt, cause };
          await putRange(queries, { ...group, partitionBy }, range);
          names.set(cause, (names.get(cause) ?? new Set()).add(group.logGroupName));
        }
      }
      await recordDone(queries, archive.id, done);
      return { ...withdrawal, names };
    },
  );
  if (names.size > 0) look.hasLost = true;
  announceWithdrawn(look, withdrawn);
  for (const [cause, logGroupNames] of names) alerts.lost(archive, cause, logGroupNames);
  return queued;
}
