import type { Emulator } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { gatewayItself, makeAudit } from '#audit/audit.ts';
import { sessionNameOf } from '#aws/sessions/session-name.ts';
import { openTargets } from '#targets/open-targets.ts';
import { as, callersBy } from '../access.ts';
import { longTimeouts } from '../aws-timeouts.ts';
import { openQueue } from '../export-jobs/open-queue.ts';
import { createBody, type LogLine, openWorld, region, type WorldOptions } from '../world.ts';

const accountId = '210987654321';
const roleArn = `arn:aws:iam::${accountId}:role/log-export`;

const awsCalls = (audit: LogLine[]) => audit.filter((line) => line.audit === 'aws-call');

/** The requests in a journal and the calls in an audit, reduced to what both must have in common. */
const requestsIn = (emulator: Emulator) =>
  emulator.journal
    .entries()
    .map(({ requestId, service, operation }) => ({ awsRequestId: requestId, service, operation }));
const callsIn = (audit: LogLine[]) =>
  awsCalls(audit).map(({ awsRequestId, service, operation }) => ({
    awsRequestId,
    service,
    operation,
  }));

/** A world with a role. Its audit and its journal begin at the same time. */
async function openAudited(options: WorldOptions = {}) {
  const world = await openWorld({
    isSessionScoped: true,
    targets: [{ name: 'default', region, roleArn }],
    access: callersBy(() => true),
    ...options,
  });
  world.emulator.seed.logGroup({ region, accountId, logGroupName: '/app' });
  world.emulator.seed.bucket({ region, accountId, bucket: 'archive' });
  world.audit.length = 0;
  return world;
}

describe('the audit entry of a request to AWS', () => {
  test('is written once for each request, with principal, operation, resources and outcome', async () => {
    await using world = await openAudited({ emulator: { pendingMs: 600_000 } });
    const alice = as('alice');

    const { body } = await world.call('POST', '/export-tasks', createBody, alice);
    await world.call('GET', `/export-tasks/${body.taskId}`, undefined, alice);
    await world.call('GET', '/export-tasks?limit=1', undefined, as('bob'));
    await world.call('POST', `/export-tasks/${body.taskId}/cancel`, undefined, alice);
    await world.targets.find(undefined).logs.describeLogGroups({});

    const { logGroupName, destination, destinationPrefix } = createBody;
    const what = { logGroupName, destination, destinationPrefix };
    const { taskId } = body;
    expect(callsIn(world.audit)).toEqual(requestsIn(world.emulator));
    const logs = { audit: 'aws-call', service: 'logs', target: 'default', outcome: 'ok' };
    const lines = awsCalls(world.audit).map(({ time: _, awsRequestId: __, ...line }) => line);
    expect(lines.slice(0, 4)).toEqual([
      {
        ...logs,
        service: 'sts',
        principal: 'test#alice',
        operation: 'AssumeRole',
        sourceIdentity: sessionNameOf('test#alice'),
        ...what,
      },
      { ...logs, principal: 'test#alice', operation: 'CreateExportTask', ...what, taskId },
      { ...logs, principal: 'test#alice', operation: 'DescribeExportTasks' },
      { ...logs, principal: 'test#bob', operation: 'DescribeExportTasks' },
    ]);
    expect(lines).toContainEqual({
      ...logs,
      principal: 'test#alice',
      operation: 'CancelExportTask',
      taskId,
    });
    expect(lines.at(-1)).toEqual({
      ...logs,
      principal: gatewayItself,
      operation: 'DescribeLogGroups',
    });
  });

  test('is written for requests at startup and for the renewal of a session', async () => {
    await using world = await openWorld({ emulator: { startAt: Date.UTC(2026, 0, 1) } });
    const { clock } = world.emulator;
    const lines: LogLine[] = [];
    const targets = openTargets({
      settings: [{ name: 'other', region, roleArn }],
      isSessionScoped: false,
      audit: makeAudit({ write: (line: string) => void lines.push(JSON.parse(line)) }),
      timeouts: longTimeouts,
      callsPerSecond: 0,
      sessionName: 'test',
      now: clock.now,
      elapsed: clock.now,
      sleep: async () => {},
      isSlotExclusive: false,
      random: () => 0,
      log: { info() {}, warn() {}, error() {} },
    });

    await targets.whenReady;
    clock.advance(16 * 60_000);
    await targets.find('other').logs.describeExportTasks({});
    await targets[Symbol.asyncDispose]();

    expect(callsIn(lines)).toEqual(requestsIn(world.emulator));
    expect(lines.map(({ operation }) => operation)).toEqual([
      'AssumeRole',
      'GetCallerIdentity',
      'AssumeRole',
      'DescribeExportTasks',
    ]);
    for (const line of lines) {
      expect(line).toMatchObject({ principal: gatewayItself, target: 'other', outcome: 'ok' });
    }
  });

  test('is written for each request of a job until the job ends', async () => {
    await using queue = await openQueue();
    queue.audit.length = 0;

    await queue.put();
    await queue.runUntilDone();

    const creates = awsCalls(queue.audit).filter((call) => call.operation === 'CreateExportTask');
    expect(callsIn(queue.audit)).toEqual(requestsIn(queue.emulator));
    expect(creates.length).toBeGreaterThan(0);
    for (const { taskName, taskId } of creates) {
      expect(taskName).toMatch(/^xp1-/);
      expect(queue.emulator.exportTasks()).toContainEqual(
        expect.objectContaining({ taskId, taskName }),
      );
    }
  });

  test('names the first caller when callers share one call', async () => {
    await using world = await openAudited();
    const list = (name: string) => world.call('GET', '/export-tasks', undefined, as(name));

    await list('alice');
    await Promise.all(['bob', 'carol'].map(list));

    expect(awsCalls(world.audit)).toMatchObject([{ principal: 'test#alice' }]);
  });
});

describe('the audit entry of a failed call', () => {
  const call = { destination: 'archive', logGroupName: '/app', from: 0n, to: 1n };
  const grant = { ...call, destinationPrefix: 'exportedlogs' };

  test.each([
    ['CreateExportTask', { kind: 'reset-after' }, 'outcome-unknown'],
    ['CreateExportTask', { kind: 'silence-after' }, 'outcome-unknown'],
    ['CreateExportTask', { kind: 'error', status: 500 }, 'InternalFailure'],
    [
      'CreateExportTask',
      { kind: 'error', code: 'LimitExceededException' },
      'LimitExceededException',
    ],
    ['DescribeExportTasks', { kind: 'error', status: 500, count: 3 }, 'InternalFailure'],
    ['DescribeExportTasks', { kind: 'reset-before', count: 3 }, 'aws-unavailable'],
    ['DescribeExportTasks', { kind: 'silence-before', count: 3 }, 'aws-timeout'],
    [
      'CancelExportTask',
      { kind: 'error', code: 'InvalidOperationException' },
      'InvalidOperationException',
    ],
    [
      'DescribeLogGroups',
      { kind: 'error', code: 'AccessDeniedException' },
      'AccessDeniedException',
    ],
  ] as const)('is written once for %s with %o: %s', async (operation, fault, outcome) => {
    await using world = await openAudited({ isSessionScoped: false, isTimeoutSkipped: true });
    world.emulator.faults.add({ operation, ...fault });
    const { logs } = world.targets.find(undefined);
    const calls = {
      CreateExportTask: () => logs.createExportTask(call, { caller: 'p' }),
      DescribeExportTasks: () => logs.describeExportTasks({}, { caller: 'p' }),
      CancelExportTask: () => logs.cancelExportTask('some-task', { caller: 'p' }),
      DescribeLogGroups: () => logs.describeLogGroups({}, { caller: 'p' }),
    };

    await calls[operation]().catch(() => {});

    expect(awsCalls(world.audit)).toMatchObject([{ principal: 'p', operation, outcome }]);
    const answered = world.emulator.journal.entries().filter(({ errorCode }) => errorCode);
    expect(awsCalls(world.audit)[0]?.awsRequestId).toBe(answered.at(-1)?.requestId);
  });

  test.each([
    [{ kind: 'error', code: 'AccessDenied', status: 403 }, 'AccessDenied', 'not-sent'],
    [{ kind: 'silence-before', count: 2 }, 'AbortError', 'not-sent'],
    [
      { kind: 'error', code: 'PackedPolicyTooLarge' },
      'PackedPolicyTooLargeException',
      'PackedPolicyTooLargeException',
    ],
  ] as const)(
    'is written for a session refused with %o, and for the create that was not sent',
    async (fault, ofSts, ofCreate) => {
      await using world = await openAudited({ isTimeoutSkipped: true });
      world.emulator.faults.add({ operation: 'AssumeRole', ...fault });

      await world.targets.find(undefined).logs.createExportTask(call, { caller: 'p', grant });

      const lines = awsCalls(world.audit);
      expect(lines).toMatchObject([
        { principal: 'p', operation: 'AssumeRole', outcome: ofSts },
        { principal: 'p', operation: 'CreateExportTask', outcome: ofCreate },
      ]);
      expect(lines[1]).not.toHaveProperty('awsRequestId');
      expect(world.creates()).toEqual([]);
    },
  );
});

test('the audit contains no roles and no session keys', async () => {
  await using world = await openAudited();

  await world.call('POST', '/export-tasks', createBody, as('alice'));
  await world.call('POST', '/export-tasks', { ...createBody, destination: 'nowhere' }, as('alice'));

  const [issued] = world.calls('AssumeRole');
  const keys = issued?.effect?.kind === 'session-issued' ? issued.effect.accessKeyId : '';
  expect(keys).toMatch(/^ASIA/);
  const written = JSON.stringify(world.audit);
  expect(written).toContain('CreateExportTask');
  for (const secret of [keys, 'ASIA', 'arn:', 'role/', 'secret-of-the-test']) {
    expect(written).not.toContain(secret);
  }
});
