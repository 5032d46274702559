import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { expect, test } from 'vitest';

import { classifyAnswer, classifyError } from '#aws/create-outcome.ts';
import { errorMeanings } from '#aws/error-table.ts';
import { pointSdkAt, region } from '../../world.ts';
import { openLogs } from '../open-logs.ts';

/** An answer of AWS, or of something in front of it. */
interface CannedAnswer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

const requestId = { 'x-amzn-requestid': 'id-of-the-request' };
const bucketText =
  'PutObject call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.';
const messages = [
  'Some text.',
  bucketText,
  'The given bucket does not exist. Please make sure the bucket is valid.',
];
const codes = [...new Set(errorMeanings.map(({ code }) => code)), 'SomethingNewException'];

// The forms in which AWS writes its errors, as recorded or in its documentation.
const errors = codes.flatMap((code) =>
  messages.flatMap((message): CannedAnswer[] => [
    { status: 400, body: JSON.stringify({ __type: code, message }), headers: requestId },
    { status: 400, body: JSON.stringify({ __type: `com.amazonaws#${code}`, Message: message }) },
    { status: 403, body: JSON.stringify({ code, message }) },
    { status: 500, body: JSON.stringify({ __type: code, message }), headers: requestId },
    {
      status: 429,
      body: JSON.stringify({ message }),
      headers: { 'x-amzn-errortype': `${code}:http://internal.amazon.com/` },
    },
  ]),
);

const others: CannedAnswer[] = [
  { status: 200, body: '{"taskId":"a-task"}', headers: requestId },
  { status: 200, body: '{"taskId":"a-task","more":[1]}' },
  { status: 202, body: '{"taskId":"a-task"}' },
  { status: 200, body: '' },
  { status: 204, body: '' },
  ...[
    '{}',
    '{"taskId":null}',
    '{"taskId":""}',
    '{"taskId":7}',
    '[]',
    'null',
    '"text"',
    '{"taskId"',
  ].map((body) => ({ status: 200, body })),
  ...[200, 301, 400, 403, 404, 407, 413, 500, 502, 503, 504].flatMap((status) => [
    { status, body: '<html>a proxy</html>', headers: { 'content-type': 'text/html' } },
    { status, body: '' },
    { status, body: '{}' },
    { status, body: '{"message":"without a code"}', headers: requestId },
  ]),
  { status: 400, body: '{"__type":"SerializationException"}' },
  { status: 400, body: '{"__type":7,"message":{"a":1}}' },
];

/** A server that answers every request with the current canned answer. */
async function openCannedAws() {
  let answer: CannedAnswer = { status: 200, body: '' };
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const contentType = { 'content-type': 'application/x-amz-json-1.1' };
      response.writeHead(answer.status, { ...contentType, ...answer.headers }).end(answer.body);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  pointSdkAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    answerWith(next: CannedAnswer) {
      answer = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const task = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };

test.each([
  ['each error of AWS', errors],
  ['each other answer', others],
])('a create has the outcome of the SDK after %s', async (_what, answers) => {
  await using aws = await openCannedAws();
  using logs = openLogs();
  const sdk = new CloudWatchLogsClient({ region, maxAttempts: 1 });
  const command = new CreateExportTaskCommand(task as never);

  for (const answer of answers) {
    aws.answerWith(answer);
    const ours = await logs.createExportTask(task);
    const theirs = await sdk.send(command).then(classifyAnswer, classifyError);

    expect(toFacts(ours), JSON.stringify(answer)).toEqual(toFacts(theirs));
  }
  sdk.destroy();
});

/** Everything of an outcome but the identity of its error. */
function toFacts(outcome: object): unknown {
  return JSON.parse(
    JSON.stringify(outcome, (name, value) => {
      if (name === '$response') return undefined;
      if (!(value instanceof Error)) return value;
      const { name: code, message } = value;
      return { ...value, code, message };
    }),
  );
}
