import { hash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Guard, openGuard } from '../../auth/guard.ts';
import { temporaryDir } from '../../database/homes.ts';
import { talk } from '../../edge/raw.ts';
import { openWire, type Wire } from '../open-wire.ts';
import { bytesOf, type CapturedRequest, capturedKey, captures, signedAt } from './captures.ts';

// The bytes that real clients sent, with the clock of the gateway turned back to the moment of their signature.

let guard: Guard;
let wire: Wire;
let now = 0;
let databaseNow = Date.now();
let nextTaskId: string | undefined;

beforeAll(async () => {
  const apiKeysFile = join(temporaryDir(afterAll), 'api-keys.json');
  const { name, wireSecret } = capturedKey;
  writeFileSync(apiKeysFile, JSON.stringify([{ name, sha256: hash('sha256', name), wire: 1 }]));
  guard = await openGuard(
    {
      methods: ['api-key'],
      apiKeysFile,
      signatures: { secrets: [wireSecret], basePath: '' },
    },
    { now: () => now },
  );
  wire = await openWire({
    access: guard.access,
    isDispatching: false,
    newId,
    // Three seconds later at every look: so no create waits for AWS.
    jobs: { clock: () => (databaseNow += 3_000) },
  });
});
afterAll(async () => {
  await wire[Symbol.asyncDispose]();
  await guard[Symbol.asyncDispose]();
});

/** The task id that the client knows, once. Fastify passes a request when it wants the id of a request. */
function newId(request?: unknown): string {
  const known = request === undefined ? nextTaskId : undefined;
  if (known !== undefined) nextTaskId = undefined;
  return known ?? randomUUID();
}

/** Sends a request byte for byte, and returns the status and the parsed body of the answer. */
async function replay(request: CapturedRequest, bytes = bytesOf(request)): Promise<unknown[]> {
  now = signedAt(request);
  nextTaskId = request.taskId;
  const { answers } = await talk(wire.port, bytes);
  return answers.flatMap(({ status, text }) => [status, text === '' ? '' : JSON.parse(text)]);
}

const asked = {
  logGroupName: '/app',
  from: 1_714_521_600_000,
  to: 1_714_607_999_999,
  destination: 'archive',
  destinationPrefix: 'exports/app',
};

/** What the client must get; `taskId` is that of its latest create. */
function answerTo({ operation, body }: CapturedRequest, taskId: string | undefined): unknown[] {
  if (operation === 'CreateExportTask') return [200, { taskId }];
  if (operation === 'CancelExportTask') return [200, ''];
  if (operation === 'DescribeLogGroups') {
    return [200, { logGroups: [expect.objectContaining({ logGroupName: '/app' })] }];
  }
  const task = expect.objectContaining({
    ...asked,
    taskId,
    taskName: 'nightly',
    status: { code: 'PENDING' },
  });
  const isById = body.includes('taskId');
  return [200, { exportTasks: isById ? [task] : expect.arrayContaining([task]) }];
}

describe.each(captures)('the requests of $client', ({ requests }) => {
  test('create, describe and cancel tasks, each create once', async () => {
    let taskId: string | undefined;
    const answers: unknown[] = [];
    const expected: unknown[] = [];
    for (const request of requests) {
      taskId = request.taskId ?? taskId;
      answers.push(await replay(request));
      expected.push(answerTo(request, taskId));
    }

    expect(answers).toEqual(expected);
  });

  test('return the same tasks when they are replayed', async () => {
    const creates = requests.filter(({ taskId }) => taskId !== undefined);
    const answers: unknown[] = [];
    for (const create of creates) answers.push(await replay({ ...create, taskId: randomUUID() }));

    expect(answers).toEqual(creates.map(({ taskId }) => [200, { taskId }]));
  });

  test('are rejected with another body', async () => {
    const [create] = requests;
    if (!create) throw new Error('Nothing was captured.');
    const changed = bytesOf(create).replace('exports/app', 'exports/bpp');

    expect(await replay(create, changed)).toEqual([
      400,
      {
        __type: 'InvalidSignatureException',
        message: expect.stringMatching(/^The request signature we calculated does not match/),
      },
    ]);
  });
});
