import { describe, expect, test } from 'vitest';

import { databaseQueries } from '#diagnostics/database-queries.ts';
import { completedTasks, orphanedTasks, sliceEnds } from '#diagnostics/exports.ts';
import { type SlotOccupancy, slotOccupancies } from '#diagnostics/slots.ts';
import type { MeasuredTarget } from '#telemetry/metrics/instruments.ts';
import { type Metrics, type MetricsOptions, openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { readExposition } from './exposition.ts';

const targetsNamed = (count: number, state = 'ready') =>
  Array.from({ length: count }, (_, index) => ({ name: `target-${index}`, state }));

const openSlices = {
  target: 'target-0',
  delayed: 0,
  ready: 0,
  oldestReadyMs: 0,
  active: null as string | null,
  verifying: 0,
  oldestVerificationMs: 0,
  isHeldByOthers: false,
};

function open(
  targets: () => MeasuredTarget[],
  { isPerTarget, elapsed = () => 0 }: Partial<Pick<MetricsOptions, 'isPerTarget' | 'elapsed'>> = {},
) {
  const read = async () => [
    { ...openSlices, delayed: 3, ready: 2, oldestReadyMs: 5_000, active: 'running' },
    { ...openSlices, target: 'target-1', ready: 1, oldestReadyMs: 7_000 },
    { ...openSlices, target: 'removed', verifying: 4, oldestVerificationMs: 9_000 },
  ];
  const jobs = { read, sleep: async () => {}, isDatabaseReady: () => true };
  return openMetrics({ targets, isPerTarget, elapsed, jobs });
}

const scrape = async (metrics: Metrics) => readExposition(await metrics.render());

const noteHolder = (target: string, holder: SlotOccupancy['holder'], foreignMs?: number) =>
  slotOccupancies.publish({ target, holder, foreignMs });

/** The number of targets that have series of their own. */
const targetsIn = async (metrics: Metrics) =>
  new Set((await scrape(metrics)).samples.flatMap(({ labels: { target } }) => target ?? [])).size;

describe('series of single targets', () => {
  test.each([
    [200, undefined, 200],
    [201, undefined, 0],
    [1_000, undefined, 0],
    [1_000, true, 1_000],
    [2, false, 0],
  ])('with %i targets and the option %s are of %i', async (configured, isPerTarget, shown) => {
    const options = isPerTarget === undefined ? {} : { isPerTarget };
    using metrics = open(() => targetsNamed(configured), options);

    expect(await targetsIn(metrics)).toBe(shown);
  });

  test('are absent with more than 200 targets, and the sums are there', async () => {
    using metrics = open(() => [...targetsNamed(200), { name: 'broken', state: 'unusable' }]);
    await metrics.render();
    await new Promise(setImmediate);
    sliceEnds.publish({ target: 'target-0', outcome: 'completed', slices: 2 });
    sliceEnds.publish({ target: 'target-1', outcome: 'completed', slices: 1 });
    noteHolder('target-0', 'us');
    noteHolder('target-1', 'us');

    const { value, names } = await scrape(metrics);

    expect(value('log_export_slices_ended_total', { outcome: 'completed' })).toBe(3);
    expect(value('log_export_slots_held', { holder: 'us' })).toBe(2);
    expect(value('log_export_slices', { state: 'ready' })).toBe(3);
    expect(value('log_export_slices', { state: 'running' })).toBe(1);
    expect(value('log_export_oldest_ready_slice_age_seconds')).toBe(7);
    expect(value('log_export_oldest_verification_age_seconds')).toBe(9);
    expect(value('log_export_targets', { state: 'unusable' })).toBe(1);
    expect(names).toContain('log_export_target_slices');
    expect(value('log_export_target_slices')).toBeUndefined();
  });

  test('follow the configuration: those of a removed target end, and a new one begins at 0', async () => {
    let targets = targetsNamed(2);
    using metrics = open(() => targets);
    const ended = async (target: string) =>
      (await scrape(metrics)).value('log_export_target_slices_ended_total', {
        target,
        outcome: 'failed',
      });
    sliceEnds.publish({ target: 'target-1', outcome: 'failed', slices: 1 });
    const before = await ended('target-1');

    targets = targetsNamed(1);
    const removed = await ended('target-1');
    targets = targetsNamed(3);

    expect([before, removed, await ended('target-1'), await ended('target-2')]).toEqual([
      1,
      undefined,
      0,
      0,
    ]);
  });

  test('forget the failures of a removed target, also if it is configured again', async () => {
    let targets = targetsNamed(2);
    using metrics = open(() => targets);
    const failedAge = async () =>
      (await scrape(metrics)).value('log_export_target_slice_failed_age_seconds', {
        target: 'target-1',
      });
    sliceEnds.publish({ target: 'target-1', outcome: 'failed', slices: 1 });
    const before = await failedAge();

    targets = targetsNamed(1);
    await metrics.render();
    targets = targetsNamed(2);

    expect([before, await failedAge()]).toEqual([0, undefined]);
  });

  test('have the time that a slot was held, up to the scrape', async () => {
    let now = 0;
    using metrics = open(() => targetsNamed(1), { elapsed: () => now });
    const labels = { target: 'target-0', holder: 'others' };
    const seconds = async () =>
      (await scrape(metrics)).value('log_export_target_slot_held_seconds_total', labels);

    noteHolder('target-0', 'others');
    now = 2_000;
    const first = await seconds();
    now = 3_000;
    noteHolder('target-0', undefined);
    now = 9_000;

    expect([first, await seconds()]).toEqual([2, 3]);
  });
});

test('the first scrape of a process has the ages of what happened before it', async () => {
  let now = 0;
  using metrics = open(() => targetsNamed(2), { elapsed: () => now });
  const first = await scrape(metrics);
  sliceEnds.publish({ target: 'target-1', outcome: 'failed', slices: 2 });
  sliceEnds.publish({ target: 'target-0', outcome: 'completed', slices: 1 });
  now += 1_500;
  orphanedTasks.publish({ target: 'target-0' });
  now += 60_000;

  const { value } = await scrape(metrics);

  const [failed, ofTarget, orphan] = [
    'log_export_slice_failed_age_seconds',
    'log_export_target_slice_failed_age_seconds',
    'log_export_orphan_found_age_seconds',
  ] as const;
  expect([failed, ofTarget, orphan].map((name) => first.value(name))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(value(failed)).toBe(61.5);
  expect(value(ofTarget, { target: 'target-1' })).toBe(61.5);
  expect(value(ofTarget, { target: 'target-0' })).toBeUndefined();
  expect(value(orphan)).toBe(60);
});

describe('log_export_database_up', () => {
  test('is 0 for a minute after a refused statement, and while the tables are not ready', async () => {
    let isReady = false;
    let now = 0;
    using metrics = openMetrics({
      targets: () => [],
      elapsed: () => now,
      jobs: { read: async () => [], sleep: async () => {}, isDatabaseReady: () => isReady },
    });
    const isUp = async () => (await scrape(metrics)).value('log_export_database_up');
    const values = [await isUp()];

    isReady = true;
    values.push(await isUp());
    databaseQueries.publish({ durationMs: undefined, isUnavailable: true });
    values.push(await isUp());
    databaseQueries.publish({ durationMs: 1, isUnavailable: false });
    now = 59_000;
    values.push(await isUp());
    now = 60_000;

    expect([...values, await isUp()]).toEqual([0, 1, 0, 0, 1]);
  });
});

describe('the time that slots are idle', () => {
  const isReady = { ...openSlices, ready: 2 };

  /** Scrapes once a minute what the readings find; targets are usable unless it says otherwise. */
  async function idleSeconds(
    minutes: (typeof isReady)[][],
    { count = 1, state = 'ready' }: { count?: number; state?: string } = {},
  ) {
    let now = 0;
    let queues: (typeof isReady)[] = [];
    using metrics = openMetrics({
      targets: () => targetsNamed(count, state),
      elapsed: () => now,
      jobs: { read: async () => queues, sleep: async () => {}, isDatabaseReady: () => true },
    });
    for (const found of minutes) {
      queues = found;
      now += 60_000;
      await metrics.render();
      await new Promise(setImmediate);
    }
    const { value } = await scrape(metrics);
    return [
      value('log_export_slot_idle_seconds'),
      value('log_export_target_slot_idle_seconds', { target: 'target-0' }),
    ];
  }

  test('grows while a slice is ready and the slot is free', async () => {
    expect(await idleSeconds([[], [isReady], [isReady], [isReady]])).toEqual([120, 120]);
  });

  test.each([
    ['a slice runs', [{ ...isReady, active: 'running' }]],
    ['others hold it', [{ ...isReady, isHeldByOthers: true }]],
    ['no slice is ready', [{ ...openSlices, delayed: 3 }]],
    ['the target is not configured', [{ ...isReady, target: 'removed' }]],
  ])('is 0 when %s', async (_case, queues) => {
    expect(await idleSeconds([queues, queues, queues])).toEqual([0, 0]);
  });

  test('is 0 while the target is unusable', async () => {
    const options = { state: 'unusable' };

    expect(await idleSeconds([[isReady], [isReady]], options)).toEqual([0, 0]);
  });

  test('is absent while the last reading is older than two and a half minutes', async () => {
    let now = 0;
    let isAway = false;
    using metrics = openMetrics({
      targets: () => targetsNamed(1),
      elapsed: () => now,
      jobs: {
        read: async () => (isAway ? Promise.reject(new Error('away')) : [isReady]),
        sleep: async () => {},
        isDatabaseReady: () => true,
      },
    });
    const values: (number | undefined)[][] = [];
    for (const minute of [0, 1, 2, 3, 4, 5, 6]) {
      now = minute * 60_000;
      isAway = minute >= 2 && minute <= 4;
      const { value } = await scrape(metrics);
      const ofTarget = value('log_export_target_slot_idle_seconds', { target: 'target-0' });
      values.push([value('log_export_slot_idle_seconds') ?? -1, ofTarget ?? -1]);
      await new Promise(setImmediate);
    }

    expect(values).toEqual([-1, 0, 60, 60, -1, -1, 300].map((seconds) => [seconds, seconds]));
  });

  test('begins again after each task, also if some of many slots are always between two tasks', async () => {
    const [first, second] = [[isReady], [{ ...isReady, target: 'target-1' }]];
    const minutes = [first, second, first, second, first, second];

    expect(await idleSeconds(minutes, { count: 201 })).toEqual([0, undefined]);
  });

  test('is the longest of many slots, without series of single targets', async () => {
    const busy = { ...isReady, target: 'target-1', active: 'running' };
    const minutes = [[isReady, busy], [isReady, busy], [isReady]];

    expect(await idleSeconds(minutes, { count: 201 })).toEqual([120, undefined]);
  });
});

describe('the time that others hold slots', () => {
  const minuteMs = 60_000;
  /** Opens metrics whose clock the test turns. */
  function openHolds() {
    let now = 0;
    const metrics = open(() => targetsNamed(2), { elapsed: () => now });
    const ofTarget = { target: 'target-0' };
    return {
      metrics,
      pass(minutes: number) {
        now += minutes * minuteMs;
      },
      async minutes() {
        const { value } = await scrape(metrics);
        const longest = value('log_export_slot_held_by_others_seconds');
        const one = value('log_export_target_slot_held_by_others_seconds', ofTarget);
        return [longest, one].map((seconds) => Number(seconds) / 60);
      },
      [Symbol.dispose]: () => metrics[Symbol.dispose](),
    };
  }

  test('begins with the task, and ends two minutes after it', async () => {
    using holds = openHolds();
    const before = await holds.minutes();
    noteHolder('target-0', 'others', 50 * minuteMs);
    holds.pass(15);
    const during = await holds.minutes();
    noteHolder('target-0', undefined);
    holds.pass(1);
    const inGap = await holds.minutes();
    holds.pass(2);

    expect([before, during, inGap, await holds.minutes()]).toEqual([
      [0, 0],
      [65, 65],
      [65, 65],
      [0, 0],
    ]);
  });

  test('goes on over the tasks of a tool that exports in a loop', async () => {
    using holds = openHolds();
    for (let task = 0; task < 20; task += 1) {
      noteHolder('target-0', 'others', 0);
      holds.pass(3);
      noteHolder('target-0', 'us'); // its create is refused
      noteHolder('target-0', undefined);
      holds.pass(1);
    }

    expect(await holds.minutes()).toEqual([79, 79]);
  });

  test('is that of one slot when tasks of others alternate between slots', async () => {
    using holds = openHolds();
    for (let task = 0; task < 20; task += 1) {
      const [next, last] = task % 2 === 0 ? ['target-0', 'target-1'] : ['target-1', 'target-0'];
      noteHolder(next, 'others', 0);
      noteHolder(last, undefined);
      holds.pass(3);
    }

    expect((await holds.minutes())[0]).toBe(3);
  });

  test('begins again after a completed task of ours', async () => {
    using holds = openHolds();
    noteHolder('target-0', 'others', 0);
    holds.pass(50);
    noteHolder('target-0', 'us');
    holds.pass(1);
    completedTasks.publish({ target: 'target-0', durationMs: minuteMs });
    noteHolder('target-0', 'others', 0);
    holds.pass(20);

    expect(await holds.minutes()).toEqual([20, 20]);
  });
});

describe('the figures of the queue', () => {
  /** Metrics whose readings and pauses end when the test says so. */
  function openWithReadings() {
    const readings: PromiseWithResolvers<[]>[] = [];
    const pauses: { ms: number; end: () => void }[] = [];
    let now = 0;
    const metrics = openMetrics({
      targets: () => [],
      elapsed: () => now,
      jobs: {
        read() {
          const reading = Promise.withResolvers<[]>();
          readings.push(reading);
          return reading.promise;
        },
        sleep: (ms) => new Promise((end) => void pauses.push({ ms, end })),
        isDatabaseReady: () => true,
      },
    });
    return {
      metrics,
      readings,
      pauses,
      pass(ms: number) {
        now += ms;
      },
      [Symbol.dispose]: () => metrics[Symbol.dispose](),
    };
  }
  const settle = () => new Promise(setImmediate);

  test('are read because of a scrape, once in 15 seconds, and no scrape waits for them', async () => {
    using opened = openWithReadings();
    const { metrics, readings, pauses, pass } = opened;

    const first = await scrape(metrics);
    await scrape(metrics);
    pauses[0]?.end();
    await settle();
    const meanwhile = await scrape(metrics); // the reading has not ended
    readings[0]?.resolve([]);
    await settle();
    pass(4_000);
    const second = await scrape(metrics);
    await scrape(metrics);
    pauses[1]?.end();
    await settle();

    expect(first.value('log_export_slices')).toBeUndefined();
    expect(first.value('log_export_oldest_ready_slice_age_seconds')).toBeUndefined();
    expect(meanwhile.value('log_export_slices')).toBeUndefined();
    expect(second.value('log_export_slices', { state: 'ready' })).toBe(0);
    expect(second.value('log_export_database_gauges_age_seconds')).toBe(4);
    expect(pauses.map(({ ms }) => ms)).toEqual([0, 11_000]);
    expect(readings).toHaveLength(2);
  });

  test('stay the last ones while the database does not answer, and grow old', async () => {
    using opened = openWithReadings();
    const { metrics, readings, pauses, pass } = opened;
    await scrape(metrics);
    pauses[0]?.end();
    await settle();
    readings[0]?.resolve([]);
    await settle();

    await scrape(metrics);
    pass(15_000);
    pauses[1]?.end();
    await settle();
    readings[1]?.reject(new Error('no answer'));
    await settle();
    pass(15_000);
    const { value } = await scrape(metrics);
    pauses[2]?.end();
    await settle();

    expect(value('log_export_slices', { state: 'ready' })).toBe(0);
    expect(value('log_export_database_gauges_age_seconds')).toBe(30);
    expect(readings).toHaveLength(3);
  });

  test('are not read any more after the metrics were closed', async () => {
    const { metrics, readings, pauses } = openWithReadings();
    await scrape(metrics);

    metrics[Symbol.dispose]();
    pauses[0]?.end();
    await settle();

    expect(readings).toEqual([]);
  });
});
