import { expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../world.ts';

const emulator = { activeTaskLimit: 9 };
const create = (world: World, taskName: string) =>
  world.call('POST', '/export-tasks', { ...createBody, taskName });

test('the mirror rejects a task name with the marker prefix of this installation', async () => {
  await using world = await openWorld({ jobs: {}, emulator });
  const { queries } = world.database;
  const { id } = await queries.selectFrom('installation').select('id').executeTakeFirstOrThrow();

  const answer = await create(world, `xp1-${id}-5b0c8a4e-0-1-0123456789abcdef`);

  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({
    type: '/problems/invalid-request',
    errors: [
      { in: 'body', pointer: '#/taskName', detail: expect.stringMatching(/use another name/) },
    ],
  });
  expect(world.emulator.exportTasks()).toEqual([]);
});

test('the mirror accepts a task name with the marker prefix of another installation', async () => {
  await using world = await openWorld({ jobs: {}, emulator });

  const answers = [await create(world, 'xp1-00000000-a-0-1-b'), await create(world, 'xp1')];

  expect(answers.map(({ status }) => status)).toEqual([201, 201]);
});

test('the mirror accepts every task name when export jobs are off', async () => {
  await using world = await openWorld();

  expect((await create(world, 'xp1-00000000-a-0-1-b')).status).toBe(201);
});
