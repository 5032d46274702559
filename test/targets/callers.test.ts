import { describe, expect, test } from 'vitest';

import { recordForeignTask } from '#export-jobs/store/steps/record-foreign-task.ts';
import { makeMarker } from '#targets/marker.ts';
import { as, callersBy } from '../access.ts';
import { accessBy, callerIn, makePolicyFolder } from '../auth/policy-folder.ts';
import { bringTo } from '../export-jobs/accepted-jobs.ts';
import { insertAttempt, insertJob } from '../export-jobs/insert-rows.ts';
import { jobOf } from '../export-jobs/jobs-of-callers.ts';
import { storageBackends } from '../export-jobs/storage-backends.ts';
import { createBody, openWorld, type World } from '../world.ts';

const targets = [
  { name: 'default', region: 'eu-west-1' },
  { name: 'hidden', region: 'us-east-1' },
];

/** Ann may see one target and her own jobs. The operator may see everything there. */
const access = callersBy(({ subject }, { action, resource, context }) => {
  if (resource.target.name === 'hidden') return false;
  return subject === 'operator' || action === 'ReadTarget' || context?.isOwn === true;
});

const show = (world: World, name: string, path = '/targets/default') =>
  world.call('GET', path, undefined, as(name));

test('GET /targets returns the targets the caller may see', async () => {
  await using world = await openWorld({ access, targets });

  const { body } = await show(world, 'ann', '/targets');

  expect(body.targets.map(({ name }: { name: string }) => name)).toEqual(['default']);
});

test('GET /targets/{target} returns 404 target-not-found when the caller may not see the target', async () => {
  await using world = await openWorld({ access, targets });

  const { status, body } = await show(world, 'ann', '/targets/hidden');

  expect([status, body.type]).toEqual([404, '/problems/target-not-found']);
});

describe('a foreign task in the slot', () => {
  test('is shown with its names only to a caller who may see it', async () => {
    const rule = callersBy(
      ({ subject }, { action }) => subject === 'operator' || action === 'ReadTarget',
    );
    await using world = await openWorld({ access: rule, emulator: { runningMs: 3_600_000 } });
    const task = { ...createBody, taskName: 'by-hand' };
    const { body } = await world.call('POST', '/export-tasks', task, as('operator'));

    const ann = await show(world, 'ann');
    const operator = await show(world, 'operator');

    const seen = { since: expect.any(String), seenAt: expect.any(String) };
    expect(ann.body.slot).toEqual({ state: 'foreign', ...seen });
    expect(operator.body.slot).toEqual({
      state: 'foreign',
      taskId: body.taskId,
      taskName: 'by-hand',
      logGroupName: '/app',
      ...seen,
    });
  });
});

describe.each(storageBackends)(
  'a foreign task that a replica has seen, on %s',
  (_name, openStorage) => {
    const now = Date.UTC(2024, 4, 4);
    const since = now - 60_000;
    const callers = { ann: callerIn(['team-a']), operator: callerIn(['operators']) };
    const heldOnly = ['state', 'seenAt', 'since'];

    /** Policies that forbid Ann, and nobody else, tasks of a destination. */
    const makePolicies = (condition: string) =>
      makePolicyFolder({
        'a.cedar': `permit(principal, action, resource);
        forbid(principal in Group::"api-key#team-a", action in Action::"read", resource is LogGroup)
        when { ${condition} };`,
      });

    /** A world whose slot a replica owns. */
    async function openSlot(policyDir: string) {
      const world = await openWorld({
        access: accessBy(policyDir, callers),
        emulator: { runningMs: 3_600_000 },
        jobs: { ...(await openStorage()), clock: () => now },
      });
      const lease = { target: 'default', owner: 'a', fence: 1 };
      const place = { accountId: '123456789012', region: 'eu-west-1' };
      await world.database.queries
        .insertInto('slots')
        .values({ ...lease, ...place, leasedUntil: now + 60_000 })
        .execute();
      return { world, lease };
    }

    test.for([
      ['bucket', 'context has destination && context.destination == "archive"'],
      ['prefix', 'context has destinationPrefix && context.destinationPrefix like "exports/*"'],
    ] as const)('is hidden by a policy that forbids its %s', async ([, condition]) => {
      using policies = makePolicies(condition);
      const { world, lease } = await openSlot(policies.path);
      await using _world = world;
      const created = await world.call('POST', '/export-tasks', createBody, as('operator'));
      const { taskId } = created.body;
      const { logGroupName, destination, destinationPrefix } = createBody;
      const task = { taskId, logGroupName, destination, destinationPrefix, since };
      await recordForeignTask(world.database, lease, task);

      const found = await show(world, 'ann', `/export-tasks/${taskId}`);
      const ann = (await show(world, 'ann')).body.slot;
      const operator = (await show(world, 'operator')).body.slot;

      expect(found.status).toBe(404);
      expect(Object.keys(ann)).toEqual(heldOnly);
      expect(operator).toMatchObject({ state: 'foreign', taskId, logGroupName });
    });

    test('is decided with the account in which it was seen, although the target has moved', async () => {
      using policies = makePolicies('resource.account == "999999999999"');
      const { world, lease } = await openSlot(policies.path);
      await using _world = world;
      const { database } = world;
      await database.queries.updateTable('slots').set({ accountId: '999999999999' }).execute();
      const task = { taskId: 'elsewhere', logGroupName: '/app', destination: 'b', since };
      await recordForeignTask(database, lease, task);

      const ann = (await show(world, 'ann')).body.slot;
      const operator = (await show(world, 'operator')).body.slot;

      expect(Object.keys(ann)).toEqual(heldOnly);
      expect(operator).toMatchObject({ taskId: 'elsewhere' });
    });

    test('is hidden after an older replica recorded it, from callers whose policies use a destination', async () => {
      using policies = makePolicies('context has destination && context.destination == "secret"');
      const { world, lease } = await openSlot(policies.path);
      await using _world = world;
      const { database } = world;
      const before = { taskId: 'before', logGroupName: '/app', destination: 'open', since };
      await recordForeignTask(database, lease, before);
      // As the previous version does: the columns of a destination are not written.
      await database.queries
        .insertInto('foreignTasks')
        .values({ target: 'default', taskId: 'older', beganAt: since, seenUntil: now })
        .execute();
      await database.queries.updateTable('slots').set({ foreignTaskId: 'older' }).execute();

      const ann = (await show(world, 'ann')).body.slot;
      const operator = (await show(world, 'operator')).body.slot;

      expect(Object.keys(ann)).toEqual(heldOnly);
      expect(operator).toMatchObject({ taskId: 'older', logGroupName: '/app' });
    });
  },
);

describe.each(storageBackends)('a slot and its queue on %s', (_name, openStorage) => {
  test('show a caller only to itself', async () => {
    await using world = await openWorld({ access, jobs: await openStorage() });
    const { database } = world;
    const jobId = await insertJob(database, {
      caller: 'test#ann',
      slices: [{ state: 'running' }, {}],
    });
    await insertAttempt(database, { jobId, slice: 0, taskId: 'the-task', submittedAt: 1 });
    for (const caller of ['test#tom', 'test#ben'])
      await insertJob(database, { caller, slices: [{}] });

    const ann = (await show(world, 'ann')).body;
    const tom = (await show(world, 'tom')).body;
    const operator = (await show(world, 'operator')).body;

    const counts = { priority: 0, waiting: 1, ready: 1 };
    const others = { priority: 0, waiting: 2, ready: 2 };
    expect(ann.slot).toMatchObject({ state: 'ours', jobId, slice: 0, taskId: 'the-task' });
    expect(ann.queue.callers).toEqual([{ caller: 'test#ann', ...counts }, others]);
    expect(Object.keys(tom.slot)).toEqual(['state', 'seenAt', 'since']);
    expect(tom.queue.callers).toEqual([{ caller: 'test#tom', ...counts }, others]);
    expect(operator.slot).toMatchObject({ jobId });
    expect(operator.queue.callers).toEqual(
      ['ann', 'ben', 'tom'].map((name) => ({ caller: `test#${name}`, ...counts })),
    );
  });

  test.for([
    ['is shown to a caller who may read it', ['/app'], true],
    ['is hidden from a caller who may read one of its two log groups', ['/app', '/other'], false],
  ] as const)('a job in the slot %s', async ([, logGroupNames, isShown]) => {
    const mayReadApp = callersBy(
      (_principal, { action, resource }) =>
        action === 'ReadTarget' || resource.logGroupName === '/app',
    );
    await using world = await openWorld({ access: mayReadApp, jobs: await openStorage() });
    const jobId = await jobOf('tom', world.database, { logGroupNames, days: 2 });
    await bringTo(world.database, jobId, 0, 'running');
    await insertAttempt(world.database, { jobId, slice: 0, attempt: 1, submittedAt: 1 });

    const { body } = await show(world, 'ann');

    expect(body.slot).toMatchObject({ state: 'ours' });
    expect(body.slot.jobId).toBe(isShown ? jobId : undefined);
  });

  test('a job in the slot with a forbidden log group is hidden even from its own caller', async () => {
    const forbidsOther = callersBy(
      (_principal, { resource }) => resource.logGroupName !== '/other',
    );
    await using world = await openWorld({ access: forbidsOther, jobs: await openStorage() });
    const { database } = world;
    const jobId = await jobOf('tom', database, { logGroupNames: ['/app', '/other'] });
    await bringTo(database, jobId, 0, 'running');
    await insertAttempt(database, { jobId, slice: 0, attempt: 1, submittedAt: 1 });

    for (const name of ['operator', 'tom']) {
      const found = await show(world, name, `/export-jobs/${jobId}`);
      const { slot } = (await show(world, name)).body;

      expect(found.status).toBe(404);
      expect(Object.keys(slot)).toEqual(['state', 'seenAt', 'since']);
    }
  });

  test('callers in the queue are shown to callers that may read all of their jobs there', async () => {
    const forbidsOther = callersBy(
      (_principal, { resource }) => resource.logGroupName !== '/other',
    );
    await using world = await openWorld({ access: forbidsOther, jobs: await openStorage() });
    const { database } = world;
    await jobOf('ann', database, { days: 2 });
    await jobOf('ben', database);
    await jobOf('ben', database, { logGroupNames: ['/app', '/other'] });
    await jobOf('tom', database, { logGroupNames: ['/other'] });

    const { queue } = (await show(world, 'operator')).body;
    const toTom = (await show(world, 'tom')).body.queue;

    expect(queue).toMatchObject({ waiting: 6, ready: 6 });
    expect(queue.callers).toEqual([
      { priority: 0, caller: 'test#ann', waiting: 2, ready: 2 },
      { priority: 0, waiting: 4, ready: 4 },
    ]);
    expect(toTom.callers).toEqual([
      { priority: 0, caller: 'test#ann', waiting: 2, ready: 2 },
      { priority: 0, caller: 'test#tom', waiting: 1, ready: 1 },
      { priority: 0, waiting: 3, ready: 3 },
    ]);
  });

  test('callers beyond the checked part of a long queue are hidden', async () => {
    await using world = await openWorld({
      access: callersBy(() => true),
      jobs: await openStorage(),
    });
    for (let n = 0; n < 250; n += 1) {
      await insertJob(world.database, { caller: n < 150 ? 'test#ann' : 'test#ben', slices: [{}] });
    }

    const { queue } = (await show(world, 'operator')).body;

    expect(queue.callers).toEqual([
      { priority: 0, caller: 'test#ann', waiting: 150, ready: 150 },
      { priority: 0, waiting: 100, ready: 100 },
    ]);
  });
});

describe.each(storageBackends)('the task of a job, on %s', (_name, openStorage) => {
  // May see tasks of any log group, and jobs without log group /other.
  const forbidsOther = callersBy(
    (_principal, { action, resource }) =>
      action !== 'ReadExportJob' || resource.logGroupName !== '/other',
  );

  /** A running task with the marker of a job of two log groups, and the job. */
  async function openTask(logGroupNames: string[]) {
    const emulator = { runningMs: 3_600_000 };
    const world = await openWorld({ access: forbidsOther, jobs: await openStorage(), emulator });
    const jobId = await jobOf('tom', world.database, { logGroupNames });
    const taskName = makeMarker(
      { id: '12345678', secret: 's' },
      { jobId, slice: 0, attempt: 1 },
      '0123456789abcdef',
    );
    const created = await world.call(
      'POST',
      '/export-tasks',
      { ...createBody, taskName },
      as('tom'),
    );
    return { world, taskName, taskId: created.body.taskId as string };
  }

  test.for([
    ['has its name for a caller who may read the job', ['/app'], true],
    ['has no name for a caller who may not', ['/app', '/other'], false],
  ] as const)('%s, in every answer', async ([, logGroupNames, isNamed]) => {
    const { world, taskName, taskId } = await openTask([...logGroupNames]);
    await using _world = world;

    const shown = await show(world, 'ann', `/export-tasks/${taskId}`);
    const listed = await show(world, 'ann', '/export-tasks');
    const refused = await world.call('POST', '/export-tasks', createBody, as('ann'));
    const slot = await show(world, 'ann');
    const cancelled = await world.call(
      'POST',
      `/export-tasks/${taskId}/cancel`,
      undefined,
      as('ann'),
    );

    expect(refused.body.type).toBe('/problems/export-slot-taken');
    const seen = [
      shown.body,
      listed.body.exportTasks[0],
      refused.body.slotHolder,
      slot.body.slot,
      cancelled.body,
    ];
    expect(seen.map((each) => each.taskId)).toEqual(Array(5).fill(taskId));
    expect(seen.map((each) => each.taskName)).toEqual(
      Array(5).fill(isNamed ? taskName : undefined),
    );
    if (!isNamed) {
      for (const { text } of [shown, listed, refused, slot, cancelled]) {
        expect(text).not.toContain(taskName);
      }
    }
  });

  test('has its name only for the caller of the job after the job was deleted', async () => {
    const { world, taskName, taskId } = await openTask(['/app']);
    await using _world = world;
    const [job] = await world.database.queries.selectFrom('jobs').select('id').execute();
    await world.database.transaction(async (queries) => {
      const deleted = { id: job?.id ?? '', caller: 'test#tom', deletedAt: 1, rest: 'id' } as const;
      await queries.insertInto('deletedJobs').values(deleted).execute();
      await queries.deleteFrom('jobs').execute();
    });

    const others = await show(world, 'ann', `/export-tasks/${taskId}`);
    const own = await show(world, 'tom', `/export-tasks/${taskId}`);

    expect(others.text).not.toContain(taskName);
    expect(own.body.taskName).toBe(taskName);
  });
});
