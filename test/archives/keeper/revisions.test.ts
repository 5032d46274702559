import { describe, expect, test } from 'vitest';

import { endJob, endStartedJob, startJob } from './end-job.ts';
import { dayMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

/** Pauses an archive, which withdraws its exports, and resumes it. */
async function pauseAndResume(kept: KeptArchives, archiveId: string): Promise<void> {
  await kept.change(archiveId, { pausedAt: kept.now() });
  await kept.look();
  await kept.change(archiveId, { pausedAt: null });
  await kept.look();
}

describe.each(['sqlite', 'postgres'] as const)('a withdrawn export, on %s', (backend) => {
  test.each([
    ['gets a new revision if it was sent to AWS before', true, 2],
    ['keeps its revision if it was never sent', false, 1],
  ])('%s', async (_name, wasSent, revision) => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a');
    const definition = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
    const id = await kept.accept({ logGroupNames: ['/app/a'], ...definition });
    await kept.look();
    const [first] = await kept.waiting();
    if (wasSent) {
      await startJob(kept.database, first?.jobId ?? '');
      await kept.database.queries.updateTable('slices').set({ state: 'waiting' }).execute();
    }

    await pauseAndResume(kept, id);

    const [second] = await kept.waiting();
    expect(second?.jobId).not.toBe(first?.jobId);
    expect(second?.revision).toBe(revision);
  });
});

test.each(['sqlite', 'postgres'] as const)(
  'exports a partition again once, if that export ends during a look, on %s',
  async (backend) => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a');
    const definition = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
    const id = await kept.accept({ logGroupNames: ['/app/a'], ...definition });
    await kept.look();
    await endJob(kept.database, (await kept.waiting())[0]?.jobId ?? '', { outcome: 'covered' });
    await kept.database.queries.updateTable('archiveRanges').set({ again: 'backfill' }).execute();
    await kept.change(id, {});
    await kept.look();
    const [again] = await kept.waiting();
    await startJob(kept.database, again?.jobId ?? '');

    await kept.change(id, {});
    const ends = afterRead(kept, 'gone_at', () =>
      endStartedJob(kept.database, again?.jobId ?? '', { outcome: 'covered' }),
    );
    await kept.look({ database: ends.database });

    expect(ends.hasRun()).toBe(true);
    expect(again?.revision).toBe(2);
    const jobs = await kept.database.queries.selectFrom('jobs').select('revision').execute();
    expect(jobs.map(({ revision }) => revision).sort()).toEqual([1, 2]);
    expect(await kept.ranges()).toMatchObject([{ state: 'covered' }]);
  },
);

/** The database, with an act just after the first read of ranges that names a column. */
function afterRead({ database }: KeptArchives, column: string, act: () => Promise<void>) {
  const reads = new WeakSet<object>();
  let hasRun = false;
  const queries = database.queries.withPlugin({
    transformQuery({ node, queryId }) {
      const text = JSON.stringify(node);
      const isRead = node.kind === 'SelectQueryNode' && text.includes('"archive_ranges"');
      if (isRead && text.includes(`"${column}"`)) reads.add(queryId);
      return node;
    },
    async transformResult({ result, queryId }) {
      if (!hasRun && reads.has(queryId)) {
        hasRun = true;
        await act();
      }
      return result;
    },
  });
  return { database: { ...database, queries }, hasRun: () => hasRun };
}
