import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { awsTimeouts } from '#aws/client/timeouts.ts';
import { makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { openAws } from '#aws/regions/open-aws.ts';

// Creates a task when the process has no free file descriptor, and prints the outcome.
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.setHeader('connection', 'close'); // so that the next create needs a descriptor
    response.end('{"taskId":"of-the-test"}');
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;
Object.assign(process.env, {
  AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  AWS_ACCESS_KEY_ID: 'AKIDTEST',
  AWS_SECRET_ACCESS_KEY: 'secret-of-the-test',
});
const aws = openAws({ timeouts: awsTimeouts, now: Date.now, elapsed: () => performance.now() });
const logs = makeCloudWatchLogs({ region: aws.region('eu-west-1'), credentials: undefined });
const task = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };
await logs.createExportTask(task); // loads all modules

const files: number[] = [];
let code: string | undefined;
while (code === undefined) {
  try {
    files.push(openSync('/dev/null', 'r'));
  } catch (error) {
    code = (error as NodeJS.ErrnoException).code;
  }
}
const result = await logs.createExportTask(task);
for (const file of files) closeSync(file);

const detail = 'problem' in result ? result.problem.detail : undefined;
process.stdout.write(JSON.stringify({ code, outcome: result.outcome, detail }));
aws[Symbol.dispose]();
server.close();
