import { describe, expect, test } from 'vitest';

import { startJob } from './end-job.ts';
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
