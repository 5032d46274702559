import { gunzipSync } from 'node:zlib';
import {
  CreateExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { bucket, logGroupName, openBench, startAt } from './bench.ts';

it('runs a task from PENDING over RUNNING to COMPLETED by the clock and writes its objects', async () => {
  await using bench = await openBench();
  const { emulator, logs, s3, order } = bench;
  const event = { timestamp: startAt - 1000, message: 'paid' };
  emulator.seed.logEvents({ logGroupName, logStreamName: 'a/b', events: [event] });

  const { taskId } = await logs.send(new CreateExportTaskCommand(order));

  const look = async () =>
    (await logs.send(new DescribeExportTasksCommand({ taskId }))).exportTasks;
  expect(await look()).toEqual([
    {
      ...order,
      taskId,
      destinationPrefix: 'exportedlogs',
      status: { code: 'PENDING' },
      executionInfo: { creationTime: startAt },
    },
  ]);
  emulator.clock.advance(500);
  expect(await look()).toMatchObject([
    { status: { code: 'RUNNING', message: 'Started Successfully' } },
  ]);
  emulator.clock.advance(60_000);
  expect(await look()).toMatchObject([
    {
      status: { code: 'COMPLETED', message: 'Completed successfully' },
      executionInfo: { creationTime: startAt, completionTime: startAt + 1500 },
    },
  ]);
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  const key = `exportedlogs/${taskId}/a-b/000000.gz`;
  expect(Contents?.map(({ Key }) => Key)).toEqual(['aws-logs-write-test', key]);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  expect(gunzipSync((await Body?.transformToByteArray()) ?? '').toString()).toBe(
    '2026-03-01T11:59:59.000Z paid\n',
  );
});
