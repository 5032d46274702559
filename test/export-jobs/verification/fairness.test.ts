import { expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { firstWindowAt } from '../insert-hourly-job.ts';
import type { Queue, QueueOptions } from '../open-queue.ts';
import { openSeededQueue, seedEvents } from './seeded-exports.ts';

const regions = [
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-central-1',
  'eu-north-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
];
const targets = regions.map((region) => ({ name: region, region }));

/** Opens a queue with a target in each Region. Each log group has a log event in the first hour. */
async function openManyTargets(options: QueueOptions): Promise<Queue> {
  const queue = await openSeededQueue({ streams: 0, ...options });
  for (const { region } of options.targets ?? []) {
    const events = [{ timestamp: firstWindowAt, message: 'one' }];
    queue.emulator.seed.logEvents({ region, logGroupName: '/app', logStreamName: 'web', events });
  }
  return queue;
}

/** Lets each query of CloudWatch Logs Insights run for ever. */
function stallQueries(queue: Queue): void {
  const body = '{"status":"Running","results":[]}';
  const stalled = { kind: 'replace-body', body, count: 10_000 } as const;
  queue.emulator.faults.add({ ...stalled, operation: 'GetQueryResults' });
}

const untilAll = (queue: Queue, state: string) =>
  queue.time.runUntil(async () => (await queue.states()).every((each) => each === state));

test.each(['sqlite', 'postgres'] as const)(
  'counts of a caller that last long leave a place at their target, on %s',
  async (backend) => {
    await using queue = await openSeededQueue({ backend });
    for (const hour of [1, 2]) seedEvents(queue.emulator, 'web-0/app', ['one'], hour);
    stallQueries(queue);
    await queue.put({ caller: 'alice', slices: 3, verification: 'count' });
    await untilAll(queue, 'verifying');

    const jobId = await queue.put({ caller: 'bob' });
    await queue.time.runFor(10_000);

    expect(await queue.states(jobId)).toEqual(['completed']);
  },
);

test('counts that last long leave places to other targets', async () => {
  await using queue = await openManyTargets({ targets });
  stallQueries(queue);
  const [free = '', ...busy] = regions;
  for (const region of busy)
    await queue.put({
      target: region,
      destination: `archive-${region}`,
      caller: region,
      verification: 'count',
    });
  await untilAll(queue, 'verifying');

  const jobId = await queue.put({ target: free, destination: `archive-${free}`, caller: 'bob' });
  await queue.time.runFor(10_000);

  expect(await queue.states(jobId)).toEqual(['completed']);
});

test('a count of another caller is next, not the other counts of the last one', async () => {
  await using queue = await openSeededQueue({ emulator: { queryMs: 60_000 } });
  for (const hour of [1, 2, 3, 4, 5]) seedEvents(queue.emulator, 'web-0/app', ['one'], hour);
  const alice = await queue.put({ caller: 'alice', slices: 6, verification: 'count' });
  await untilAll(queue, 'verifying');

  const bob = await queue.put({ caller: 'bob', verification: 'count' });
  await queue.time.runUntil(async () => (await queue.states(bob))[0] === 'completed');

  const open = (await queue.states(alice)).filter((state) => state === 'verifying');
  expect(open.length).toBeGreaterThanOrEqual(3);
});

test.each([
  ['at their target', 1],
  ['at other targets', 3],
])('lists of a caller that last for hours leave places to others %s', async (_where, count) => {
  let queue: Queue | undefined;
  const seeTarget = (target: OpenTarget): OpenTarget => ({
    ...target,
    storage: {
      ...target.storage,
      scoped(grant, caller) {
        const storage = target.storage.scoped(grant, caller);
        const listObjects: typeof storage.listObjects = async (...of) => {
          if (caller === 'alice') await queue?.time.sleep(3_600_000);
          return storage.listObjects(...of);
        };
        return { ...storage, listObjects };
      },
    },
  });
  const used = targets.slice(0, 4);
  await using opened = await openManyTargets({ targets: used, seeTarget });
  queue = opened;
  for (const { name } of used.slice(0, count)) {
    const place = { target: name, destination: `archive-${name}` };
    await opened.put({ ...place, caller: 'alice', slices: 5, sliceMs: 60_000 });
  }
  await untilAll(opened, 'verifying');

  const { name } = used[count === 1 ? 0 : 3] as (typeof targets)[number];
  const jobId = await opened.put({ target: name, destination: `archive-${name}`, caller: 'bob' });
  await opened.time.runFor(10_000);

  expect(await opened.states(jobId)).toEqual(['completed']);
});

test('targets whose S3 does not answer leave places to the other ones', async () => {
  const [healthy = '', ...hanging] = regions.slice(0, 5);
  let queue: Queue | undefined;
  const seeTarget = (target: OpenTarget): OpenTarget => {
    if (!hanging.includes(target.name)) return target;
    const listObjects = async () => {
      await queue?.time.sleep(7_000);
      throw new Problem('aws-timeout', 'S3 did not answer.');
    };
    const scoped: OpenTarget['storage']['scoped'] = (...of) => ({
      ...target.storage.scoped(...of),
      listObjects,
    });
    return { ...target, storage: { ...target.storage, scoped } };
  };
  await using opened = await openManyTargets({ targets: targets.slice(0, 5), seeTarget });
  queue = opened;
  const given = { slices: 40, sliceMs: 60_000 };
  for (const target of hanging)
    await opened.put({ ...given, target, destination: `archive-${target}`, caller: 'alice' });
  await untilAll(opened, 'verifying');

  const jobId = await opened.put({ target: healthy, destination: `archive-${healthy}` });
  await opened.time.runFor(10_000);

  expect(await opened.states(jobId)).toEqual(['completed']);
});
