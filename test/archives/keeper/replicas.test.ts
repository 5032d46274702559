import { expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { endJob } from './end-job.ts';
import { dayMs, hourMs, openKeptArchives, start } from './kept-archives.ts';

test.each(['sqlite', 'postgres'] as const)(
  'covers each partition once while three replicas look and exports end at the same time, on %s',
  async (backend) => {
    await using kept = await openKeptArchives({ backend });
    for (const name of ['a', 'b', 'c', 'd']) kept.seed(`/app/${name}`, { retentionInDays: 30 });
    const archive = { fromAt: start - 6 * dayMs, logGroupNamePrefix: '/app/' };
    const ids = await Promise.all([kept.accept(archive), kept.accept(archive)]);
    const { database } = kept;
    const ended = new Set<string>();
    /** Covers a partition, unless a look withdraws its export at this moment. */
    const covers = (jobId: string) =>
      endJob(database, jobId, { outcome: 'covered' }).then(
        () => true,
        (error) => {
          if (error instanceof Problem) return false;
          throw error;
        },
      );

    for (let round = 0; round < 16; round += 1) {
      kept.advance(round % 5 === 0 ? hourMs : 10_000);
      const jobs = await kept.waiting();
      const work = async () => {
        for (const { jobId } of jobs.slice(0, 6)) if (await covers(jobId)) ended.add(jobId);
      };
      await Promise.all([work(), ...['one', 'two', 'three'].map((owner) => kept.look({ owner }))]);
    }
    kept.advance(hourMs);
    await kept.look();

    expect(kept.log.filter(({ level }) => level !== 'info')).toEqual([]);
    const coverage = await database.queries.selectFrom('coverage').selectAll().execute();
    expect(new Set(coverage.map(({ jobId }) => jobId))).toEqual(ended);
    const windows = coverage.map((row) => `${row.archiveId} ${row.logGroupName} ${row.fromAt}`);
    expect(new Set(windows).size).toBe(windows.length);
    for (const id of ids) {
      const { partitions } = await kept.summary(id);
      expect(partitions).toMatchObject({ waiting: 0, running: 0, missing: 0, lost: 0 });
      expect(coverage.filter(({ archiveId }) => archiveId === id)).toHaveLength(partitions.covered);
    }
    expect(await kept.partitions()).toEqual([]);
  },
);
