import { expect, test } from 'vitest';

import { findArchive } from '#archives/store/reads/read-archives.ts';
import { readCoveragePage } from '#archives/store/reads/read-coverage-page.ts';
import { addBackfill } from '#archives/store/requests/add-backfill.ts';
import { approvalOf } from '../../export-jobs/caller-requests.ts';
import { endJob } from './end-job.ts';
import { dayMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const text = 'exports of an archive failed and are not tried again';
const window = { fromAt: start - 4 * dayMs, toAt: start - dayMs };

/** Ends all waiting jobs, and looks. */
async function endAll(kept: KeptArchives, end: Parameters<typeof endJob>[2]): Promise<void> {
  for (const { jobId } of await kept.waiting()) await endJob(kept.database, jobId, end);
  await kept.look();
}

/** The coverage of the archive, in days after `start`. */
async function coverageOf({ database }: KeptArchives, id: string) {
  const archive = await findArchive(database.queries, id);
  if (!archive) throw new Error('there is no archive');
  const query = { window, limit: 100, from: undefined };
  const { runs } = await readCoveragePage(database, archive, query);
  return runs.map(({ fromAt, toAt, state, isFinal, problem, retryAt }) => ({
    from: (fromAt - start) / dayMs,
    to: (toAt - start) / dayMs,
    state,
    isFinal,
    isFailed: problem !== undefined,
    isRetried: retryAt !== undefined,
  }));
}

/** Exports three days, and fails the second export of the day in the middle until it is not tried again. */
async function openFailed(backend: 'sqlite' | 'postgres') {
  const kept = await openKeptArchives({ backend });
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], ...window });
  await kept.look();
  await endAll(kept, { outcome: 'covered' });
  const middle = { fromAt: start - 3 * dayMs, toAt: start - 2 * dayMs };
  const request = { logGroupNames: null, ...middle, order: 'oldest' } as const;
  const backfill = (reprocess: 'all' | 'failed') =>
    addBackfill(kept.database, id, { ...request, reprocess }, approvalOf('ann'));
  await backfill('all');
  await kept.look();
  const shown: Awaited<ReturnType<typeof coverageOf>>[] = [];
  for (let failure = 1; failure <= 4; failure += 1) {
    await endAll(kept, { outcome: 'failed', problem: 'export-failed' });
    shown.push(await coverageOf(kept, id));
    kept.advance(dayMs);
    await kept.look();
  }
  return { kept, id, backfill, shown };
}

const covered = { state: 'covered', isFinal: true, isFailed: false, isRetried: false };
const failed = { state: 'covered', isFailed: true };

test.each(['sqlite', 'postgres'] as const)(
  'a second export that failed for the last time is in the coverage, counted and logged once, on %s',
  async (backend) => {
    const { kept, id, shown } = await openFailed(backend);
    await using _ = kept;

    expect(shown[0]).toEqual([
      { from: -4, to: -3, ...covered },
      { from: -3, to: -2, ...failed, isFinal: false, isRetried: true },
      { from: -2, to: -1, ...covered },
    ]);
    expect(shown[3]).toEqual([
      { from: -4, to: -3, ...covered },
      { from: -3, to: -2, ...failed, isFinal: true, isRetried: false },
      { from: -2, to: -1, ...covered },
    ]);
    expect(await kept.summary(id)).toMatchObject({ failedRepeats: 1, partitions: { covered: 3 } });
    const lines = kept.log.filter((line) => line.text === text);
    expect(lines).toEqual([
      expect.objectContaining({ level: 'warn', archiveId: id, logGroupNames: ['/app/a'] }),
    ]);
  },
);

test('a second export that failed for the last time is repeated when a backfill asks for failed ones', async () => {
  const { kept, id, backfill } = await openFailed('sqlite');
  await using _ = kept;

  await backfill('failed');
  await kept.look();
  const repeated = await kept.waiting();
  await endAll(kept, { outcome: 'covered' });

  expect(repeated).toMatchObject([{ day: -3 }]);
  expect(await kept.summary(id)).toMatchObject({ failedRepeats: 0 });
  expect(await coverageOf(kept, id)).toEqual([{ from: -4, to: -1, ...covered }]);
});

test('a first export that failed for the last time is logged', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const fromAt = start - 2 * dayMs;
  await kept.accept({ logGroupNames: ['/app/a'], fromAt, toAt: start - dayMs });
  await kept.look();

  for (let failure = 1; failure <= 4; failure += 1) {
    expect(kept.log.filter((line) => line.text === text)).toEqual([]);
    await endAll(kept, { outcome: 'failed', problem: 'export-failed' });
    kept.advance(dayMs);
    await kept.look();
  }

  expect(kept.log.filter((line) => line.text === text)).toHaveLength(1);
});
