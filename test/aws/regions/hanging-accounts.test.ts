import { describe, expect, test, vi } from 'vitest';

import { longTimeouts } from '../../aws-timeouts.ts';
import { openWorld, type World } from '../../world.ts';
import { openTargetsOf } from './targets-of-region.ts';

const healthy = '999999999999';
const accountsThatHang = (count: number) =>
  Array.from({ length: count }, (_, index) => String(100_000_000_000 + index));

const openEmulated = () => openWorld({ emulator: { activeTaskLimit: Number.POSITIVE_INFINITY } });

/** From now on, AWS answers no call of these accounts. */
function hang(world: World, operation: string, accounts: string[]): void {
  for (const accountId of accounts) {
    const fault = { operation, accountId, kind: 'silence-before', count: 10_000 } as const;
    world.emulator.faults.add(fault);
  }
}

const silentCalls = (world: World, operation: string) =>
  world.calls(operation).filter(({ status }) => status === 'silence');

/** Makes calls whose end is not awaited. */
function start(count: number, call: () => Promise<unknown>): void {
  for (let started = 0; started < count; started += 1) call().catch(() => {});
}

describe('accounts whose CloudWatch Logs hangs', () => {
  test('have 16 reads and 16 creates in flight, and delay no other account', async () => {
    await using world = await openEmulated();
    const hanging = accountsThatHang(4);
    using opened = openTargetsOf([...hanging, healthy], world);
    for (const target of opened.targets) await target.check();
    hang(world, 'DescribeExportTasks', hanging);
    hang(world, 'CreateExportTask', hanging);
    for (const { logs, create } of opened.targets.slice(0, -1)) {
      start(60, () => logs.describeExportTasks({}));
      start(60, create);
    }
    await world.waitFor(() => silentCalls(world, 'DescribeExportTasks').length >= 4 * 16);
    await world.waitFor(() => silentCalls(world, 'CreateExportTask').length >= 4 * 16);
    const target = opened.targets.at(-1);

    const pages = await Promise.all(
      Array.from({ length: 100 }, () => target?.logs.describeExportTasks({})),
    );
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => target?.create()));

    expect(pages).toHaveLength(100);
    expect(new Set(outcomes.map((result) => result?.outcome))).toEqual(new Set(['accepted']));
    for (const operation of ['DescribeExportTasks', 'CreateExportTask']) {
      expect(silentCalls(world, operation)).toHaveLength(4 * 16);
    }
  });
});

test('a create that gets no place in time is not sent', async () => {
  await using world = await openEmulated();
  const [one = ''] = accountsThatHang(1);
  using opened = openTargetsOf([one], world);
  const [target] = opened.targets;
  await target?.check();
  hang(world, 'CreateExportTask', [one]);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });

  const creates = Array.from({ length: 20 }, () => target?.create());
  await world.waitFor(() => silentCalls(world, 'CreateExportTask').length >= 16);
  vi.advanceTimersByTime(longTimeouts.createMs + longTimeouts.connectMs);
  const outcomes = await Promise.all(creates);
  vi.useRealTimers();

  const ofOutcome = Map.groupBy(outcomes, (result) => result?.outcome);
  expect(ofOutcome.get('unknown')).toHaveLength(16);
  expect(ofOutcome.get('not-sent')).toHaveLength(4);
  expect(world.creates()).toHaveLength(16);
});

describe('accounts whose STS hangs', () => {
  test('have one AssumeRole in flight each, for all of their calls', async () => {
    await using world = await openEmulated();
    const hanging = accountsThatHang(8);
    using opened = openTargetsOf([...hanging, healthy], world);
    hang(world, 'AssumeRole', hanging);
    for (const { logs, check, create, createScoped } of opened.targets.slice(0, -1)) {
      for (const call of [() => logs.describeExportTasks({}), check, create, createScoped]) {
        start(5, call);
      }
    }
    await world.waitFor(() => silentCalls(world, 'AssumeRole').length >= 8);

    const target = opened.targets.at(-1);
    await target?.check();
    await target?.logs.describeExportTasks({});
    const { outcome } = (await target?.createScoped()) ?? {};

    expect(outcome).toBe('accepted');
    expect(silentCalls(world, 'AssumeRole')).toHaveLength(8);
  });

  test('do not delay scoped creates while checks take all of their places', async () => {
    await using world = await openEmulated();
    const hanging = accountsThatHang(30);
    using opened = openTargetsOf([...hanging, healthy], world);
    const target = opened.targets.at(-1);
    await target?.check();
    hang(world, 'AssumeRole', hanging);
    for (const { check } of opened.targets.slice(0, -1)) start(1, check);
    await world.waitFor(() => silentCalls(world, 'AssumeRole').length >= 16);

    const { outcome } = (await target?.createScoped()) ?? {};

    expect(outcome).toBe('accepted');
    expect(silentCalls(world, 'AssumeRole')).toHaveLength(16);
  });

  test('do not delay checks while scoped creates take all of their places', async () => {
    await using world = await openEmulated();
    const hanging = accountsThatHang(30);
    using opened = openTargetsOf([...hanging, healthy], world);
    const creating = opened.targets.slice(0, -1);
    await Promise.all(creating.map(({ check }) => check()));
    hang(world, 'AssumeRole', hanging);
    for (const { createScoped } of creating) start(10, createScoped);
    await world.waitFor(() => silentCalls(world, 'AssumeRole').length >= 16);

    const account = await opened.targets.at(-1)?.check();

    expect(account).toBe(healthy);
    expect(silentCalls(world, 'AssumeRole')).toHaveLength(16);
  });

  test('have four scoped creates in flight', async () => {
    await using world = await openEmulated();
    const [one = ''] = accountsThatHang(1);
    using opened = openTargetsOf([one, healthy], world);
    for (const { check } of opened.targets) await check();
    hang(world, 'AssumeRole', [one]);
    for (const { createScoped } of opened.targets.slice(0, 1)) start(20, createScoped);
    await world.waitFor(() => silentCalls(world, 'AssumeRole').length >= 4);

    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => opened.targets.at(-1)?.createScoped()),
    );

    expect(new Set(outcomes.map((result) => result?.outcome))).toEqual(new Set(['accepted']));
    expect(silentCalls(world, 'AssumeRole')).toHaveLength(4);
  });
});

test('a target that is not used makes no call to STS, however old its session is', async () => {
  let now = Date.UTC(2026, 0, 1);
  await using world = await openWorld({ emulator: { startAt: now } });
  using opened = openTargetsOf([healthy], world, { elapsed: () => now });
  await opened.targets[0]?.check();
  world.emulator.journal.clear();

  for (let minute = 0; minute < 60; minute += 1) {
    now += 60_000;
    await new Promise(setImmediate);
  }
  const whileIdle = world.calls('AssumeRole').length;
  await opened.targets[0]?.logs.describeExportTasks({});

  expect(whileIdle).toBe(0);
  expect(world.calls('AssumeRole')).toHaveLength(1);
});
