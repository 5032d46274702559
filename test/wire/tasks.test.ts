import { randomUUID } from 'node:crypto';
import {
  CancelExportTaskCommand,
  CreateExportTaskCommand,
  type CreateExportTaskCommandInput,
  DescribeExportTasksCommand,
  type DescribeExportTasksCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { storageBackends } from '../export-jobs/storage-backends.ts';
import { region } from '../world.ts';
import { openWire, type Wire, type WireOptions } from './open-wire.ts';

const order = {
  logGroupName: '/app',
  from: 1_611_316_574,
  to: 1_642_852_574,
  destination: 'archive',
};
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

let wire: Wire;
const useWire = (options: () => WireOptions | Promise<WireOptions> = () => ({})) => {
  beforeAll(async () => {
    wire = await openWire(await options());
  });
  afterAll(() => wire[Symbol.asyncDispose]());
};

const create = async (input: Partial<CreateExportTaskCommandInput> = {}) =>
  (await wire.client().send(new CreateExportTaskCommand({ ...order, ...input }))).taskId ?? '';
const describeTasks = (input: DescribeExportTasksCommandInput = {}) =>
  wire.client().send(new DescribeExportTasksCommand(input));
const cancel = (taskId: string) => wire.client().send(new CancelExportTaskCommand({ taskId }));
const jobs = async () => (await wire.call('GET', '/export-jobs?limit=100')).body.exportJobs;

/** Waits until a task has a state. */
async function untilStatus(taskId: string, code: string) {
  for (;;) {
    const [task] = (await describeTasks({ taskId })).exportTasks ?? [];
    if (task?.status?.code === code) return task;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Sends a create without the SDK, so that each header can be chosen. */
const send = (body: object, headers: { signature?: string; invocationId?: string } = {}) =>
  wire.call('POST', '/', JSON.stringify(body), {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'Logs_20140328.CreateExportTask',
    ...(headers.invocationId && { 'amz-sdk-invocation-id': headers.invocationId }),
    'x-amz-date': `${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`,
    authorization: `AWS4-HMAC-SHA256 Credential=a/20261126/${region}/logs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${headers.signature ?? randomUUID().replaceAll('-', '').repeat(2)}`,
  });

describe('a task of an AWS client', () => {
  useWire();

  test('is created, and shown in the words of AWS', async () => {
    const name = { taskName: 'daily', logStreamNamePrefix: 'web', destinationPrefix: 'exports/' };
    const taskId = await create(name);
    const done = await untilStatus(taskId, 'COMPLETED');

    const [atAws] = wire.emulator.exportTasks();
    expect(taskId).toEqual(uuid);
    expect(done).toEqual({
      taskId,
      taskName: 'daily',
      ...order,
      destinationPrefix: 'exports/',
      status: {
        code: 'COMPLETED',
        message: `Completed successfully (AWS task ${atAws?.taskId})`,
      },
      executionInfo: { creationTime: expect.any(Number), completionTime: expect.any(Number) },
    });
    expect(atAws?.destinationPrefix).toBe(`exports/${taskId}`);
    expect((await describeTasks({ taskId: atAws?.taskId })).exportTasks).toEqual([done]);
    expect((await describeTasks({ taskId, statusCode: 'RUNNING' })).exportTasks).toEqual([]);
  });

  test.each(['', '/', '//'])('never writes to the root of the bucket: prefix %j', async (empty) => {
    const taskId = await create({ destinationPrefix: empty });
    const done = await untilStatus(taskId, 'COMPLETED');

    expect(done.destinationPrefix).toBe('exportedlogs');
    const sent = wire.emulator.exportTasks().map((task) => task.destinationPrefix);
    expect(sent).toContain(`exportedlogs/${taskId}`);
  });

  test.each([
    [{ destination: 'no-such-bucket' }, 'InvalidParameterException', /given bucket does not exist/],
    [
      { logGroupName: '/no' },
      'ResourceNotFoundException',
      /^The specified log group does not exist/,
    ],
    [{ logGroupName: '' }, 'InvalidParameterException', /^2 validation errors detected: Value ''/],
    [{ from: -1 }, 'InvalidParameterException', /greater than or equal to 0/],
  ])('that AWS refuses is refused, and nothing is left: %j', async (input, name, message) => {
    const before = await jobs();

    const refusal = await create(input).catch((error) => error);

    expect(refusal).toMatchObject({ name, message: expect.stringMatching(message) });
    expect(refusal.$metadata).toMatchObject({ httpStatusCode: 400, attempts: 1 });
    expect(await jobs()).toEqual(before);
    const keys = await wire.database.queries
      .selectFrom('idempotencyKeys')
      .select('jobId')
      .execute();
    expect(new Set(keys.map(({ jobId }) => jobId))).toEqual(
      new Set(before.map(({ id }: { id: string }) => id)),
    );
  });

  test('keeps its refusal in the audit', async () => {
    await create({ destination: 'never-there' }).catch(() => {});

    const entries = await wire.database.queries
      .selectFrom('auditEntries')
      .select(['action', 'outcome'])
      .where('destination', '=', 'never-there')
      .where('outcome', '!=', 'ok')
      .execute();
    expect(entries).toEqual([{ action: 'CreateExportTask', outcome: 'destination-not-found' }]);
  });

  test('is not created twice by one invocation or one signature', async () => {
    const invocationId = randomUUID();
    const signature = 'ab'.repeat(32);
    const first = await send(order, { invocationId, signature });
    const again = await send(order, { invocationId });
    const replayed = await send(order, { invocationId: randomUUID(), signature });
    const other = await send({ ...order, to: 5 }, { invocationId });
    const fresh = await send(order);

    expect(again.body).toEqual(first.body);
    expect(replayed.body).toEqual(first.body);
    expect([other.status, other.body.__type]).toEqual([400, 'InvalidParameterException']);
    expect(fresh.body.taskId).not.toBe(first.body.taskId);
  });

  test('recognises a replay of the second attempt, too', async () => {
    const [invocationId, signature] = [randomUUID(), 'cd'.repeat(32)];
    const first = await send(order, { invocationId });
    await send(order, { invocationId, signature });

    const replayed = await send(order, { signature, invocationId: randomUUID() });

    expect(replayed.body).toEqual(first.body);
  });

  test('is one task for many copies at the same time, whether AWS accepts or refuses it', async () => {
    const invocationId = randomUUID();
    const copies = Array.from({ length: 8 }, () => send(order, { invocationId }));
    const bad = { ...order, destination: 'nowhere' };
    const refusedId = randomUUID();
    const refused = Array.from({ length: 4 }, () => send(bad, { invocationId: refusedId }));

    const ids = new Set((await Promise.all(copies)).map(({ body }) => body.taskId));
    const answers = await Promise.all(refused);

    expect(ids.size).toBe(1);
    const known = new Set((await jobs()).map(({ id }: { id: string }) => id));
    for (const { body } of answers) {
      // Either nothing is left, or the task that was answered is there.
      if (body.taskId !== undefined) expect(known).toContain(body.taskId);
      else expect(body.__type).toMatch(/InvalidParameterException|OperationAbortedException/);
    }
  });
});

describe.each(storageBackends)('tasks that wait, on %s', (_name, openStorage) => {
  useWire(async () => ({
    isDispatching: false,
    jobs: { ...(await openStorage()), maxWaitingSlices: 8 },
  }));

  test('are PENDING without a message, and are answered before they start', async () => {
    await wire.call('POST', '/export-jobs', {
      logGroupNames: ['/app'],
      from: '2024-05-01T00:00:00Z',
      to: '2024-05-02T00:00:00Z',
      destination: 'archive',
    });
    const taskId = await create();

    expect((await describeTasks()).exportTasks).toEqual([
      {
        taskId,
        ...order,
        destinationPrefix: 'exportedlogs',
        status: { code: 'PENDING' },
        executionInfo: { creationTime: expect.any(Number) },
      },
    ]);
  });

  test('keep all 64 bits', async () => {
    const sent = { ...order, from: 2 ** 53 };
    const text = JSON.stringify(sent).replace(String(2 ** 53), '9223372036854775807');
    const created = await wire.call('POST', '/', text, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.CreateExportTask',
      authorization: `AWS4-HMAC-SHA256 Credential=a/20261126/${region}/logs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'ef'.repeat(32)}`,
    });
    const shown = await wire.call('POST', '/', JSON.stringify({ taskId: created.body.taskId }), {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.DescribeExportTasks',
      authorization: `AWS4-HMAC-SHA256 Credential=a/20261126/${region}/logs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'ef'.repeat(32)}`,
    });

    expect(shown.text).toContain('"from":9223372036854775807');
  });

  test('are listed newest first, page by page, and by state', async () => {
    for (let index = 0; index < 4; index += 1) await create({ destinationPrefix: `p${index}` });
    const all = (await describeTasks()).exportTasks?.map(({ taskId }) => taskId) ?? [];
    const paged: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await describeTasks({ limit: 2, ...(nextToken && { nextToken }) });
      paged.push(...(page.exportTasks ?? []).map(({ taskId }) => taskId));
      nextToken = page.nextToken;
    } while (nextToken);

    expect(all).toHaveLength(6);
    expect(paged).toEqual(all);
    expect((await describeTasks({ statusCode: 'PENDING' })).exportTasks).toHaveLength(6);
    expect((await describeTasks({ statusCode: 'COMPLETED' })).exportTasks).toEqual([]);
    const invalid = await describeTasks({ nextToken: 'made-up' }).catch((error) => error);
    expect(invalid).toMatchObject({
      name: 'InvalidParameterException',
      message: 'The specified nextToken is invalid.',
    });
  });

  test('are cancelled at once, and only once', async () => {
    const taskId = await create();
    await cancel(taskId);
    const [task] = (await describeTasks({ taskId })).exportTasks ?? [];
    const again = await cancel(taskId).catch((error) => error);
    const unknown = await cancel(randomUUID()).catch((error) => error);
    const odd = await cancel('é\u0000').catch((error) => error);

    expect(task?.status).toEqual({ code: 'CANCELLED' });
    expect(task?.executionInfo?.completionTime).toEqual(expect.any(Number));
    expect(again).toMatchObject({
      name: 'InvalidOperationException',
      message: 'The specified export task has already finished',
    });
    expect(unknown).toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified export task does not exist.',
    });
    expect(odd.$metadata.httpStatusCode).toBe(400);
    expect((await describeTasks({ taskId: randomUUID() })).exportTasks).toEqual([]);
  });

  test('are refused only at the limit of waiting slices', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, () => send({ ...order, to: 7 })));

    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, body } of refused) {
      expect(status).toBe(400);
      expect(body).toEqual({
        __type: 'LimitExceededException',
        message: 'Resource limit exceeded.',
      });
    }
    expect(
      (await describeTasks({ statusCode: 'PENDING' })).exportTasks?.length,
    ).toBeLessThanOrEqual(8);
  });
});

describe('a task behind another', () => {
  useWire(() => ({ emulator: { runningMs: 3_600_000 } }));

  test('is answered at once, also to a repeat of its create', async () => {
    const invocationId = randomUUID();
    await untilStatus(await create(), 'RUNNING');

    const first = await send(order, { invocationId });
    const repeat = send(order, { invocationId });
    const waits = wire.waitFor(() => wire.waiting() > 0).then(() => 'waits');

    expect(await Promise.race([repeat, waits])).toMatchObject({ body: first.body });
  });
});
