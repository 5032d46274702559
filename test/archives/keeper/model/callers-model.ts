import type { ArchiveDefinition } from '#archives/archive.ts';
import { addBackfill } from '#archives/store/requests/add-backfill.ts';
import { addWaiver } from '#archives/store/requests/add-waiver.ts';
import { changeArchive } from '#archives/store/requests/change-archive.ts';
import { nextStart, type PartitionBy, startOf } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { approvalOf } from '../../../export-jobs/caller-requests.ts';
import type { ModelLogGroup } from './aws-model.ts';
import type { ModelBackfill, ModelWaiver } from './verdict.ts';

/** What the acts of callers need. */
interface CallersOptions {
  database: Database;
  archiveId: string;
  /** The first `from` of the archive. */
  fromAt: number;
  partitionBy: PartitionBy;
  random: () => number;
  now: () => number;
  note: (text: string) => void;
}

const approval = approvalOf('ann');
const at = (ms: number) => new Date(ms).toISOString();

/** Makes the callers of an archive, who use the acts of the API on the database. */
export function makeCallers({
  database,
  archiveId,
  fromAt: begin,
  partitionBy,
  random,
  now,
  note,
}: CallersOptions) {
  const waivers: ModelWaiver[] = [];
  const backfills: ModelBackfill[] = [];
  const unitsBack = (units: number) => {
    let from = startOf(now(), partitionBy);
    for (let unit = 0; unit < units; unit += 1) from = startOf(from - 1, partitionBy);
    return from;
  };

  const readArchive = () =>
    database.queries
      .selectFrom('archives')
      .selectAll()
      .where('id', '=', archiveId)
      .executeTakeFirstOrThrow();

  return {
    waivers,
    backfills,
    readArchive,

    async setPaused(isPaused: boolean): Promise<void> {
      const type = isPaused ? 'archive-paused' : 'archive-resumed';
      const pausedAt = isPaused ? now() : null;
      await changeArchive(database, archiveId, { type, approval, act: () => ({ pausedAt }) });
    },

    async redefine(changed: Partial<ArchiveDefinition>): Promise<void> {
      await changeArchive(database, archiveId, {
        type: 'archive-changed',
        approval,
        act: (_queries, { definition }) => ({
          definition: JSON.stringify({ ...definition, ...changed }),
        }),
      });
      note(`redefined ${JSON.stringify(changed)}`);
    },

    async waive({ logGroupName }: ModelLogGroup): Promise<void> {
      const fromAt = unitsBack(Math.floor(random() * 10));
      const endAt = nextStart(fromAt, partitionBy);
      const quarterMs = (endAt - fromAt) / 4;
      const [first, last] = random() < 0.5 ? [0, 0] : [1, 1 + Math.floor(random() * 2)];
      const window = { fromAt: fromAt + first * quarterMs, toAt: endAt - last * quarterMs };
      const waiver = { logGroupName, ...window, reason: 'not needed' };
      try {
        await addWaiver(database, archiveId, waiver, approval);
        waivers.push(waiver);
        note(`waived ${logGroupName} ${at(window.fromAt)} – ${at(window.toAt)}`);
      } catch (error) {
        if (!(error instanceof Problem)) throw error; // there is nothing to waive
      }
    },

    /** Waives what has no objects and no proof. */
    async waiveUnproven(): Promise<void> {
      const unproven = await database.queries
        .selectFrom('archivePartitions')
        .select(['logGroupName', 'fromAt', 'toAt'])
        .where('state', '=', 'missing')
        .where('problem', 'like', '%export-incomplete%')
        .execute();
      for (const partition of unproven) {
        const waiver = { ...partition, reason: 'it is empty' };
        await addWaiver(database, archiveId, waiver, approval);
        waivers.push(waiver);
        note(`waived ${waiver.logGroupName} ${at(waiver.fromAt)}, which has no proof`);
      }
    },

    /** Exports a time again, or the time before the archive for the first time. */
    async backfill(isAgain: boolean): Promise<void> {
      const fromAt = isAgain
        ? unitsBack(1 + Math.floor(random() * 20))
        : startOf(begin - 1, partitionBy);
      const toAt = nextStart(fromAt, partitionBy);
      const order = random() < 0.5 ? 'oldest' : 'newest';
      const reprocess = isAgain ? 'all' : 'missing';
      const backfill = { logGroupNames: null, fromAt, toAt, reprocess, order } as const;
      await addBackfill(database, archiveId, backfill, approval);
      backfills.push({ fromAt, toAt, isAgain, at: now() });
      note(`backfill of ${reprocess} ${at(fromAt)} – ${at(toAt)}`);
    },

    /** Tries again what failed. */
    async retryFailed(): Promise<void> {
      const window = { fromAt: begin, toAt: startOf(now(), partitionBy) };
      if (window.fromAt >= window.toAt) return;
      const backfill = { logGroupNames: null, reprocess: 'failed', order: 'oldest' } as const;
      await addBackfill(database, archiveId, { ...backfill, ...window }, approval);
    },
  };
}
