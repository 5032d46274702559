import { describe, expect, test } from 'vitest';

import type { TargetSettings } from '#targets/target.ts';
import { jobBody } from '../export-jobs/accepted-jobs.ts';
import { createBody, openWorld, region, type World, type WorldOptions } from '../world.ts';

const roleArn = 'arn:aws:iam::210987654321:role/log-export';
const otherRoleArn = 'arn:aws:iam::210987654321:role/log-export-2';
const account = { region, accountId: '210987654321' };

const stateOf = ({ targets }: World, name: string) => targets.look(name)?.state;

/** Opens a world with the targets `default` and `second`, and the log group and bucket of the latter. */
async function openTwo(options: WorldOptions = {}) {
  const world = await openWorld({
    ...options,
    targets: [
      { name: 'default', region },
      { name: 'second', region, roleArn },
    ],
  });
  world.emulator.seed.logGroup({ ...account, logGroupName: '/app' });
  world.emulator.seed.bucket({ ...account, bucket: 'their-archive' });
  const changed: string[] = [];
  world.targets.onChange((name) => changed.push(name));
  return Object.assign(world, {
    changed,
    ready: (name: string) => world.waitFor(() => stateOf(world, name) === 'ready'),
    create: (target: string) =>
      world.call('POST', `/export-tasks?target=${target}`, {
        ...createBody,
        destination: 'their-archive',
      }),
  });
}

describe('a changed configuration of the targets', () => {
  test('adds a target, which is checked and works', async () => {
    await using world = await openTwo();

    world.targets.configure([
      { name: 'default', region },
      { name: 'second', region, roleArn },
      { name: 'third', region: 'us-east-1', roleArn },
    ]);
    const early = await world.call('GET', '/export-tasks?target=third');
    await world.ready('third');
    const later = await world.call('GET', '/export-tasks?target=third');

    expect([early.status, early.body.type]).toEqual([503, '/problems/not-ready']);
    expect(later.status).toBe(200);
    expect(world.changed).toEqual(['third', 'third']);
  });

  test('leaves unchanged targets alone: they are not checked again', async () => {
    await using world = await openTwo();
    const target = world.targets.find('second');

    world.targets.configure([
      { name: 'second', region, roleArn },
      { name: 'default', region },
    ]);

    expect(world.targets.find('second')).toBe(target);
    expect(world.targets.find(undefined).name).toBe('second');
    expect([...world.targets.list()].map(({ name, isDefault }) => [name, isDefault])).toEqual([
      ['second', true],
      ['default', false],
    ]);
    expect(world.emulator.journal.entries()).toEqual([]);
    expect(world.changed).toEqual([]);
  });

  test('goes on with a check that is in flight', async () => {
    await using world = await openWorld({
      targets: [{ name: 'default', region }],
      isCheckAwaited: false,
    });

    world.targets.configure([{ name: 'default', region }]);
    await world.targets.whenReady;

    expect(stateOf(world, 'default')).toBe('ready');
  });

  test('removes a target: callers do not find it, and the dispatcher sees it drain', async () => {
    await using world = await openTwo();
    const worked = world.targets.forDispatcher('second');

    world.targets.configure([{ name: 'default', region }]);
    const answer = await world.create('second');
    const draining = world.targets.forDispatcher('second');
    const page = await draining?.logs.describeExportTasks({});
    world.targets.release('second');

    expect([answer.status, answer.body.type]).toEqual([404, '/problems/target-not-found']);
    expect([draining === worked, worked?.isDraining()]).toEqual([true, true]);
    expect(page?.exportTasks).toEqual([]);
    expect(world.targets.forDispatcher('second')).toBeUndefined();
    expect(world.targets.whyClosed('second')?.detail).toMatch(/was removed from the configuration/);
    expect(world.changed).toEqual(['second', 'second']);
  });

  test('takes back a target that drains, when it is configured again', async () => {
    await using world = await openTwo();
    const worked = world.targets.forDispatcher('second');
    const both = [
      { name: 'default', region },
      { name: 'second', region, roleArn },
    ];

    world.targets.configure([{ name: 'default', region }]);
    world.targets.configure(both);

    expect(world.targets.forDispatcher('second')).toBe(worked);
    expect(worked?.isDraining()).toBe(false);
    expect((await world.create('second')).status).toBe(201);
  });

  test('changes the role of a target at once, also for its current users', async () => {
    await using world = await openTwo();
    const worked = world.targets.forDispatcher('second');

    world.targets.configure([
      { name: 'default', region },
      { name: 'second', region, roleArn: otherRoleArn },
    ]);
    const state = stateOf(world, 'second');
    const meanwhile = await worked?.logs.createExportTask({
      ...createBody,
      destination: 'x',
    } as never);
    await world.ready('second');
    await worked?.logs.describeExportTasks({});

    expect(state).toBe('unchecked');
    expect(meanwhile).toMatchObject({ outcome: 'not-sent', problem: { slug: 'not-ready' } });
    expect(worked?.isDraining()).toBe(false);
    const roles = world
      .calls('AssumeRole')
      .map(({ input }) => (input as { RoleArn: string }).RoleArn);
    expect(roles).toEqual([otherRoleArn]);
  });

  test('drains a target that moves to another account before the dispatcher works it there', async () => {
    await using world = await openTwo();
    const worked = world.targets.forDispatcher('second');

    world.targets.configure([
      { name: 'default', region },
      { name: 'second', region, roleArn: 'arn:aws:iam::333333333333:role/log-export' },
    ]);
    await world.ready('second');
    const draining = world.targets.forDispatcher('second');
    const why = world.targets.whyClosed('second');
    const forCallers = world.targets.find('second');
    world.targets.release('second');
    const moved = world.targets.forDispatcher('second');

    expect([draining, worked?.isDraining()]).toEqual([worked, true]);
    expect(why).toMatchObject({ slug: 'not-ready' });
    expect([worked?.accountId, forCallers.accountId, moved?.accountId]).toEqual([
      '210987654321',
      '333333333333',
      '333333333333',
    ]);
    expect(moved?.isDraining()).toBe(false);
    expect(world.targets.whyClosed('second')).toBeUndefined();
  });

  test('lets only one target use an account and Region after one of them was taken back', async () => {
    await using world = await openWorld({ jobs: {}, targets: [{ name: 'first', region }] });
    world.targets.onChange(() => {}); // so that it drains
    const first = { name: 'first', region };
    const second = { name: 'second', region, accountId: '123456789012' };

    world.targets.configure([second]);
    await world.waitFor(() => stateOf(world, 'second') === 'ready');
    world.targets.configure([first, second]);
    await world.waitFor(() => stateOf(world, 'second') === 'unusable');
    await world.waitFor(() => world.calls('GetCallerIdentity').length === 3); // the last is about the second
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);

    expect(['first', 'second'].map((name) => stateOf(world, name))).toEqual(['ready', 'unusable']);
  });

  test('sees through what runs of a target that was taken back, but leaves its slot to another one', async () => {
    await using world = await openWorld({ jobs: {}, targets: [{ name: 'first', region }] });
    world.targets.onChange(() => {}); // so that it drains
    const first = { name: 'first', region };
    const second = { name: 'second', region, accountId: '123456789012' };
    const worked = world.targets.forDispatcher('first');

    world.targets.configure([second]);
    await world.waitFor(() => stateOf(world, 'second') === 'ready');
    const fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 1_000 } as const;
    world.emulator.faults.add({ operation: 'GetCallerIdentity', ...fault });
    world.targets.configure([second, first]);
    const isDraining = worked?.isDraining();
    const page = await worked?.logs.describeExportTasks({});

    expect(world.targets.forDispatcher('first')).toBe(worked);
    expect([isDraining, page?.exportTasks]).toEqual([true, []]);
    expect([stateOf(world, 'first'), stateOf(world, 'second')]).toEqual(['unchecked', 'ready']);
  });

  test('keeps the slot of a target that was taken back from a new one, also while STS does not answer', async () => {
    await using world = await openWorld({ jobs: {}, targets: [{ name: 'first', region }] });
    world.targets.onChange(() => {}); // so that it drains
    const other = { name: 'other', region: 'us-east-1' };
    const second = { name: 'second', region, accountId: '123456789012' };

    world.targets.configure([other]);
    await world.waitFor(() => stateOf(world, 'other') === 'ready');
    const fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 2 } as const;
    world.emulator.faults.add({ operation: 'GetCallerIdentity', ...fault });
    world.targets.configure([{ name: 'first', region }, second, other]);
    await world.waitFor(() => stateOf(world, 'second') !== 'unchecked');

    expect([stateOf(world, 'first'), stateOf(world, 'second')]).toEqual(['ready', 'unusable']);
  });

  test('opens a misconfigured target once the other one of its account and Region is gone', async () => {
    await using world = await openWorld({
      jobs: {},
      targets: [
        { name: 'first', region },
        { name: 'second', region, accountId: '123456789012' },
      ],
    });
    await world.waitFor(() => stateOf(world, 'second') === 'unusable');

    world.targets.configure([{ name: 'second', region, accountId: '123456789012' }]);
    await world.waitFor(() => stateOf(world, 'second') === 'ready');

    expect(world.targets.find(undefined).name).toBe('second');
  });
});

describe('a waiting job', () => {
  test('says why its target starts nothing: unusable, removed, and nothing once it is ready', async () => {
    await using world = await openTwo({ jobs: {} });
    const both = [
      { name: 'default', region },
      { name: 'second', region, roleArn },
    ];
    const created = await world.call('POST', '/export-jobs?target=second', jobBody);
    const show = async () => (await world.call('GET', created.body.links.self)).body.queue;

    const ready = await show();
    world.targets.configure([{ name: 'default', region }]);
    const removed = await show();
    world.emulator.options.change({ roles: { [otherRoleArn]: { refuses: true } } });
    world.targets.configure([both[0], { ...both[1], roleArn: otherRoleArn }] as TargetSettings[]);
    await world.waitFor(() => stateOf(world, 'second') === 'unusable');
    const unusable = await show();
    world.targets.configure(both);
    await world.ready('second');
    const again = await show();

    expect(created.status).toBe(202);
    expect([ready.position, removed.position]).toEqual([1, 1]);
    expect([ready.problem, again.problem]).toEqual([undefined, undefined]);
    expect(removed.problem).toMatchObject({
      type: '/problems/target-not-found',
      detail: expect.stringContaining('was removed from the configuration'),
      remedy: expect.stringContaining('POST /export-jobs/{jobId}/cancel'),
    });
    expect(unusable.problem.type).toBe('/problems/service-role-unusable');
  });
});

describe('a role that breaks', () => {
  test('closes its target when STS refuses it, and no other, until it is repaired', async () => {
    let now = Date.now();
    await using world = await openTwo({ now: () => now, elapsed: () => now });
    const states = async () => {
      const { body } = await world.call('GET', '/targets');
      return body.targets.map(({ state }: { state: string }) => state);
    };

    world.emulator.options.change({ roles: { [roleArn]: { refuses: true } } });
    now += 16 * 60_000; // its session has ended
    const first = await world.create('second');
    await world.waitFor(() => stateOf(world, 'second') === 'unusable');
    const calls = world.calls('AssumeRole').length;
    const next = await world.create('second');
    const broken = await states();
    const other = await world.call('POST', '/export-tasks', createBody);
    const sts = world.calls('AssumeRole').length;
    world.emulator.options.change({ roles: null });
    world.targets.recheck();
    await world.ready('second');
    const repaired = await world.create('second');

    expect([first.status, next.status, other.status, repaired.status]).toEqual([
      502, 502, 201, 201,
    ]);
    expect(next.body).toMatchObject({
      type: '/problems/service-role-unusable',
      remedy: expect.stringContaining('its trust policy and its external id'),
    });
    expect(broken).toEqual(['ready', 'unusable']);
    expect(sts).toBe(calls);
    expect(world.log.filter(({ target }) => target === 'second').map(({ msg }) => msg)).toEqual([
      'target ready',
      'target unusable, checking it again',
      'target ready',
    ]);
  });

  test('leaves its target ready when STS does not confirm the refusal of one session', async () => {
    let now = Date.now();
    await using world = await openTwo({
      now: () => now,
      elapsed: () => now,
      isSessionScoped: true,
    });
    const { faults } = world.emulator;
    faults.add({ operation: 'AssumeRole', kind: 'error', code: 'AccessDenied', status: 403 });
    const outage = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 2 } as const;
    faults.add({ operation: 'GetCallerIdentity', ...outage });

    const refused = await world.create('second');
    await world.waitFor(() => world.calls('GetCallerIdentity').length === 2);
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    const state = stateOf(world, 'second');
    now += 60_000;
    const later = await world.create('second');

    expect([refused.status, state, later.status]).toEqual([502, 'ready', 201]);
  });

  test('stays ready while STS does not answer', async () => {
    let now = Date.now();
    await using world = await openTwo({ now: () => now, elapsed: () => now });
    const fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 1_000 } as const;
    world.emulator.faults.add({ operation: 'AssumeRole', ...fault });
    now += 16 * 60_000;

    const during = await world.create('second');
    world.emulator.faults.clear();
    now += 1_000;
    const after = await world.create('second');

    expect([during.status, after.status, stateOf(world, 'second')]).toEqual([503, 201, 'ready']);
  });
});
