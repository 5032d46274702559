import { statedLimits } from '#problems/limits.ts';
import type { DeletionStep } from './deletion-step.ts';

/**
 * Deletes the oldest audit entries. Triggers refuse to delete any other: they permit the entries up to the
 * instant in `purge`, which only this transaction sees.
 */
export function deleteAuditEntries(keepMs: number): DeletionStep {
  return async ({ queries, at, maxRows }) => {
    const { upTo } = await queries
      .selectFrom((from) =>
        from
          .selectFrom('auditEntries')
          .select('at')
          .where('at', '<=', at - keepMs)
          .orderBy('at')
          .limit(maxRows)
          .as('oldest'),
      )
      .select(({ fn }) => fn.max<number | null>('at').as('upTo'))
      .executeTakeFirstOrThrow();
    if (upTo === null) return undefined;
    await queries.updateTable('purge').set({ auditDeletableUpTo: upTo }).execute();
    // More than `maxRows` only if entries have the same millisecond.
    const { numDeletedRows } = await queries
      .deleteFrom('auditEntries')
      .where('at', '<=', upTo)
      .executeTakeFirstOrThrow();
    await queries.updateTable('purge').set({ auditDeletableUpTo: 0 }).execute();
    return { auditEntries: Number(numDeletedRows) };
  };
}

/** Deletes what is known of orphaned tasks that were found long ago. The orphan sweep ignores such old tasks. */
export const deleteOrphans: DeletionStep = async ({ queries, at, maxRows }) => {
  const orphans = await queries
    .selectFrom('strays')
    .select('taskId')
    .where('detectedAt', '<=', at - statedLimits.idAfterDeletionMs)
    .limit(maxRows)
    .execute();
  if (orphans.length === 0) return undefined;
  const ids = orphans.map(({ taskId }) => taskId);
  await queries.deleteFrom('strays').where('taskId', 'in', ids).execute();
  return { orphanedTasks: orphans.length };
};
