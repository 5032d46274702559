import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';

import { makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { openAws } from '#aws/regions/open-aws.ts';
import { longTimeouts } from '../../aws-timeouts.ts';
import { pointSdkAt, region } from '../../world.ts';

const minuteMs = 60_000;

test('the connections of a Region are closed after five minutes without a call, and opened again', async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end('{"exportTasks":[]}');
    });
  });
  server.keepAliveTimeout = 3_600_000;
  const open = () =>
    new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  pointSdkAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let now = 0;
  const pass = (minutes: number) => {
    for (let passed = 0; passed < minutes; passed += 1) {
      now += minuteMs;
      vi.advanceTimersByTime(minuteMs);
    }
  };
  using aws = openAws({ timeouts: longTimeouts, now: Date.now, elapsed: () => now });
  const logs = makeCloudWatchLogs({ region: aws.region(region), credentials: undefined });

  await logs.describeExportTasks({});
  pass(4);
  await logs.describeExportTasks({});
  pass(4);
  const afterFour = await open();
  pass(1);
  await expect.poll(open).toBe(0);
  await logs.describeExportTasks({});

  expect(afterFour).toBe(1);
  expect(await open()).toBe(1);
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
});
