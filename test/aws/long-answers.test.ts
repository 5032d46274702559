import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';

import { makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { AwsRegion } from '#aws/regions/open-aws.ts';
import { readCallerAccount } from '#aws/sessions/sts.ts';
import { makeSinkCalls } from '#aws/sinks/sink-calls.ts';
import { makeStorageCalls } from '#aws/storage/calls/storage-calls.ts';
import { makeStorage } from '#aws/storage/make-storage.ts';
import type { Reading } from '#aws/storage/storage.ts';
import { pointSdkAt, region } from '../world.ts';
import { openLogs, openTestAws } from './open-logs.ts';

const chunk = Buffer.alloc(65_536, ' ');
// Far above the longest answer and the buffers of two sockets together.
const floodBytes = 64 * 2 ** 20;

/** A peer that is not AWS: it answers each request with 64 MiB, as fast as they are read. */
async function openFlood() {
  let sent = 0;
  const server = createServer((request, response) => {
    request.resume();
    const write = () => {
      while (sent < floodBytes && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  pointSdkAt(url);
  return {
    url,
    sentBytes: () => sent,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const tooLong = { name: 'UnexpectedAnswer', message: 'The answer of AWS is too long' };
const message = { id: 'msg_1', type: 'x', at: 0, target: 'default', group: 'job-1', body: '{}' };
const own = { credentials: undefined, record: () => {} };
const storageOf = (aws: AwsRegion) =>
  makeStorage(makeStorageCalls({ region: aws, ...own }), { accountId: undefined, region });

function throwProblem(reading: Reading<unknown>): never {
  throw reading.outcome === 'unknown' ? reading.problem : new Error(reading.outcome);
}

test.for<[service: string, call: (aws: AwsRegion) => Promise<unknown>]>([
  ['CloudWatch Logs', (aws) => makeCloudWatchLogs({ region: aws, ...own }).describeExportTasks({})],
  ['S3', (aws) => storageOf(aws).listObjects({ bucket: 'archive', prefix: '' })],
  ['KMS', (aws) => storageOf(aws).readKeyPolicy('a-key').then(throwProblem)],
  ['SNS', (aws) => makeSinkCalls({ region: aws, ...own }).publish('arn:aws:sns:a:1:b', message)],
  ['EventBridge', (aws) => makeSinkCalls({ region: aws, ...own }).putEvent('a-bus', message)],
])('an answer of %s is unexpected, and is no longer read, after 8 MiB', async ([, call]) => {
  using flood = await openFlood();
  using aws = openTestAws();

  const answer = call(aws.region(region));

  await expect(answer).rejects.toMatchObject({ slug: 'aws-unexpected', cause: tooLong });
  expect(flood.sentBytes()).toBeLessThan(floodBytes);
});

test('an answer of STS is no longer read after 8 MiB', async () => {
  using flood = await openFlood();
  using aws = openTestAws();

  const account = readCallerAccount({ region: aws.region(region), ...own });

  await expect(account).rejects.toMatchObject(tooLong);
  expect(flood.sentBytes()).toBeLessThan(floodBytes);
});

test('an answer to a create through a proxy is unknown, and is no longer read, after 256 KiB', async () => {
  using flood = await openFlood();
  using logs = openLogs({ proxyEnv: { HTTP_PROXY: flood.url } });
  const task = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };

  const created = await logs.createExportTask(task);

  expect(created).toMatchObject({ outcome: 'unknown', cause: tooLong });
  expect(flood.sentBytes()).toBeLessThan(floodBytes);
});
