import { describe, expect, test } from 'vitest';

import { openWorld } from '../../world.ts';
import { storageBackends } from '../storage-backends.ts';
import { givenTask } from './given-task.ts';

describe.each(storageBackends)(
  'the views of a task of an AWS client (%s)',
  (_name, openStorage) => {
    test('show every window: as it was sent, and within the years 1970 to 9999', async () => {
      await using world = await openWorld({ jobs: await openStorage() });
      const windows = [
        [1_611_316_574n, 1_642_852_574n, '1970-01-19T15:35:16.574Z', '1970-01-20T00:20:52.575Z'],
        [2n ** 60n, 0n, '9999-12-31T23:59:59.999Z', '1970-01-01T00:00:00.001Z'],
        [0n, 2n ** 63n - 1n, '1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
      ] as const;
      for (const [from, to, shownFrom, shownTo] of windows) {
        const sent = { from, to, taskName: 'a{b', logStreamNamePrefix: 'web' };
        const jobId = await givenTask(world.database, { ...sent, destinationPrefix: 'a//{jobId}' });

        const shown = await world.call('GET', `/export-jobs/${jobId}`);
        const slices = await world.call('GET', `/export-jobs/${jobId}/slices`);
        const page = await world.call('GET', `/ui/jobs/${jobId}`);

        expect(shown.status).toBe(200);
        const { taskParameters, ...job } = shown.body;
        expect(job).toMatchObject({
          name: 'a{b',
          from: shownFrom,
          to: shownTo,
          destinationPrefix: 'a//{jobId}',
          logStreamNamePrefix: 'web',
          sliceBy: 'none',
          state: 'waiting',
        });
        expect(job.warnings).toBeUndefined();
        expect(shown.text).toContain(`"from":${from},"to":${to},`);
        expect(taskParameters).toMatchObject({ logGroupName: '/app', destination: 'archive' });
        expect(slices.body.slices).toMatchObject([{ from: shownFrom, to: shownTo, attempts: [] }]);
        expect(page.status).toBe(200);
        expect(page.text).toContain(`<bdi>${from}</bdi>`);
      }
      expect((await world.call('GET', '/export-jobs')).body.exportJobs).toHaveLength(3);
      expect((await world.call('GET', '/ui/jobs')).status).toBe(200);
      expect((await world.call('GET', '/ui/targets/default')).status).toBe(200);
    });
  },
);
