import { describe, expect, test } from 'vitest';

import { createBody, openWorld, region } from '../world.ts';

describe('POST /export-tasks', () => {
  test('returns 201 with the task id and the Location of the task', async () => {
    await using world = await openWorld();

    const created = await world.call('POST', '/export-tasks', {
      ...createBody,
      taskName: 'nightly',
    });
    const shown = await world.call('GET', created.headers.get('location') ?? '');

    expect(created.status).toBe(201);
    expect(created.body).toEqual({ taskId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(shown.body).toMatchObject({
      ...createBody,
      taskName: 'nightly',
      taskId: created.body.taskId,
    });
  });

  test('sends AWS the members of the body and nothing else', async () => {
    await using world = await openWorld();
    const whole = { ...createBody, taskName: 'nightly', logStreamNamePrefix: 'web/' };

    await world.call('POST', '/export-tasks', whole);

    const [sent] = world.creates();
    expect(sent?.input).toEqual({ ...whole, from: expect.anything(), to: expect.anything() });
  });

  test('keeps 64-bit integers exact in requests and answers', async () => {
    await using world = await openWorld();
    const body = JSON.stringify(createBody)
      .replace(/"from":\d+/, '"from":9007199254740993')
      .replace(/"to":\d+/, '"to":1152921504606846976');

    const created = await world.call('POST', '/export-tasks', body);
    const shown = await world.call('GET', created.headers.get('location') ?? '');
    const listed = await world.call('GET', '/export-tasks');

    expect(world.creates()[0]?.input).toMatchObject({
      from: 9007199254740993n,
      to: 1152921504606846976n,
    });
    for (const { text } of [shown, listed]) {
      expect(text).toContain('"from":9007199254740993,');
      expect(text).toContain('"to":1152921504606846976,');
    }
  });

  test('adds the target to the Location when the request has one', async () => {
    const targets = [
      { name: 'first', region: 'us-east-1' },
      { name: 'second', region },
    ];
    await using world = await openWorld({ targets });

    const created = await world.call('POST', '/export-tasks?target=second', createBody);
    const shown = await world.call('GET', created.headers.get('location') ?? '');
    const elsewhere = await world.call('GET', `/export-tasks/${created.body.taskId}`);

    expect(created.headers.get('location')).toMatch(/\?target=second$/);
    expect(shown.status).toBe(200);
    expect(elsewhere.body.type).toBe('/problems/export-task-not-found');
  });

  test.for([
    ['/to', 'seconds', { from: 1_714_521_600, to: 1_714_607_999 }],
    [
      '/from',
      'microseconds or nanoseconds',
      { from: 1_714_521_600_000_000, to: 1_714_607_999_000_000 },
    ],
    ['/from', 'after to', { from: createBody.to, to: createBody.from }],
    ['/destinationPrefix', '1024 bytes', { destinationPrefix: 'p'.repeat(465) }],
  ] as const)('warns about a probable mistake at %s: %s', async ([pointer, words, change]) => {
    await using world = await openWorld();

    const created = await world.call('POST', '/export-tasks', { ...createBody, ...change });

    expect(created.status).toBe(201);
    expect(created.body.warnings).toEqual([
      { pointer: `#${pointer}`, detail: expect.stringContaining(words) },
    ]);
  });

  test('does not warn about a prefix that always fits', async () => {
    await using world = await openWorld();
    const destinationPrefix = 'p'.repeat(464);

    const created = await world.call('POST', '/export-tasks', { ...createBody, destinationPrefix });

    expect(created.body.warnings).toBeUndefined();
  });

  test.for([
    ['a missing log group', { logGroupName: '/none' }, 404, 'log-group-not-found'],
    ['a missing bucket', { destination: 'none' }, 400, 'destination-not-found'],
  ] as const)('maps %s to a problem', async ([, change, status, slug]) => {
    await using world = await openWorld();

    const answer = await world.call('POST', '/export-tasks', { ...createBody, ...change });

    expect([answer.status, answer.body.type]).toEqual([status, `/problems/${slug}`]);
  });
});

describe('GET /export-tasks', () => {
  test('lists tasks newest first, page by page', async () => {
    await using world = await openWorld();
    const ids = world.emulator.seed.finishedTasks({ region, count: 5 }).reverse();

    const first = await world.call('GET', '/export-tasks?limit=3');
    const token = encodeURIComponent(first.body.nextToken);
    const second = await world.call('GET', `/export-tasks?limit=3&nextToken=${token}`);

    const taskIds = (answer: typeof first) =>
      answer.body.exportTasks.map((t: { taskId: string }) => t.taskId);
    expect([...taskIds(first), ...taskIds(second)]).toEqual(ids);
    expect(second.body.nextToken).toBeUndefined();
  });

  test('filters by status', async () => {
    await using world = await openWorld();
    world.emulator.seed.finishedTasks({ region, count: 2 });
    const taskId = world.emulator.seed.foreignTask({ region, durationMs: 60_000 });

    const running = await world.call('GET', '/export-tasks?statusCode=RUNNING');
    const failed = await world.call('GET', '/export-tasks?statusCode=FAILED');

    expect(running.body.exportTasks).toEqual([expect.objectContaining({ taskId })]);
    expect(failed.body).toEqual({ exportTasks: [] });
  });

  test('returns the error of AWS for an invalid nextToken', async () => {
    await using world = await openWorld();

    const answer = await world.call('GET', '/export-tasks?nextToken=made-up');

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      type: '/problems/invalid-parameter',
      detail: 'AWS says: The specified nextToken is invalid.',
    });
  });

  test('returns the age of the answer in Age', async () => {
    let now = Date.now();
    await using world = await openWorld({ elapsed: () => now });

    const first = await world.call('GET', '/export-tasks');
    now += 900;
    const second = await world.call('GET', '/export-tasks');

    expect([first.headers.get('age'), second.headers.get('age')]).toEqual(['0', '1']);
    expect(world.calls('DescribeExportTasks')).toHaveLength(1);
  });
});

describe('GET /export-tasks/{taskId}', () => {
  test('shows each state of a task until it ends', async () => {
    let now = 0;
    await using world = await openWorld({
      emulator: { startAt: 1_800_000_000_000 },
      elapsed: () => now,
    });
    const created = await world.call('POST', '/export-tasks', createBody);
    const path = `/export-tasks/${created.body.taskId}`;

    const seen = [];
    for (const ms of [0, 100, 200]) {
      world.emulator.clock.advance(ms);
      now += 2_000;
      seen.push((await world.call('GET', path)).body.status);
    }

    expect(seen).toEqual([
      { code: 'PENDING' },
      { code: 'RUNNING', message: 'Started Successfully' },
      { code: 'COMPLETED', message: 'Completed successfully' },
    ]);
  });

  test('returns 404 when AWS returns an empty list', async () => {
    await using world = await openWorld();

    const answer = await world.call('GET', '/export-tasks/no-such-task');

    expect([answer.status, answer.body.type]).toEqual([404, '/problems/export-task-not-found']);
  });

  test('accepts an id with any characters that AWS accepts, percent-encoded', async () => {
    await using world = await openWorld();
    const taskId = `a/b c?d#é${'x'.repeat(503)}`;

    const answer = await world.call('GET', `/export-tasks/${encodeURIComponent(taskId)}`);

    expect(answer.status).toBe(404);
    expect(world.calls('DescribeExportTasks').at(-1)?.input).toEqual({ taskId });
  });
});

describe('POST /export-tasks/{taskId}/cancel', () => {
  const staysPending = { pendingMs: 600_000 };

  test('returns 202 with the current state of the task', async () => {
    await using world = await openWorld({ emulator: { ...staysPending, pendingCancelMs: 60_000 } });
    const { taskId } = (await world.call('POST', '/export-tasks', createBody)).body;

    const answer = await world.call('POST', `/export-tasks/${taskId}/cancel`);

    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ taskId, status: { code: 'PENDING_CANCEL' } });
  });

  test('returns 202 again while the task is being cancelled, also if AWS refuses the repeat', async () => {
    await using world = await openWorld({ emulator: { ...staysPending, pendingCancelMs: 60_000 } });
    const { taskId } = (await world.call('POST', '/export-tasks', createBody)).body;
    const cancel = () => world.call('POST', `/export-tasks/${taskId}/cancel`);

    const [first, second] = [await cancel(), await cancel()];

    expect(world.calls('CancelExportTask').map(({ status }) => status)).toEqual([200, 400]);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body).toEqual(first.body);
  });

  test('returns 409 with the final state when the task has ended', async () => {
    await using world = await openWorld();
    const [taskId] = world.emulator.seed.finishedTasks({ region, count: 1 });

    const answer = await world.call('POST', `/export-tasks/${taskId}/cancel`);

    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({
      type: '/problems/export-task-already-finished',
      exportTask: { taskId, status: { code: 'COMPLETED' } },
    });
  });

  test('returns 404 for a task that AWS does not know', async () => {
    await using world = await openWorld();

    const answer = await world.call('POST', '/export-tasks/no-such-task/cancel');

    expect([answer.status, answer.body.type]).toEqual([404, '/problems/export-task-not-found']);
  });

  test('succeeds when only the answer to the first attempt was lost', async () => {
    await using world = await openWorld({ emulator: { ...staysPending, pendingCancelMs: 0 } });
    const { taskId } = (await world.call('POST', '/export-tasks', createBody)).body;
    world.emulator.faults.add({ operation: 'CancelExportTask', kind: 'reset-after' });

    const answer = await world.call('POST', `/export-tasks/${taskId}/cancel`);

    expect(answer.status).toBe(202);
    expect(answer.body.status.code).toBe('CANCELLED');
    expect(world.calls('CancelExportTask')).toHaveLength(2);
  });

  test('succeeds when AWS cannot describe the task', async () => {
    await using world = await openWorld({ emulator: staysPending });
    const { taskId } = (await world.call('POST', '/export-tasks', createBody)).body;
    const fault = { kind: 'error', status: 500, code: 'InternalFailure', count: 3 } as const;
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...fault });

    const answer = await world.call('POST', `/export-tasks/${taskId}/cancel`);

    expect([answer.status, answer.body]).toEqual([202, { taskId }]);
  });
});

test('the API document has status codes as an enum in queries and as text in answers', async () => {
  await using world = await openWorld();
  const document = JSON.parse(world.app.openapiText());

  const { schemas } = document.components;
  const filter = document.paths['/export-tasks'].get.parameters.find(
    ({ name }: { name: string }) => name === 'statusCode',
  );
  const shown = schemas.ExportTaskStatus.properties.code;

  expect(JSON.stringify(filter)).toContain('ExportTaskStatusCode');
  expect(schemas.ExportTaskStatusCode.enum).toContain('PENDING_CANCEL');
  expect(shown.type).toBe('string');
  expect(shown.enum).toBeUndefined();
  expect(shown.description).toContain('PENDING_CANCEL');
});
