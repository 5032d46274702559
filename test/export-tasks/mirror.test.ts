import { expect, test } from 'vitest';

import { openWorld, order } from '../world.ts';

test('creates an export task and shows it', async () => {
  await using world = await openWorld();

  const created = await world.call('POST', '/export-tasks', order);
  const shown = await world.call('GET', created.headers.get('location') ?? '');

  expect(created.status).toBe(201);
  expect(shown.body).toMatchObject({
    ...order,
    taskId: created.body.taskId,
    status: { code: 'PENDING' },
  });
  expect(world.creates()).toHaveLength(1);
});
