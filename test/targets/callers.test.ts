import { describe, expect, test } from 'vitest';

import { as, callersBy } from '../access.ts';
import { jobOf } from '../export-jobs/callers.ts';
import { bringTo, homes } from '../export-jobs/homes.ts';
import { putAttempt, putJob } from '../export-jobs/rows.ts';
import { openWorld, order, type World } from '../world.ts';

const targets = [
  { name: 'default', region: 'eu-west-1' },
  { name: 'hidden', region: 'us-east-1' },
];

/** Ann knows one target and her own; the operator may see everything there. */
const access = callersBy(({ subject }, { action, resource, context }) => {
  if (resource.target.name === 'hidden') return false;
  return subject === 'operator' || action === 'ReadTarget' || context?.isOwn === true;
});

const show = (world: World, name: string, path = '/targets/default') =>
  world.call('GET', path, undefined, as(name));

test('the list has the targets its caller may see', async () => {
  await using world = await openWorld({ access, targets });

  const { body } = await show(world, 'ann', '/targets');

  expect(body.targets.map(({ name }: { name: string }) => name)).toEqual(['default']);
});

test('a target its caller may not see is 403 not-permitted', async () => {
  await using world = await openWorld({ access, targets });

  const { status, body } = await show(world, 'ann', '/targets/hidden');

  expect([status, body.type]).toEqual([403, '/problems/not-permitted']);
});

describe('a task of somebody else in the slot', () => {
  test('is told without its names, and with them to who may see it', async () => {
    const rule = callersBy(
      ({ subject }, { action }) => subject === 'operator' || action === 'ReadTarget',
    );
    await using world = await openWorld({ access: rule, emulator: { runningMs: 3_600_000 } });
    const task = { ...order, taskName: 'by-hand' };
    const { body } = await world.call('POST', '/export-tasks', task, as('operator'));

    const ann = await show(world, 'ann');
    const operator = await show(world, 'operator');

    const seen = { since: expect.any(String), seenAt: expect.any(String) };
    expect(ann.body.slot).toEqual({ state: 'foreign', ...seen });
    expect(operator.body.slot).toEqual({
      ...{ state: 'foreign', taskId: body.taskId, taskName: 'by-hand', logGroupName: '/app' },
      ...seen,
    });
  });
});

describe.each(homes)('a slot and its line on %s', (_name, openHome) => {
  test('are told to their own caller with names, to others without', async () => {
    await using world = await openWorld({ access, jobs: await openHome() });
    const { database } = world;
    const jobId = await putJob(database, {
      caller: 'test#ann',
      slices: [{ state: 'running' }, {}],
    });
    await putAttempt(database, { jobId, slice: 0, taskId: 'the-task', submittedAt: 1 });
    for (const caller of ['test#tom', 'test#ben']) await putJob(database, { caller, slices: [{}] });

    const ann = (await show(world, 'ann')).body;
    const tom = (await show(world, 'tom')).body;
    const operator = (await show(world, 'operator')).body;

    const counts = { priority: 0, waiting: 1, ready: 1 };
    const others = { priority: 0, waiting: 2, ready: 2 };
    expect(ann.slot).toMatchObject({ state: 'ours', jobId, slice: 0, taskId: 'the-task' });
    expect(ann.line.callers).toEqual([{ caller: 'test#ann', ...counts }, others]);
    expect(Object.keys(tom.slot)).toEqual(['state', 'seenAt', 'since']);
    expect(tom.line.callers).toEqual([{ caller: 'test#tom', ...counts }, others]);
    expect(operator.slot).toMatchObject({ jobId });
    expect(operator.line.callers).toEqual(
      ['ann', 'ben', 'tom'].map((name) => ({ caller: `test#${name}`, ...counts })),
    );
  });

  test.for([
    ['is told to who may read it', ['/app'], true],
    ['of which it may read one log group of two is not told of', ['/app', '/other'], false],
  ] as const)('a job in the slot %s', async ([, logGroupNames, isTold]) => {
    const mayReadApp = callersBy(
      (_principal, { action, resource }) =>
        action === 'ReadTarget' || resource.logGroupName === '/app',
    );
    await using world = await openWorld({ access: mayReadApp, jobs: await openHome() });
    const jobId = await jobOf('tom', world.database, { logGroupNames, days: 2 });
    await bringTo(world.database, jobId, 0, 'running');
    await putAttempt(world.database, { jobId, slice: 0, attempt: 1, submittedAt: 1 });

    const { body } = await show(world, 'ann');

    expect(body.slot).toMatchObject({ state: 'ours' });
    expect(body.slot.jobId).toBe(isTold ? jobId : undefined);
  });
});
