import { describe, expect, test } from 'vitest';

import { addWaiver } from '#archives/store/requests/add-waiver.ts';
import { approvalOf } from '../../export-jobs/caller-requests.ts';
import { endJob } from './end-job.ts';
import { dayMs, hourMs, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;

describe.each(['sqlite', 'postgres'] as const)(
  'a unit that is wanted in part, on %s',
  (backend) => {
    test('keeps the archive current until its parts are due with the unit after a waiver', async () => {
      await using kept = await openKeptArchives({ backend });
      kept.seed('/app/a');
      const fromAt = start - dayMs;
      const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt });
      await kept.look();
      kept.advance(9 * hourMs);
      const time = { fromAt: fromAt + 5.5 * hourMs, toAt: fromAt + 7 * hourMs };
      const waiver = { logGroupName: '/app/a', ...time, reason: 'not needed' };
      await addWaiver(kept.database, id, waiver, approvalOf('ann'));
      await kept.look();
      const waived = await kept.summary(id);
      const early = await kept.waiting();

      kept.advance(3 * hourMs);
      await kept.look();
      const due = await kept.summary(id);
      const jobs = await kept.waiting();
      kept.advance(hourMs + minuteMs);
      await kept.look();

      expect(waived).toMatchObject({ state: 'current', partitions: { open: 3, waiting: 0 } });
      expect(early).toEqual([]);
      expect(due).toMatchObject({ state: 'current', partitions: { open: 1, waiting: 2 } });
      expect(jobs).toMatchObject([
        { day: -1, days: 5.5 / 24 },
        { day: -17 / 24, days: 17 / 24 },
      ]);
      expect(await kept.summary(id)).toMatchObject({ state: 'behind' });
    });

    test('waits for the end of its archive, then is exported as a part of the unit', async () => {
      await using kept = await openKeptArchives({ backend });
      kept.seed('/app/a');
      const fromAt = start - dayMs;
      const toAt = fromAt + 6 * hourMs;
      const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt, toAt });
      await kept.look();
      const early = await kept.summary(id);

      kept.advance(12 * hourMs);
      await kept.look();
      const [job] = await kept.waiting();
      await endJob(kept.database, job?.jobId ?? '', { outcome: 'covered' });
      await kept.look();

      expect(early).toMatchObject({ state: 'current', partitions: { open: 1, waiting: 0 } });
      expect(job).toMatchObject({ day: -1, days: 6 / 24 });
      expect(await kept.summary(id)).toMatchObject({ state: 'current', watermarkAt: toAt });
    });
  },
);
