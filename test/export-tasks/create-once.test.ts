import type { EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';
import type { AwsTimeouts } from '#aws/client/timeouts.ts';
import { createBody, openWorld, region, type World } from '../world.ts';

// Failures of the one call that cannot be retried. In every row, the caller must get the true outcome,
// and AWS must receive one create.

/** The slot stays busy during the test, or every task ends at once. */
const slotStaysBusy: EmulatorOptions = { pendingMs: 60_000 };
const slotIsFreeAtOnce: EmulatorOptions = { pendingMs: 0, runningMs: 0 };

type CreateFault = Fault extends infer Kind
  ? Kind extends Fault
    ? Omit<Kind, 'operation'>
    : never
  : never;

const lostAnswers: {
  row: string;
  emulator: EmulatorOptions;
  fault: CreateFault;
  timeouts?: Partial<AwsTimeouts>;
}[] = [
  {
    row: 'A1: effect, then a reset, slot busy',
    emulator: slotStaysBusy,
    fault: { kind: 'reset-after' },
  },
  {
    row: 'A2: effect, then a reset, task ended before the look-up',
    emulator: slotIsFreeAtOnce,
    fault: { kind: 'reset-after' },
  },
  {
    row: 'A3: effect, then 503',
    emulator: slotStaysBusy,
    fault: { kind: 'error', status: 503, code: 'ServiceUnavailableException', afterEffect: true },
  },
  {
    row: 'A4: effect, then 500, slot free',
    emulator: slotIsFreeAtOnce,
    fault: { kind: 'error', status: 500, code: 'InternalFailure', afterEffect: true },
  },
  {
    row: 'A5: effect, then a truncated answer',
    emulator: slotStaysBusy,
    fault: { kind: 'cut-body' },
  },
  {
    row: 'A6: effect, then 200 with HTML',
    emulator: slotStaysBusy,
    fault: { kind: 'replace-body', body: '<html>proxy</html>', contentType: 'text/html' },
  },
  {
    row: 'A7: effect, then 200 with an empty body',
    emulator: slotStaysBusy,
    fault: { kind: 'replace-body', body: '' },
  },
  {
    row: 'A8: effect, then 200 without a task id',
    emulator: slotStaysBusy,
    fault: { kind: 'replace-body', body: '{}' },
  },
  {
    row: 'A9: effect, then a reset, as for every retry',
    emulator: slotIsFreeAtOnce,
    fault: { kind: 'reset-after', count: 3 },
  },
  {
    row: 'C1: effect, then no answer',
    emulator: slotStaysBusy,
    fault: { kind: 'silence-after' },
  },
  {
    row: 'C2: effect, then no answer, task ended before the look-up',
    emulator: slotIsFreeAtOnce,
    fault: { kind: 'silence-after' },
    // Long enough that only the request timeout of the SDK can end the call.
    timeouts: { connectMs: 600_000 },
  },
  {
    row: 'C3: effect, then no answer, as for every retry',
    emulator: slotStaysBusy,
    fault: { kind: 'silence-after', count: 3 },
  },
  {
    row: 'C4: no answer, and the effect comes after the timeout',
    emulator: slotStaysBusy,
    fault: { kind: 'late-effect', delayMs: 1_000, meanwhile: 'silence' },
  },
  {
    row: 'C5: effect, then half an answer on an open connection',
    emulator: slotStaysBusy,
    fault: { kind: 'stall-body' },
  },
];

describe('a create whose answer is lost', () => {
  test.for(lostAnswers)(
    'returns 201 with its task: $row',
    async ({ emulator, fault, timeouts = {} }) => {
      await using world = await openWorld({ emulator, timeouts, isTimeoutSkipped: true });
      addFault(world, fault);

      const answer = await world.call('POST', '/export-tasks', createBody);

      expect(answer.status).toBe(201);
      expect(ourTasks(world)).toEqual([answer.body.taskId]);
      expect(world.creates()).toHaveLength(1);
    },
  );

  test('is found by all its values, including exact 64-bit integers', async () => {
    await using world = await openWorld({ emulator: slotStaysBusy });
    addFault(world, { kind: 'reset-after' });
    const exact = JSON.stringify({ ...createBody, taskName: 'mine' }).replace(
      /"to":\d+/,
      '"to":1152921504606846976',
    );

    const answer = await world.call('POST', '/export-tasks', exact);

    expect(answer.status).toBe(201);
    expect(ourTasks(world)).toEqual([answer.body.taskId]);
  });

  test('is found when the clocks of the gateway and AWS differ by an hour', async () => {
    await using world = await openWorld({
      emulator: { ...slotStaysBusy, startAt: Date.now() - 3_600_000 },
    });
    addFault(world, { kind: 'reset-after' });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(201);
  });

  test('is found when it takes effect during the look-up', async () => {
    await using world = await openWorld({ emulator: slotStaysBusy });
    addFault(world, { kind: 'late-effect', delayMs: 1_000 });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(201);
    expect(ourTasks(world)).toEqual([answer.body.taskId]);
  });

  test('is found when AWS lists it late', async () => {
    await using world = await openWorld({ emulator: slotStaysBusy });
    addFault(world, { kind: 'reset-after' });
    world.emulator.faults.add({
      operation: 'DescribeExportTasks',
      kind: 'stale-listing',
      lagMs: 10_000,
      count: 4,
    });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(201);
  });

  test('is not matched with an equal task that was reported to another caller', async () => {
    await using world = await openWorld({ emulator: slotIsFreeAtOnce });
    const first = await world.call('POST', '/export-tasks', createBody);
    addFault(world, { kind: 'reset-before' });

    const second = await world.call('POST', '/export-tasks', createBody);

    expect(first.status).toBe(201);
    expect(second.status).toBe(504);
    expect(ourTasks(world)).toEqual([first.body.taskId]);
  });

  test('is not matched with the task of an equal create that AWS has not answered yet', async () => {
    await using world = await openWorld({ emulator: slotIsFreeAtOnce });
    addFault(world, { kind: 'delay', ms: 2_000, afterEffect: true });
    addFault(world, { kind: 'reset-before' });
    const first = world.call('POST', '/export-tasks', createBody);
    await world.waitFor(() => ourTasks(world).length === 1);

    const second = await world.call('POST', '/export-tasks', createBody);

    const { status, body } = await first;
    expect([status, second.status]).toEqual([201, 504]);
    expect(ourTasks(world)).toEqual([body.taskId]);
  });

  test.for([
    ['an older one', { createdBefore: 60_000 }],
    ['one with another name', { order: { taskName: 'other' } }],
    ['one of another range', { order: { to: 5n } }],
    ['one to another prefix', { order: { destinationPrefix: 'elsewhere' } }],
    ['one to another bucket', { order: { destination: 'other-bucket' } }],
    ['one of another log group', { order: { logGroupName: '/other' } }],
  ] as const)('is not confused with a task that differs: %s', async ([, difference]) => {
    await using world = await openWorld();
    const equal = { ...createBody, from: BigInt(createBody.from), to: BigInt(createBody.to) };
    const other = 'order' in difference ? difference.order : {};
    world.emulator.seed.foreignTask({ region, durationMs: 1, order: { ...equal, ...other } });
    world.emulator.clock.advance('createdBefore' in difference ? difference.createdBefore : 1);
    addFault(world, { kind: 'reset-before' });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(504);
    expect(answer.body.type).toBe('/problems/outcome-unknown');
  });
});

// Behaviour of AWS that nobody has verified.
const guesses: EmulatorOptions[] = [
  { shownPrefix: 'trimmed' },
  { pendingHasExecutionInfo: false },
  { filteredOrder: 'oldest-first' },
  { filteredOrder: 'by-id' },
  { emptyPages: 'last' },
  { emptyPages: 'everywhere' },
  { listedAfterMs: 3_000 },
  { keepFinishedTasksMs: 0 },
  { checkOrder: ['activeLimit', 'logGroup', 'bucket'] },
  { shownStatusCodes: { PENDING: 'QUEUED', RUNNING: 'EXPORTING' } },
];

describe('a create that took effect and was answered with 500', () => {
  test.for(guesses)('is never called absent if AWS does this: %j', async (guess) => {
    let clock = () => 0;
    await using world = await openWorld({
      emulator: { ...guess, pendingMs: 300, startAt: Date.now() },
      elapsed: () => clock(),
    });
    clock = world.emulator.clock.now; // the pauses of the look-up advance it, too
    world.emulator.seed.finishedTasks({ region, count: 60 });
    addFault(world, {
      kind: 'error',
      status: 500,
      code: 'InternalFailure',
      afterEffect: true,
    });

    const answer = await world.call('POST', '/export-tasks', {
      ...createBody,
      destinationPrefix: 'a/b/',
    });

    expect(answer.status).toBe(201);
    expect(ourTasks(world)).toContain(answer.body.taskId);
    expect(world.creates()).toHaveLength(1);
  });
});

/** Answers of AWS after which it is unknown whether the task was created. */
const inconclusiveAnswers = [
  ['503', { kind: 'error', status: 503, code: 'ServiceUnavailableException' }],
  ['500', { kind: 'error', status: 500, code: 'InternalFailure' }],
  ['400 ServiceUnavailable', { kind: 'error', status: 400, code: 'ServiceUnavailableException' }],
  ['OperationAborted', { kind: 'error', code: 'OperationAbortedException' }],
  ['ResourceAlreadyExists', { kind: 'error', code: 'ResourceAlreadyExistsException' }],
  ['an unknown 4xx', { kind: 'error', status: 400, code: 'NewException' }],
] as const;

describe('a create that AWS may still execute', () => {
  test('returns 504 outcome-unknown with a remedy', async () => {
    await using world = await openWorld();
    addFault(world, { kind: 'reset-before' });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(504);
    expect(answer.body).toMatchObject({ type: '/problems/outcome-unknown', isRetryable: false });
    expect(answer.body.remedy).toContain('GET /export-tasks');
    expect(world.creates()).toHaveLength(1);
  });

  test('is not reported as absent when AWS cannot be reached', async () => {
    await using world = await openWorld();
    addFault(world, { kind: 'error', status: 503, code: 'ServiceUnavailableException' });
    const kind = { kind: 'error', status: 500, code: 'InternalFailure', count: 100 } as const;
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...kind });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(504);
    expect(answer.body.detail).toContain('could not read the whole list');
  });

  test.for(inconclusiveAnswers)(
    'returns 504 with the error of AWS when AWS answers %s and does not list the task',
    async ([, fault]) => {
      await using world = await openWorld();
      addFault(world, fault);

      const answer = await world.call('POST', '/export-tasks', createBody);

      expect(answer.status).toBe(504);
      expect(answer.body).toMatchObject({
        type: '/problems/outcome-unknown',
        isRetryable: false,
        awsErrorCode: fault.code,
        awsRequestId: expect.any(String),
        detail: expect.stringMatching(
          /AWS may have created the task or not\. AWS does not list the task yet/,
        ),
        remedy: expect.stringContaining('GET /export-tasks'),
      });
      expect(answer.headers.has('retry-after')).toBe(false);
      expect(ourTasks(world)).toEqual([]);
    },
  );

  test.for(inconclusiveAnswers)(
    'returns 504 when AWS answers %s and lists the task only after the look-up',
    async ([, fault]) => {
      let clock = () => 0;
      await using world = await openWorld({
        emulator: { listedAfterMs: 12_000, startAt: Date.now() },
        elapsed: () => clock(),
      });
      clock = world.emulator.clock.now;
      addFault(world, { ...fault, afterEffect: true });

      const answer = await world.call('POST', '/export-tasks', createBody);
      world.emulator.clock.advance(12_000);
      const list = await world.call('GET', '/export-tasks');

      expect([answer.status, answer.body.type]).toEqual([504, '/problems/outcome-unknown']);
      expect(list.body.exportTasks).toHaveLength(1);
      expect(world.creates()).toHaveLength(1);
    },
  );
});

describe('a create that AWS refuses', () => {
  test('B1: returns 429 with the slot holder and its start, after one call', async () => {
    await using world = await openWorld();
    const foreign = { logGroupName: '/theirs', taskName: 'by hand' };
    const taskId = world.emulator.seed.foreignTask({ region, durationMs: 60_000, order: foreign });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({
      type: '/problems/export-slot-taken',
      awsErrorCode: 'LimitExceededException',
      slotHolder: { taskId, ...foreign, since: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(world.creates()).toHaveLength(1);
    expect(ourTasks(world)).toEqual([taskId]);
  });

  test('B1: returns the slot holder even if a list without it was just read', async () => {
    await using world = await openWorld();
    await world.call('GET', '/export-tasks?limit=50');
    const taskId = world.emulator.seed.foreignTask({ region, durationMs: 60_000 });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.body.slotHolder.taskId).toBe(taskId);
  });

  test('B1: returns 429 without a slot holder when AWS cannot be reached', async () => {
    await using world = await openWorld();
    world.emulator.seed.foreignTask({ region, durationMs: 60_000 });
    const kind = { kind: 'error', code: 'ThrottlingException', count: 100 } as const;
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...kind });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(429);
    expect(answer.body.type).toBe('/problems/export-slot-taken');
    expect(answer.body.slotHolder).toBeUndefined();
  });

  test('B2: returns 429 aws-throttled after one call', async () => {
    await using world = await openWorld();
    addFault(world, { kind: 'error', code: 'ThrottlingException', message: 'Rate exceeded' });

    const answer = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(429);
    expect(answer.body.type).toBe('/problems/aws-throttled');
    expect(world.creates()).toHaveLength(1);
    expect(ourTasks(world)).toEqual([]);
  });

  test('B3: returns 502 for an expired session, and the next create uses a new session', async () => {
    const roleArn = 'arn:aws:iam::123456789012:role/log-export';
    await using world = await openWorld({ targets: [{ name: 'default', region, roleArn }] });
    const message = 'The security token included in the request is expired';
    addFault(world, { kind: 'error', code: 'ExpiredTokenException', message });

    const answer = await world.call('POST', '/export-tasks', createBody);
    const again = await world.call('POST', '/export-tasks', createBody);

    expect(answer.status).toBe(502);
    expect(answer.body).toMatchObject({
      type: '/problems/service-role-unusable',
      isRetryable: true,
    });
    expect(again.status).toBe(201);
    expect(world.calls('AssumeRole')).toHaveLength(1);
    expect(ourTasks(world)).toEqual([again.body.taskId]);
  });

  test('B4: returns 502 for an expired signature, and the next create is signed with the right time', async () => {
    await using world = await openWorld();
    const message = 'Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z';
    addFault(world, { kind: 'error', code: 'InvalidSignatureException', message });

    const answer = await world.call('POST', '/export-tasks', createBody);
    const again = await world.call('POST', '/export-tasks', createBody);

    expect(answer.body).toMatchObject({
      type: '/problems/service-role-unusable',
      isRetryable: true,
    });
    expect(again.status).toBe(201);
    expect(ourTasks(world)).toEqual([again.body.taskId]);
  });
});

test('D9: a create returns 503 with nothing sent when the port is closed', async () => {
  await using world = await openWorld();
  await world.emulator.close();

  const answer = await world.call('POST', '/export-tasks', createBody);

  expect(answer.status).toBe(503);
  expect(answer.body).toMatchObject({ type: '/problems/aws-unavailable', isRetryable: true });
  expect(answer.body.detail).toContain('Nothing was sent');
  expect(world.creates()).toHaveLength(0);
});

test('AWS_MAX_ATTEMPTS and AWS_RETRY_MODE do not cause a second create', async () => {
  await using world = await openWorld();
  Object.assign(process.env, { AWS_MAX_ATTEMPTS: '5', AWS_RETRY_MODE: 'adaptive' });
  addFault(world, { kind: 'error', code: 'ThrottlingException', count: 5 });

  const answer = await world.call('POST', '/export-tasks', createBody);

  expect(answer.status).toBe(429);
  expect(world.creates()).toHaveLength(1);
});

function addFault(world: World, fault: CreateFault): void {
  world.emulator.faults.add({ operation: 'CreateExportTask', ...fault } as Fault);
}

function ourTasks(world: World): string[] {
  return world.emulator.exportTasks().map((task) => task.taskId);
}
