import { describe, expect, test } from 'vitest';

import { openQueue, type Queue, type QueueOptions } from '../../export-jobs/open-queue.ts';
import type { ReceivedSpan } from './receiver.ts';
import { spansDuring } from './recorded-spans.ts';

const request = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceParent = `00-${request.traceId}-${request.spanId}-01`;

const isAttempt = ({ name }: ReceivedSpan) => name === 'export slice attempt';

/** The spans of a queue while `act` runs. */
async function spansOf(options: QueueOptions, act: (queue: Queue) => Promise<unknown>) {
  await using queue = await openQueue(options);
  return await spansDuring(() => act(queue));
}

/** Checks that each call is a child of an attempt. */
function expectChildren(spans: ReceivedSpan[]): void {
  const attempts = new Map(spans.filter(isAttempt).map((span) => [span.spanId, span]));
  for (const call of spans.filter((span) => !isAttempt(span))) {
    expect(attempts.get(call.parentSpanId ?? '')?.traceId, call.name).toBe(call.traceId);
  }
}

describe('the span of an attempt', () => {
  test('is a trace of its own with a link to the request, and has its create, but no polls', async () => {
    const emulator = { pendingMs: 0, runningMs: 60_000 };
    let jobId = '';
    let requestId: string | undefined;

    const spans = await spansOf({ emulator }, async (queue) => {
      jobId = await queue.put({ traceParent });
      await queue.runUntilDone();
      requestId = queue.calls('CreateExportTask')[0]?.requestId;
    });

    expect(spans.map(({ name }) => name).sort()).toEqual([
      'CloudWatchLogs/CreateExportTask',
      'export slice attempt',
    ]);
    const [attempt] = spans.filter(isAttempt);
    expect(attempt).toMatchObject({
      kind: 'internal',
      parentSpanId: undefined,
      links: [request],
      isError: false,
      attributes: {
        'log_export.target': 'default',
        'log_export.job_id': jobId,
        'log_export.slice': 0,
        'log_export.attempt': 1,
        'log_export.outcome': 'completed',
      },
      events: [{ name: 'task created' }, { name: 'task completed' }],
    });
    expect(attempt?.traceId).not.toBe(request.traceId);
    expect(attempt?.durationMs).toBeGreaterThanOrEqual(60_000);
    expect(attempt?.attributes['log_export.polls']).toBeGreaterThan(0);
    expectChildren(spans);
    expect(spans.find((span) => !isAttempt(span))?.attributes['aws.request_id']).toBe(requestId);
  });

  test('names the problem of each failed attempt, and the later ones have the same link', async () => {
    const spans = await spansOf({}, async (queue) => {
      queue.emulator.faults.add({ kind: 'task-fails', operation: 'CreateExportTask' });
      await queue.put({ traceParent });
      await queue.runUntilDone();
    });

    expect(spans.filter(isAttempt)).toMatchObject([
      { isError: true, links: [request], attributes: { 'error.type': 'export-task-failed' } },
      { isError: false, links: [request], attributes: { 'log_export.attempt': 2 } },
    ]);
  });

  test('is made once when the replica that began it has died, and has the listings of the other', async () => {
    const spans = await spansOf({ replicas: 0 }, async (queue) => {
      await queue.put({ traceParent });
      const first = await queue.openReplica({ diesAt: 'before-outcome' });
      await queue.time.runUntil(first.isDown);
      await queue.openReplica();
      await queue.runUntilDone();
    });

    expect(spans.filter(isAttempt)).toMatchObject([
      { links: [request], attributes: { 'log_export.attempt': 1 } },
    ]);
    expect(new Set(spans.map(({ name }) => name))).toEqual(
      new Set([
        'CloudWatchLogs/CreateExportTask',
        'CloudWatchLogs/DescribeExportTasks',
        'export slice attempt',
      ]),
    );
    expectChildren(spans);
  });

  test('is made after a restart, and is the parent of the create before it', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 60_000 } });

    const before = await spansDuring(async () => {
      await queue.put({ traceParent });
      await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
      await queue.replicas[0]?.close();
    });
    const after = await spansDuring(async () => {
      await queue.openReplica();
      await queue.runUntilDone();
    });

    expect(before.map(({ name }) => name)).toEqual(['CloudWatchLogs/CreateExportTask']);
    expect(after).toMatchObject([{ name: 'export slice attempt', links: [request] }]);
    expectChildren([...before, ...after]);
    expect(after[0]?.durationMs).toBeGreaterThanOrEqual(60_000);
  });

  test('has no link if the job has no request with a trace', async () => {
    const spans = await spansOf({}, async (queue) => {
      await queue.put();
      await queue.runUntilDone();
    });

    expect(spans.filter(isAttempt)).toMatchObject([{ links: [] }]);
  });

  test('is not sent if the trace of the request was not recorded', async () => {
    const spans = await spansOf({}, async (queue) => {
      await queue.put({ traceParent: traceParent.replace(/1$/, '0') });
      await queue.runUntilDone();
    });

    expect(spans).toEqual([]);
  });

  test('has the cancel of its task', async () => {
    const spans = await spansOf({ emulator: { runningMs: 600_000 } }, async (queue) => {
      const jobId = await queue.put({ traceParent });
      await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
      await queue.cancel(jobId);
      await queue.runUntilDone();
    });

    expect(spans.filter(isAttempt)).toMatchObject([
      { attributes: { 'log_export.outcome': 'cancelled' } },
    ]);
    expect(spans.map(({ name }) => name)).toContain('CloudWatchLogs/CancelExportTask');
    expectChildren(spans);
  });
});
