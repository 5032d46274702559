import fc from 'fast-check';

import { openToAll } from '#auth/access.ts';
import { makeUnverifiedSignatures } from '#auth/authentication/signature/signatures.ts';
import { anonymous } from '#auth/principal.ts';
import { findProblemKind } from '#problems/catalogue.ts';
import { dial, type RawAnswer, readAnswers } from '../edge/raw.ts';
import { createBody, openWorld, type World } from '../world.ts';
import { anyBytes, anyRequest, anySignature, type FuzzRequest } from './arbitraries.ts';

/** The number of requests, the answers by status, and the time of the slowest. */
export interface FuzzReport {
  requests: number;
  connections: number;
  byStatus: Record<string, number>;
  slowestMs: number;
}

/** An answer to check. The answer to a HEAD has no body. */
type CheckedAnswer = RawAnswer & { isBodiless?: boolean };

const atOnce = 10;
const internals = /arn:aws|\.[jt]s:\d|node_modules|AKIDTEST|secret-of-the-test|FST_ERR|HPE_/;

/**
 * Sends requests, and raw bytes on one connection per nine requests. The seed determines all of them.
 * @throws with the smallest counterexample, when an answer is a 5xx or not a valid problem
 */
export async function fuzz({ count, seed }: { count: number; seed: number }): Promise<FuzzReport> {
  await using world = await openWorld({
    emulator: {
      pendingMs: 0,
      runningMs: 0,
      keepFinishedTasksMs: 1_000,
      activeTaskLimit: Number.POSITIVE_INFINITY,
      rateLimits: 'off',
      journalLimit: 1_000,
    },
    jobs: {},
    access: () => ({ ...openToAll, signatures: makeUnverifiedSignatures(anonymous) }),
  });
  await createTask(world);
  const report: FuzzReport = { requests: 0, connections: 0, byStatus: {}, slowestMs: 0 };

  const connections = Math.floor(count / 10);
  const batches = Math.ceil((count - connections) / atOnce);
  await fc.assert(
    fc.asyncProperty(fc.array(anyRequest, { minLength: atOnce, maxLength: atOnce }), (requests) =>
      checkAll(requests.map((request) => send(world, request, report))),
    ),
    { numRuns: batches, seed },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyBytes, { minLength: atOnce, maxLength: atOnce }), (connection) =>
      checkAll(connection.map((bytes) => write(world, bytes, report))),
    ),
    { numRuns: Math.ceil(connections / atOnce), seed },
  );
  return report;
}

/** Puts a task into the queue. Otherwise, each task of an AWS client would wait for the answer of AWS. */
async function createTask({ app }: World): Promise<void> {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'Logs_20140328.CreateExportTask',
    authorization: anySignature,
  };
  const payload = { ...createBody, taskName: 'the first' };
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/',
    headers,
    payload: JSON.stringify(payload),
  });
  if (statusCode !== 200) throw new Error(`no task for AWS clients: ${statusCode}`);
}

async function checkAll(sent: Promise<CheckedAnswer[]>[]): Promise<void> {
  for (const answer of (await Promise.all(sent)).flat()) checkAnswer(answer);
}

async function send(
  world: World,
  request: FuzzRequest,
  report: FuzzReport,
): Promise<CheckedAnswer[]> {
  const beganAt = performance.now();
  const { statusCode: status, headers, payload: text } = await world.app.inject(request);
  report.slowestMs = Math.max(report.slowestMs, performance.now() - beganAt);
  report.requests += 1;
  const answer = { status, headers: headers as RawAnswer['headers'], text };
  return [{ ...counted(answer, report), isBodiless: request.method === 'HEAD' }];
}

/** Writes bytes, and reads until the server closes the connection or is silent for a moment. */
function write(world: World, bytes: string, report: FuzzReport): Promise<CheckedAnswer[]> {
  const socket = dial(world.port);
  let received = '';
  socket.setEncoding('utf8');
  socket.write(bytes, 'latin1');
  report.connections += 1;
  return new Promise((resolve) => {
    socket.setTimeout(20, () => socket.destroy());
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.on('close', () => {
      resolve(readAnswers(received, []).map((answer) => counted(answer, report)));
    });
  });
}

function counted(answer: RawAnswer, report: FuzzReport): RawAnswer {
  report.byStatus[answer.status] = (report.byStatus[answer.status] ?? 0) + 1;
  return answer;
}

/** @throws when the service must not give this answer */
function checkAnswer({ status, headers, text, isBodiless }: CheckedAnswer): void {
  const fail = (why: string) => {
    throw new Error(`${why}: ${status} ${JSON.stringify(headers)} ${text}`);
  };
  if (!(status >= 200 && status < 500)) fail('invalid status');
  if (status < 400 || isBodiless) return;
  if (headers['content-type'] === 'application/x-amz-json-1.1') {
    if (internals.test(text)) fail('internal text');
    if (!/Exception$/.test(JSON.parse(text).__type)) fail('no error of AWS');
    if (headers['x-amzn-requestid'] !== headers['x-request-id']) fail('no request id of AWS');
    return;
  }
  if (!headers['content-type']?.startsWith('application/problem+json')) fail('not a problem');
  if (internals.test(text)) fail('internal text');
  const { type, status: statedStatus, instance, detail } = JSON.parse(text);
  const kind = findProblemKind(String(type).replace('/problems/', ''));
  if (kind?.status !== status || statedStatus !== status) fail('status differs from its type');
  if (instance !== `urn:uuid:${headers['x-request-id']}`) fail('id differs from its header');
  if (typeof detail !== 'string' || detail === '') fail('no detail');
}
