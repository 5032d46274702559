import { randomUUID } from 'node:crypto';
import {
  CancelExportTaskCommand,
  type CloudWatchLogsClient,
  CreateExportTaskCommand,
  type CreateExportTaskCommandInput,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { region } from '../world.ts';
import { openWire, type Wire } from './open-wire.ts';

// Answers of AWS, as the test suites of LocalStack (February 2026) and moto recorded or asserted them. The endpoint and
// the emulator share no code. They agree on each of them but for the keys in the bucket.

const hourMs = 3_600_000;

let wire: Wire;
let s3: S3Client;
beforeAll(async () => {
  const startedAt = Date.now();
  // The database of the endpoint has a slow clock: so a task is new for long enough on a busy machine.
  const clock = () => startedAt + (Date.now() - startedAt) / 5;
  wire = await openWire({
    emulator: { runningMs: 200 },
    jobs: { clock },
    timings: { secondLookMs: 20 },
  });
  const credentials = { accessKeyId: 'AKIDREADER', secretAccessKey: 'secret' };
  s3 = new S3Client({ endpoint: wire.emulator.url, region, forcePathStyle: true, credentials });
  wire.emulator.seed.logEvents({
    region,
    logGroupName: '/app',
    logStreamName: 'web/1',
    events: [{ timestamp: startedAt - hourMs, message: 'one' }],
  });
});
afterAll(async () => {
  s3.destroy();
  await wire[Symbol.asyncDispose]();
});

/** Who answers, and the folder of a task in the bucket. */
const subjects = {
  'the emulator': {
    client: () => wire.client({ url: wire.emulator.url }),
    folderOf: (prefix: string | undefined, taskId: string) =>
      `${prefix ?? 'exportedlogs'}/${taskId}/`,
    writeTestOf: (prefix: string | undefined) =>
      `${prefix === undefined ? '' : `${prefix}/`}aws-logs-write-test`,
  },
  'the endpoint': {
    client: () => wire.client(),
    folderOf: (prefix: string | undefined, taskId: string) =>
      `${prefix ?? 'exportedlogs'}/${taskId}/`,
    writeTestOf: (prefix: string | undefined, taskId: string) =>
      `${prefix ?? 'exportedlogs'}/${taskId}/aws-logs-write-test`,
  },
};

describe.each(Object.entries(subjects))('%s answers like AWS', (_name, subject) => {
  let client: CloudWatchLogsClient;
  beforeAll(() => {
    client = subject.client();
  });

  const order = {
    logGroupName: '/app',
    destination: 'archive',
    from: 1_611_316_574, // in seconds, long before the log group: AWS accepts it
    to: 1_642_852_574,
  };
  const create = async (input: Partial<CreateExportTaskCommandInput> = {}) => {
    const answer = await client.send(new CreateExportTaskCommand({ ...order, ...input }));
    const { $metadata, ...members } = answer;
    return { status: $metadata.httpStatusCode, ...members };
  };
  const describeTask = async (taskId: string) => {
    const answer = await client.send(new DescribeExportTasksCommand({ taskId }));
    const { $metadata, ...members } = answer;
    return { status: $metadata.httpStatusCode, ...members };
  };
  const untilEnd = async (taskId = '') => {
    for (;;) {
      const [task] = (await describeTask(taskId)).exportTasks ?? [];
      if (task?.executionInfo?.completionTime !== undefined) return task;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const refusalOf = (sent: Promise<unknown>) =>
    sent.then(
      () => 'accepted',
      (error) => [error.$metadata.httpStatusCode, error.name, error.message],
    );

  test('creates a task with the id of a UUID, and completes it', async () => {
    const created = await create();
    const task = await untilEnd(created.taskId);

    expect(created).toEqual({
      status: 200,
      taskId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    });
    expect(task.status?.code).toBe('COMPLETED');
    expect(task.status?.message).toMatch(/^Completed successfully/);
  });

  test('describes a new task as PENDING, without a message, with the default prefix', async () => {
    const [from, to] = [Date.now() - 24 * hourMs, Date.now()];
    wire.emulator.options.change({ pendingMs: hourMs });
    const { taskId = '' } = await create({ from, to });

    expect(await describeTask(taskId)).toEqual({
      status: 200,
      exportTasks: [
        {
          taskId,
          logGroupName: '/app',
          from,
          to,
          destination: 'archive',
          destinationPrefix: 'exportedlogs',
          status: { code: 'PENDING' },
          executionInfo: { creationTime: expect.any(Number) },
        },
      ],
    });
    wire.emulator.options.change({ pendingMs: null });
    wire.emulator.clock.advance(2 * hourMs);
    await untilEnd(taskId);
  });

  test.each([
    [
      { destination: 'no-such-bucket' },
      'InvalidParameterException',
      'The given bucket does not exist. Please make sure the bucket is valid.',
    ],
    [
      { logGroupName: '/no-such-group' },
      'ResourceNotFoundException',
      'The specified log group does not exist.',
    ],
  ])('refuses a create with %j', async (input, code, message) => {
    expect(await refusalOf(create(input))).toEqual([400, code, message]);
  });

  test('describes an unknown task as an empty list', async () => {
    expect(await describeTask(randomUUID())).toEqual({ status: 200, exportTasks: [] });
  });

  test.each([
    [
      'an unknown task',
      async () => randomUUID(),
      'ResourceNotFoundException',
      'The specified export task does not exist.',
    ],
    [
      'a text that is no id',
      async () => 'invalid',
      'ResourceNotFoundException',
      'The specified export task does not exist.',
    ],
    [
      'a completed task',
      async () => (await untilEnd((await create()).taskId)).taskId,
      'InvalidOperationException',
      'The specified export task has already finished',
    ],
  ])('refuses to cancel %s', async (_what, find, code, message) => {
    const taskId = await find();

    const cancelled = client.send(new CancelExportTaskCommand({ taskId }));

    expect(await refusalOf(cancelled)).toEqual([400, code, message]);
  });

  test('cancels a task with an empty answer', async () => {
    wire.emulator.options.change({ runningMs: hourMs });
    const { taskId } = await create();

    const { $metadata, ...members } = await client.send(new CancelExportTaskCommand({ taskId }));
    wire.emulator.options.change({ runningMs: 200 });

    expect([$metadata.httpStatusCode, members]).toEqual([200, {}]);
    expect((await untilEnd(taskId)).status?.code).toBe('CANCELLED');
  });

  test.each([undefined, 'exports/app'])('writes the objects of the prefix %s', async (prefix) => {
    const input = prefix === undefined ? {} : { destinationPrefix: prefix };
    const window = { from: Date.now() - 2 * hourMs, to: Date.now() };
    const { taskId = '' } = await create({ ...input, ...window });
    await untilEnd(taskId);

    const folder = subject.folderOf(prefix, taskId);
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: 'archive', Prefix: folder }),
    );
    const keys = Contents.map(({ Key = '' }) => Key.slice(folder.length));
    const writeTest = await s3.send(
      new GetObjectCommand({ Bucket: 'archive', Key: subject.writeTestOf(prefix, taskId) }),
    );

    expect(keys.filter((key) => key.endsWith('000000.gz'))).toEqual([
      expect.stringMatching(/^(?:[0-9a-f-]{36}\/)?web-1\/000000\.gz$/),
    ]);
    expect(await writeTest.Body?.transformToString()).toBe('Permission Check Successful');
  });
});
