import { expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { as } from '../../access.ts';
import { openWorld } from '../../world.ts';
import { bringTo } from '../accepted-jobs.ts';
import { insertJob } from '../insert-rows.ts';
import { policiesOf } from '../jobs-of-callers.ts';

test('limits the concurrent long polls of each caller separately', async () => {
  const { access } = policiesOf(() => true);
  await using world = await openWorld({ jobs: { maxWatchers: 2 }, access });
  const jobId = await insertJob(world.database);
  const path = `/export-jobs/${jobId}`;
  const wait = (name: string) => world.call('GET', `${path}?wait=30`, undefined, as(name));
  const waiting = [wait('ann'), wait('ann'), wait('bob')];
  await world.waitFor(() => world.waiting() === 3);

  const refused = await wait('ann');
  const read = await world.call('GET', path, undefined, as('ann'));
  await bringTo(world.database, jobId, 0, 'completed');
  world.jobChanged(jobId);
  const answers = await Promise.all(waiting);
  const again = await wait('ann');

  expect([refused.status, refused.body.type]).toEqual([429, '/problems/too-many-watchers']);
  expect(refused.headers.get('retry-after')).toBe('5');
  expect([read, ...answers, again].map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});

test('limits the concurrent long polls of the process', async () => {
  await using world = await openWorld({ jobs: { maxStreams: 1 } });
  const path = `/export-jobs/${await insertJob(world.database)}?wait=30`;
  const waiting = world.call('GET', path);
  await world.waitFor(() => world.waiting() === 1);

  const refused = await world.call('GET', path);
  await world.app.close();

  expect([refused.status, refused.body.type]).toEqual([503, '/problems/too-many-streams']);
  expect((await waiting).status).toBe(200);
});

test('rejects a long poll whose credential is invalid at the end of the wait', async () => {
  const { access } = policiesOf(() => true);
  let isWithdrawn = false;
  await using world = await openWorld({
    jobs: {},
    access(audit) {
      const { authenticate, ...rest } = access(audit);
      const refusal = new Problem('unauthenticated', 'Withdrawn.', { challenges: ['Test'] });
      return {
        ...rest,
        authenticate(request) {
          if (isWithdrawn) throw refusal;
          return authenticate(request);
        },
      };
    },
  });
  const jobId = await insertJob(world.database);
  const waiting = world.call('GET', `/export-jobs/${jobId}?wait=30`, undefined, as('ann'));
  await world.waitFor(() => world.waiting() === 1);

  isWithdrawn = true;
  await bringTo(world.database, jobId, 0, 'completed');
  world.jobChanged(jobId);

  expect((await waiting).status).toBe(401);
});
