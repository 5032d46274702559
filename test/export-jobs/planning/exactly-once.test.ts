import fc from 'fast-check';
import { expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import { type SliceBy, sliceBys } from '#export-jobs/planning/calendar/slice-units.ts';
import { planJob } from '#export-jobs/planning/plan-job.ts';
import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import type { Window } from '#time/window.ts';
import { readLines } from '../../guesses/content.ts';
import { openWorld, region, type World } from '../../world.ts';
import { requestOf } from '../caller-requests.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const hourMs = 3_600_000;

/**
 * Over a leap day, the end of a month and a Monday, with ends inside of units. For short slices over the end of
 * the leap day and of the month: each of them is a task in each log group.
 */
function windowOf(sliceBy: SliceBy): Window {
  const from = sliceBy === '15-minutes' ? '2024-02-29' : '2024-02-28';
  const to = sliceBy === '15-minutes' || sliceBy === 'hour' ? '2024-03-01' : '2024-03-05';
  const [fromAt, toAt] = [Date.parse(`${from}T10:17:00.123Z`), Date.parse(`${to}T05:00:00.001Z`)];
  return { fromAt, toAt };
}
const groups = ['/shop/checkout', '/shop/billing', '/shop/search'];
const eventCount = 10_000;

/** Seeds 10,000 events around the window: on every edge of a slice, and a millisecond to each side. */
function seedEvents({ emulator }: World, sliceBy: SliceBy): string[] {
  const { fromAt, toAt } = windowOf(sliceBy);
  const stepMs = sliceBy === '15-minutes' ? hourMs / 4 : hourMs;
  const starts: number[] = [];
  for (let at = Math.ceil(fromAt / stepMs) * stepMs; at < toAt; at += stepMs) starts.push(at);
  const edges = [fromAt, toAt, ...starts].flatMap((at) => [at - 1, at, at + 1]);
  const inside = fc.noBias(fc.integer({ min: fromAt - hourMs / 2, max: toAt + hourMs / 2 }));
  const onEdges = groups.flatMap((group) => edges.map((timestamp) => ({ group, timestamp })));
  const elsewhere = fc.sample(fc.record({ group: fc.constantFrom(...groups), timestamp: inside }), {
    seed,
    numRuns: eventCount - onEdges.length,
  });
  const events = [...onEdges, ...elsewhere].map((event, index) => ({
    ...event,
    message: `${event.group} event ${index}`,
  }));
  for (const logGroupName of groups) {
    const own = events
      .filter(({ group }) => group === logGroupName)
      .map(({ timestamp, message }) => ({ timestamp, message }));
    for (const [logStreamName, parity] of [
      ['web-1/app', 0],
      ['web-2/app', 1],
    ] as const) {
      const half = own.filter((_, index) => index % 2 === parity);
      emulator.seed.logEvents({ region, logGroupName, logStreamName, events: half });
    }
  }
  return events
    .filter(({ timestamp }) => timestamp >= fromAt && timestamp < toAt)
    .map(({ timestamp, message }) => `${new Date(timestamp).toISOString()} ${message}`);
}

/** Plans a job over all groups and runs each slice as one export task. Returns how many. */
async function runJob(world: World, sliceBy: SliceBy, prefixTemplate: string): Promise<number> {
  const target = world.targets.find(undefined);
  const { logs } = target;
  const { fromAt: from, toAt: to } = windowOf(sliceBy);
  const body = { from, to, sliceBy, destination: 'archive' };
  const { job, slices } = await planJob(
    { ...body, destinationPrefix: prefixTemplate, logGroupNamePrefix: '/shop/' },
    {
      target,
      now: Date.now(),
      elapsed: () => 0,
      sleep: async () => {},
      jobId: sliceBy,
      request: requestOf('anonymous'),
      authorizer: openToAll.authorizer,
      verification: 'objects',
    },
  );
  const template = readPrefixTemplate(job.prefixTemplate, {
    target,
    jobId: sliceBy,
    timeZone: 'UTC',
  });
  for (const slice of slices) {
    const { outcome } = await logs.createExportTask({
      logGroupName: slice.logGroupName,
      from: BigInt(slice.fromAt),
      to: BigInt(slice.toAt - 1),
      destination: job.destination,
      destinationPrefix: template.render({ ...slice, attempt: 1 }),
    });
    expect(outcome).toBe('accepted');
  }
  world.emulator.clock.advance(1_000);
  return slices.length;
}

const windowCounts = { none: 1, '15-minutes': 76, hour: 44, day: 7, week: 2, month: 2 };

test.for(sliceBys)(
  `exports each of 10,000 events exactly once in slices by %s (seed ${seed})`,
  async (sliceBy) => {
    const tasks = { activeTaskLimit: Number.POSITIVE_INFINITY, pendingMs: 0, runningMs: 0 };
    await using world = await openWorld({ emulator: tasks });
    const expected = seedEvents(world, sliceBy);

    const count = await runJob(
      world,
      sliceBy,
      '{jobId}/{logGroup}/{yyyy}{MM}{dd}{HH}{mm}/{attempt}',
    );

    const exported = await readLines(world.emulator, {
      region,
      bucket: 'archive',
      prefix: `${sliceBy}/`,
    });
    expect(count).toBe(groups.length * windowCounts[sliceBy]);
    expect(exported).toEqual(expected.sort());
    expect(expected.length).toBeGreaterThan(9_000);
  },
);
