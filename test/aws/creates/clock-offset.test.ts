import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';

import { pointSdkAt } from '../../world.ts';
import { openLogs } from '../open-logs.ts';

const task = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };

test('a create is signed with the clock of AWS, after an answer that shows it', async () => {
  const dates: unknown[] = [];
  const expired = JSON.stringify({
    __type: 'InvalidSignatureException',
    message: 'Signature expired',
  });
  await using server = createServer((request, response) => {
    dates.push(request.headers['x-amz-date']);
    request.resume();
    response.setHeader('date', 'Thu, 01 Jan 2026 12:00:00 GMT');
    if (dates.length === 1) response.writeHead(400).end(expired);
    else response.end('{"taskId":"of-the-test"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  pointSdkAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  using logs = openLogs({ now: () => Date.UTC(2026, 0, 1, 9, 30) });

  const outcomes = [await logs.createExportTask(task), await logs.createExportTask(task)];
  server.closeAllConnections();

  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['refused', 'accepted']);
  expect(dates).toEqual(['20260101T093000Z', '20260101T120000Z']);
});
