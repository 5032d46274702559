import { describe, expect, test } from 'vitest';

import { type PlannedSlice, planSlices } from '#export-jobs/planning/plan-slices.ts';

const hourMs = 3_600_000;
const now = Date.UTC(2024, 4, 3, 6);
const midnight = Date.UTC(2024, 4, 2);
const request = {
  logGroupNames: ['/b', '/a'],
  window: { fromAt: midnight, toAt: midnight + 30 * hourMs },
  sliceBy: 'day',
  timeZone: 'UTC',
  now,
  isUnsettledAllowed: false,
} as const;

/** Plans all slices of a request. */
async function slicesOf(asked: Parameters<typeof planSlices>[0]): Promise<PlannedSlice[]> {
  const planned = await planSlices(asked);
  const slices = [...planned];
  expect(planned).toHaveLength(slices.length);
  return slices;
}

describe('the slices of a job', () => {
  test('start with the oldest window, and have its log groups in the given order', async () => {
    const nextMidnight = midnight + 24 * hourMs;
    const [first, last] = [
      { fromAt: midnight, toAt: nextMidnight },
      { fromAt: nextMidnight, toAt: request.window.toAt },
    ];

    expect(await slicesOf(request)).toMatchObject([
      { number: 0, logGroupName: '/b', ...first },
      { number: 1, logGroupName: '/a', ...first },
      { number: 2, logGroupName: '/b', ...last },
      { number: 3, logGroupName: '/a', ...last },
    ]);
  });

  test('wait until twelve hours after their end, unless that has passed', async () => {
    const window = { fromAt: now - 14 * hourMs, toAt: now - 10 * hourMs };

    const slices = await slicesOf({ ...request, logGroupNames: ['/a'], window, sliceBy: 'hour' });

    expect(slices.map(({ notBeforeAt, readyAt }) => [notBeforeAt, readyAt])).toEqual([
      [null, now], // ended 13 hours ago
      [null, now], // ended 12 hours ago, to the millisecond
      [now + hourMs, now + hourMs],
      [now + 2 * hourMs, now + 2 * hourMs],
    ]);
  });

  test('do not wait if unsettled log events are allowed', async () => {
    const window = { fromAt: now - hourMs, toAt: now + hourMs };

    const slices = await slicesOf({ ...request, window, isUnsettledAllowed: true });

    for (const slice of slices) expect(slice).toMatchObject({ notBeforeAt: null, readyAt: now });
  });

  test('are made in chunks, so that other requests can run', async () => {
    const window = { fromAt: midnight - 5_000 * hourMs, toAt: midnight };
    let turns = 0;
    const count = () => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);

    const slices = await planSlices({
      ...request,
      window,
      sliceBy: 'hour',
      timeZone: 'Asia/Tokyo',
    });
    clearImmediate(next);

    expect(slices).toHaveLength(10_000);
    expect(turns).toBeGreaterThanOrEqual(49);
  });

  test('can be 10,000', async () => {
    const window = { fromAt: midnight - 5_000 * hourMs, toAt: midnight };

    const slices = await slicesOf({ ...request, window, sliceBy: 'hour' });

    expect(slices).toHaveLength(10_000);
    expect(slices.at(-1)).toMatchObject({ number: 9_999, logGroupName: '/a', toAt: midnight });
  });

  test('are rejected with too-many-slices above 10,000, with a unit that fits', async () => {
    const window = { fromAt: midnight - 5_000 * hourMs - 1, toAt: midnight };

    await expect(planSlices({ ...request, window, sliceBy: 'hour' })).rejects.toEqual(
      expect.objectContaining({
        slug: 'too-many-slices',
        detail:
          'The job would have 10,002 slices (2 log groups × 5,001 intervals). The limit is 10,000. With sliceBy "day" it has 418.',
      }),
    );
  });

  test('by 15-minutes cover 104 days of one log group, and not 105', async () => {
    const days = (count: number) => ({
      ...request,
      logGroupNames: ['/a'],
      window: { fromAt: midnight - count * 24 * hourMs, toAt: midnight },
      sliceBy: '15-minutes' as const,
    });

    expect(await slicesOf(days(104))).toHaveLength(9_984);
    await expect(planSlices(days(105))).rejects.toEqual(
      expect.objectContaining({
        detail:
          'The job would have 10,080 slices (1 log group × 10,080 intervals). The limit is 10,000. With sliceBy "hour" it has 2,520.',
      }),
    );
  });

  test.for([
    ['15-minutes', 1, 'week'],
    ['hour', 2, 'week'],
    ['day', 10, 'month'],
    ['day', 1_000, 'none'],
  ] as const)(
    'sliced by %s since 1970 in %i log groups would fit sliced by %s',
    async ([sliceBy, count, fits]) => {
      const logGroupNames = Array.from({ length: count }, (_, index) => `/${index}`);
      const window = { fromAt: 0, toAt: midnight };

      await expect(planSlices({ ...request, logGroupNames, window, sliceBy })).rejects.toEqual(
        expect.objectContaining({
          detail: expect.stringContaining(`With sliceBy "${fits}" it has `),
        }),
      );
    },
  );
});
