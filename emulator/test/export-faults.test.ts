import { gunzipSync } from 'node:zlib';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../src/emulator.ts';
import { bucket, logGroupName, onCreate, openAws, startAt } from './aws.ts';

/** Exports three streams under a fault, until just after the end of the task. */
async function exportUnder(fault: Fault) {
  const aws = await openAws({ pendingMs: 0, runningMs: 1000 });
  for (const logStreamName of ['a', 'b', 'c']) {
    const events = [{ timestamp: startAt - 1, message: `the message of ${logStreamName}` }];
    aws.emulator.seed.logEvents({ logGroupName, logStreamName, events });
  }
  aws.emulator.faults.add(fault);
  const taskId = await aws.create();
  aws.emulator.clock.advance(1000);
  const status = (await aws.describe(taskId))?.status?.code;
  const streams = async () =>
    (await aws.keys('exportedlogs/')).map((key) => key?.split('/').at(-2));
  return Object.assign(aws, { taskId, status, streams });
}

describe('objects-missing', () => {
  it.each([
    [1, ['a', 'b']],
    [2, ['a']],
    [9, []],
    ['all', []],
  ] as const)('with %s completes a task without its last objects', async (missing, kept) => {
    await using aws = await exportUnder({ ...onCreate, kind: 'objects-missing', missing });

    expect(aws.status).toBe('COMPLETED');
    expect(await aws.streams()).toEqual(kept);
    aws.emulator.clock.advance(3_600_000);
    expect(await aws.streams()).toEqual(kept);
  });
});

describe('objects-late', () => {
  it.each([
    [undefined, []],
    ['all', []],
    [1, ['a', 'b']],
  ] as const)('with %s writes objects after the task is COMPLETED', async (of, early) => {
    const fault = { ...onCreate, kind: 'objects-late', delayMs: 3000, ...(of && { of }) } as const;
    await using aws = await exportUnder(fault);

    expect(aws.status).toBe('COMPLETED');
    expect(await aws.streams()).toEqual(early);
    aws.emulator.clock.advance(2999);
    expect(await aws.streams()).toEqual(early);
    aws.emulator.clock.advance(1);
    expect(await aws.streams()).toEqual(['a', 'b', 'c']);
  });
});

it('object-truncated cuts the first object in half', async () => {
  await using aws = await exportUnder({ ...onCreate, kind: 'object-truncated' });
  const [first = '', second] = await aws.keys('exportedlogs/');

  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: first }));
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);

  expect(bytes.length).toBeGreaterThan(0);
  expect(() => gunzipSync(bytes)).toThrow('unexpected end of file');
  expect((await aws.get(second)).text).toContain('the message of b');
});

it.each([
  [{ kind: 'objects-missing' }, 'needs missing: a whole number, 1 or more, or "all"'],
  [{ kind: 'objects-missing', missing: 0 }, 'missing of a fault is 0, but must be a whole number'],
  [{ kind: 'objects-late', of: 1 }, 'needs delayMs: a number of milliseconds'],
])('the fault %j is rejected', async (fault, message) => {
  await using aws = await openAws();

  expect(() => aws.emulator.faults.add({ ...onCreate, ...fault } as never)).toThrow(message);
});
