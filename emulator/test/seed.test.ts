import { describe, expect, it } from 'vitest';
import type { Seed } from '../src/control/seed/seed.ts';
import { seedExamples } from '../src/emulator.ts';
import { bucket, openAws, refusal } from './aws.ts';

describe('the seed', () => {
  it('ends active tasks FAILED and rejects others', async () => {
    await using aws = await openAws();
    const { seed } = aws.emulator;
    const [taskId = ''] = seed.finishedTasks({ count: 1 });

    expect(() => seed.taskFailure({ taskId })).toThrow('is not active');
    expect(() => seed.taskFailure({ taskId: 'none' })).toThrow('does not exist');
  });

  it('holds the slot for a foreign task while it runs', async () => {
    await using aws = await openAws();
    const taskId = aws.emulator.seed.foreignTask({
      durationMs: 60_000,
      order: { taskName: 'theirs' },
    });

    expect(await refusal(aws.create())).toMatchObject({ name: 'LimitExceededException' });
    aws.emulator.clock.advance(60_000);

    expect(await aws.describe(taskId)).toMatchObject({
      taskName: 'theirs',
      status: { code: 'COMPLETED' },
    });
    expect(await refusal(aws.create())).toBeUndefined();
  });

  it('lists the tasks of all accounts and Regions', async () => {
    await using aws = await openAws();
    const taskId = await aws.create();
    aws.emulator.seed.foreignTask({ durationMs: 1, region: 'eu-west-1' });
    aws.emulator.clock.advance(5000);

    const tasks = aws.emulator.exportTasks();

    expect(tasks).toMatchObject([
      { taskId, region: 'us-east-1', status: 'COMPLETED', destination: bucket },
      { region: 'eu-west-1', status: 'COMPLETED' },
    ]);
  });

  it('ends the running task of the examples after five minutes', async () => {
    await using aws = await openAws();
    seedExamples(aws.emulator.seed);
    const inRegion = () =>
      aws.emulator.exportTasks().filter(({ region }) => region === 'us-east-1');

    expect(inRegion()).toMatchObject([{ status: 'RUNNING' }]);
    aws.emulator.clock.advance(5 * 60_000);

    expect(inRegion()).toMatchObject([{ status: 'COMPLETED' }]);
    expect(await refusal(aws.create())).toBeUndefined();
  });

  const stream = { logGroupName: '/app', logStreamName: 's' };
  it.each<[keyof Seed, unknown, string]>([
    ['bucket', { x: 1 }, 'The seed bucket has no member "x"; it has bucket, policy, encryption, '],
    ['bucket', {}, 'The seed bucket needs bucket: text of at least one character.'],
    ['bucket', [], 'The seed bucket must be an object.'],
    [
      'bucket',
      { bucket, policy: {} },
      'policy of the seed bucket is {}, but must be a policy as text',
    ],
    ['bucket', { bucket, policy: 'none' }, 'The policy of the bucket is not valid.'],
    [
      'bucket',
      { bucket, encryption: { algorithm: 'DES' } },
      'must be an object with algorithm (one',
    ],
    ['bucket', { bucket, encryption: { keyId: 'k' } }, 'must be an object with algorithm (one'],
    ['bucket', { bucket, lifecycle: [{ days: 1 }] }, 'must be a list; each item is an object with'],
    ['logGroup', { logGroupName: '/app', createdAt: '2024' }, 'must be a number, epoch ms'],
    ['logEvents', stream, 'The seed logEvents needs events: a list of log events.'],
    ['logEvents', { ...stream, events: [{ timestamp: 1 }] }, 'Event 0 of the seed needs message'],
    ['logEvents', { ...stream, events: [1] }, 'Event 0 of the seed must be an object.'],
    [
      'key',
      { alias: 'a' },
      'alias of the seed key is "a", but must be text that begins with alias/',
    ],
    ['finishedTasks', {}, 'The seed finishedTasks needs count: a whole number, 1 or more.'],
    [
      'foreignTask',
      { durationMs: 1, order: { to: 'x' } },
      'must be an object with taskName (text)',
    ],
    ['taskFailure', { task: 'x' }, 'The seed taskFailure has no member "task"; it has taskId.'],
  ])('rejects %s with %j', async (name, value, reason) => {
    await using aws = await openAws();

    const seed = aws.emulator.seed[name] as (value: unknown) => unknown;

    expect(() => seed(value)).toThrow(reason);
  });
});
