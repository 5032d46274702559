import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { region } from '../../world.ts';
import { firstWindowAt, startAt } from '../insert-hourly-job.ts';
import { type Queue, refusal } from '../open-queue.ts';
import {
  openSeededQueue,
  readManifests,
  seedEvents,
  verdictsOf,
  verificationsOf,
} from './seeded-exports.ts';

type Kind<Name extends Fault['kind']> = Omit<Extract<Fault, { kind: Name }>, 'operation'>;
const missing = (count: number | 'all'): Kind<'objects-missing'> => ({
  kind: 'objects-missing',
  missing: count,
});
const late = (delayMs: number, of: number | 'all' = 'all'): Kind<'objects-late'> => ({
  kind: 'objects-late',
  delayMs,
  of,
});
const truncated: Kind<'object-truncated'> = { kind: 'object-truncated' };

const completed = ['slice-verifying', 'slice-completed'];
const repeated = ['slice-verifying', 'slice-waiting: export-incomplete', ...completed];

/** Exports one slice under a fault of its first task. */
async function exportUnder(
  queue: Queue,
  fault: object | undefined,
  job: Parameters<Queue['put']>[0] = {},
): Promise<string> {
  if (fault) queue.emulator.faults.add({ operation: 'CreateExportTask', ...fault } as Fault);
  const jobId = await queue.put(job);
  await queue.runUntilDone();
  return jobId;
}

describe('an export, verified by its objects', () => {
  test('is completed when its objects are in S3, with a manifest of them', async () => {
    await using queue = await openSeededQueue();

    const jobId = await exportUnder(queue, undefined);

    expect(await verdictsOf(queue)).toEqual(completed);
    const [written, ...others] = await readManifests(queue);
    const [task] = queue.emulator.exportTasks();
    expect(others).toEqual([]);
    expect(written?.key).toBe(`jobs/${jobId}/1/_manifest-${task?.taskId}.json`);
    expect(written?.manifest).toMatchObject({
      formatVersion: 1,
      accountId: '123456789012',
      region,
      logGroupName: '/app',
      from: '2024-04-01T00:00:00.000Z',
      to: '2024-04-01T01:00:00.000Z',
      taskId: task?.taskId,
      jobId,
      slice: 0,
      attempt: 1,
      caller: 'anonymous',
      bucket: 'archive',
      prefix: `jobs/${jobId}/1/${task?.taskId}/`,
      verification: 'objects',
      totals: { objects: 3, streams: 3 },
      isEmpty: false,
      objects: [0, 1, 2].map((stream) => ({
        key: `jobs/${jobId}/1/${task?.taskId}/web-${stream}-app/000000.gz`,
        checksum: { algorithm: 'CRC64NVME', value: expect.stringMatching(/^[\w+/]{11}=$/) },
      })),
    });
    expect(written?.manifest).not.toHaveProperty('logStreamNamePrefix');
    const { totals, objects } = written?.manifest ?? {};
    const bytes = objects.reduce((sum: number, { size }: { size: number }) => sum + size, 0);
    expect(totals.bytes).toBe(bytes);
    expect(await verificationsOf(queue)).toMatchObject([
      { objects: 3, bytes, streams: 3, isEmpty: 0, manifestSha256: written?.sha256, owner: null },
    ]);
    const [entry] = await queue.database.queries
      .selectFrom('auditEntries')
      .selectAll()
      .where('change', '=', 'slice-completed')
      .execute();
    expect(entry).toMatchObject({
      action: 'VerifyExport',
      principal: 'log-export-gateway',
      manifestSha256: written?.sha256,
      outcome: 'ok',
    });
  });

  test('ends a fault in the log if exports were complete for an hour', async () => {
    await using queue = await openSeededQueue();
    await exportUnder(queue, missing('all'));
    await queue.time.runFor(61 * 60_000);
    await exportUnder(queue, undefined);

    await exportUnder(queue, missing('all'));

    const lines = queue.log.filter(({ text }) =>
      /^attempt of a slice failed|again$/.test(String(text)),
    );
    expect(lines.map(({ text }) => text)).toEqual([
      'attempt of a slice failed, retrying',
      'slices complete again',
      'attempt of a slice failed, retrying',
    ]);
    expect(lines[2]?.since).not.toBe(lines[0]?.since);
  });

  test('is repeated with another prefix if all its objects are missing', async () => {
    await using queue = await openSeededQueue();

    const jobId = await exportUnder(queue, missing('all'));

    expect(await verdictsOf(queue)).toEqual(repeated);
    expect(await queue.slices(jobId)).toEqual([{ state: 'completed', attempt: 2, problem: null }]);
    const manifests = await readManifests(queue);
    expect(manifests.map(({ manifest }) => manifest.attempt)).toEqual([2]);
    const attempts = queue.database.queries.selectFrom('attempts').select(['outcome', 'problem']);
    const [first, second] = await attempts.orderBy('attempt').execute();
    expect(first?.outcome).toBe('failed');
    expect(JSON.parse(first?.problem ?? '')).toMatchObject({
      type: '/problems/export-incomplete',
      detail: 'AWS exported no objects, but the log group has log events.',
      isRetryable: false,
    });
    expect(second).toEqual({ outcome: 'completed', problem: null });
  });

  test('fails its slice after three attempts without objects', async () => {
    await using queue = await openSeededQueue();

    await exportUnder(queue, { ...missing('all'), count: 3 });

    const problems = (await verdictsOf(queue)).filter((text) => text.includes('incomplete'));
    expect(problems).toEqual([
      'slice-waiting: export-incomplete',
      'slice-waiting: export-incomplete',
      'slice-failed: export-incomplete',
    ]);
  });

  test.each([500, 4_000])('is completed if its objects are %i ms late', async (delayMs) => {
    await using queue = await openSeededQueue();

    await exportUnder(queue, late(delayMs));

    expect(await verdictsOf(queue)).toEqual(completed);
    expect(await verificationsOf(queue)).toMatchObject([{ objects: 3, isEmpty: 0 }]);
  });

  test('is empty if neither S3 nor the log group has anything, after a second look', async () => {
    await using queue = await openSeededQueue({ streams: 0, emulator: { emptyEventPages: 3 } });

    await exportUnder(queue, undefined);

    expect(await verdictsOf(queue)).toEqual(completed);
    const emptinessEvidence = { checkedBy: 'FilterLogEvents', pages: 4, isExhaustive: true };
    const [{ manifest } = {}] = await readManifests(queue);
    expect(manifest).toMatchObject({ isEmpty: true, emptinessEvidence, objects: [] });
    const [row] = await verificationsOf(queue);
    expect(row).toMatchObject({ isEmpty: 1, objects: 0, looks: 2 });
    expect((row?.endedAt ?? 0) - (row?.beganAt ?? 0)).toBeGreaterThanOrEqual(5_000);
    expect(queue.calls('ListObjectsV2').length).toBeGreaterThanOrEqual(2);
  });

  test('is empty without proof if FilterLogEvents has more than 100 pages', async () => {
    await using queue = await openSeededQueue({ streams: 0, emulator: { emptyEventPages: 150 } });

    await exportUnder(queue, undefined);

    expect(queue.calls('FilterLogEvents')).toHaveLength(100);
    expect((await readManifests(queue))[0]?.manifest.emptinessEvidence).toEqual({
      checkedBy: 'FilterLogEvents',
      pages: 100,
      isExhaustive: false,
    });
  });

  test('is empty without proof if the role may not read log events', async () => {
    const deniedActions = { '*': ['logs:FilterLogEvents'] };
    await using queue = await openSeededQueue({ streams: 0, emulator: { deniedActions } });

    await exportUnder(queue, undefined);

    expect(await verdictsOf(queue)).toEqual(completed);
    expect((await readManifests(queue))[0]?.manifest.emptinessEvidence).toEqual({
      checkedBy: 'ListObjectsV2',
      pages: 0,
      isExhaustive: false,
      problem: 'service-role-not-permitted',
    });
    const [row] = await verificationsOf(queue);
    expect(JSON.parse(row?.evidence ?? '').deniedActions).toEqual(['logs:FilterLogEvents']);
  });

  test('is completed without a verification if the role may not list the bucket', async () => {
    const deniedActions = { '*': ['s3:ListBucket'] };
    await using queue = await openSeededQueue({ emulator: { deniedActions } });

    await exportUnder(queue, undefined);

    expect(await verdictsOf(queue)).toEqual(completed);
    expect(await verificationsOf(queue)).toMatchObject([
      { method: 'skipped', objects: null, isEmpty: null, manifestKey: null },
    ]);
  });

  test('is completed without a manifest if the role may not write it', async () => {
    await using queue = await openSeededQueue();
    await queue.put();
    await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
    queue.emulator.options.change({ deniedActions: { '*': ['s3:PutObject'] } });

    await queue.runUntilDone();

    const [row] = await verificationsOf(queue);
    expect(row).toMatchObject({ method: 'objects', objects: 3, manifestKey: null });
    expect(JSON.parse(row?.evidence ?? '')).toEqual({
      manifestProblem: 'service-role-not-permitted',
    });
  });

  test('omits checksums that the role may not read', async () => {
    const deniedActions = { AKIDTEST: ['s3:GetObject'] };
    await using queue = await openSeededQueue({ streams: 30, emulator: { deniedActions } });

    await exportUnder(queue, undefined);

    const [{ manifest } = {}] = await readManifests(queue);
    expect(manifest.objects).toHaveLength(30);
    expect(manifest.objects.filter((object: object) => 'checksum' in object)).toEqual([]);
    // The SDK repeats a refused call here, because of the virtual time.
    expect(queue.calls('HeadObject').length).toBeLessThanOrEqual(3 * 8);
  });

  test('is repeated if its bucket is gone', async () => {
    await using queue = await openSeededQueue();
    queue.emulator.faults.add({
      kind: 'error',
      operation: 'ListObjectsV2',
      code: 'NoSuchBucket',
      status: 404,
      headers: { date: 'unknown' },
    });

    await exportUnder(queue, undefined);

    expect(await verdictsOf(queue)).toEqual(repeated);
  });

  test('stays in verification while AWS does not answer, with the problem, and then completes', async () => {
    await using queue = await openSeededQueue();
    queue.emulator.faults.add({
      kind: 'error',
      operation: 'ListObjectsV2',
      code: 'AccessDeniedByNobody',
      status: 400,
      headers: { date: 'unknown' },
      count: 8,
    });
    await queue.put();
    await queue.time.runUntil(async () => (await queue.slices())[0]?.problem !== null);

    const [waiting] = await queue.slices();
    await queue.runUntilDone();

    expect(waiting?.state).toBe('verifying');
    expect(JSON.parse(waiting?.problem ?? '')).toMatchObject({ type: '/problems/aws-unexpected' });
    expect(await verdictsOf(queue)).toEqual(completed);
    expect(await queue.slices()).toEqual([{ state: 'completed', attempt: 1, problem: null }]);
    const lines = queue.log.filter(({ text }) => text === 'failed to verify an export, retrying');
    expect(lines[0]).toMatchObject({ level: 'warn', target: 'default', problem: 'aws-unexpected' });
    expect(queue.log.filter(({ text }) => text === 'verifies exports again')).toHaveLength(1);
  });

  test('says that S3 is away, and that nothing is to be done', async () => {
    await using queue = await openSeededQueue();
    const error = { kind: 'error', code: 'InternalError', status: 500 } as const;
    queue.emulator.faults.add({ ...error, operation: 'ListObjectsV2', count: 8 });
    await queue.put();

    await queue.time.runUntil(async () => (await queue.slices())[0]?.problem !== null);

    const [slice] = await queue.slices();
    expect(slice?.state).toBe('verifying');
    expect(JSON.parse(slice?.problem ?? '')).toMatchObject({
      title: 'AWS unavailable',
      detail: 'S3 answered 500.',
      remedy: 'Do nothing: this service looks at the export again until AWS answers.',
    });
  });

  test.each(['', '<html>proxy</html>'])(
    'is looked at again, and not repeated, while a list is a status 200 with %j',
    async (body) => {
      await using queue = await openSeededQueue();
      const replaced = { kind: 'replace-body', body, count: 3 } as const;
      queue.emulator.faults.add({ ...replaced, operation: 'ListObjectsV2' });

      await exportUnder(queue, undefined);

      expect(await verdictsOf(queue)).toEqual(completed);
      expect(await verificationsOf(queue)).toMatchObject([{ objects: 3, isEmpty: 0 }]);
    },
  );

  test('is looked at again while a status 200 has no list of log events', async () => {
    await using queue = await openSeededQueue({ streams: 0 });
    const replaced = { kind: 'replace-body', body: '{}', count: 3 } as const;
    queue.emulator.faults.add({ ...replaced, operation: 'FilterLogEvents' });

    await exportUnder(queue, undefined);

    const emptinessEvidence = { checkedBy: 'FilterLogEvents', pages: 1, isExhaustive: true };
    expect((await readManifests(queue))[0]?.manifest).toMatchObject({ emptinessEvidence });
  });

  test('is not verified if its job says so', async () => {
    await using queue = await openSeededQueue();

    await exportUnder(queue, missing('all'), { verification: 'off' });

    expect(await verdictsOf(queue)).toEqual(['slice-completed']);
    expect(await verificationsOf(queue)).toEqual([]);
    expect(queue.calls('ListObjectsV2')).toEqual([]);
  });
});

describe('an export, verified by a count', () => {
  const count = { verification: 'count' } as const;

  test('is completed if it has all log events', async () => {
    await using queue = await openSeededQueue();

    await exportUnder(queue, undefined, count);

    expect(await verificationsOf(queue)).toMatchObject([
      { method: 'count', objects: 3, lines: 6, records: 6, events: 6, looks: 1 },
    ]);
    expect((await readManifests(queue))[0]?.manifest).toMatchObject({
      verification: 'count',
      totals: { lines: 6, records: 6 },
      count: { events: 6 },
    });
  });

  test('counts messages of several lines once', async () => {
    await using queue = await openSeededQueue({ streams: 0 });
    seedEvents(queue.emulator, 'web', ['Error\n  at one\n  at two', 'next']);

    await exportUnder(queue, undefined, count);

    expect(await verificationsOf(queue)).toMatchObject([{ lines: 4, records: 2, events: 2 }]);
  });

  test.each([1, 2])('is repeated if %i of 3 objects are missing', async (objects) => {
    await using queue = await openSeededQueue();

    await exportUnder(queue, missing(objects), count);

    expect(await verdictsOf(queue)).toEqual(repeated);
    const attempts = queue.database.queries.selectFrom('attempts').select('problem');
    const [first] = await attempts.orderBy('attempt').execute();
    expect(JSON.parse(first?.problem ?? '').detail).toBe(
      `The objects have ${2 * (3 - objects)} log events, but the log group has 6.`,
    );
  });

  test('is repeated if an object is missing, although others have more lines than log events', async () => {
    await using queue = await openSeededQueue({ streams: 0 });
    seedEvents(queue.emulator, 'a', [`many\n${'line\n'.repeat(9)}`]);
    seedEvents(queue.emulator, 'b', ['one']);

    await exportUnder(queue, missing(1), count);

    expect(await verdictsOf(queue)).toEqual(repeated);
  });

  test('is repeated if an object is missing, although another has a line with an earlier timestamp', async () => {
    await using queue = await openSeededQueue({ streams: 0 });
    const message = 'stack\n2024-01-01T00:00:00.000Z embedded line';
    for (const stream of ['a', 'b']) seedEvents(queue.emulator, stream, [message]);

    await exportUnder(queue, missing(1), count);

    expect(await verdictsOf(queue)).toEqual(repeated);
    expect(await verificationsOf(queue)).toMatchObject([
      { method: null },
      { lines: 4, records: 2, events: 2 },
    ]);
  });

  test.each([
    ['the role may not read log events', { deniedActions: { '*': ['logs:FilterLogEvents'] } }],
    ['the log group has more than 100 empty pages', { emptyEventPages: 150 }],
  ])('is repeated if all its objects are missing and %s', async (_name, emulator) => {
    await using queue = await openSeededQueue({ emulator });

    await exportUnder(queue, missing('all'), count);

    expect(await verdictsOf(queue)).toEqual(repeated);
    expect(await verificationsOf(queue)).toMatchObject([
      { method: null },
      { method: 'count', objects: 3, events: 6 },
    ]);
  });

  test('is empty by the count alone', async () => {
    await using queue = await openSeededQueue({ streams: 0, emulator: { emptyEventPages: 150 } });

    await exportUnder(queue, undefined, count);

    expect(queue.calls('FilterLogEvents')).toEqual([]);
    expect(await verificationsOf(queue)).toMatchObject([
      { method: 'count', isEmpty: 1, lines: 0, records: 0, events: 0, looks: 2 },
    ]);
    expect((await readManifests(queue))[0]?.manifest).toMatchObject({
      verification: 'count',
      isEmpty: true,
      emptinessEvidence: { checkedBy: 'StartQuery', pages: 0, isExhaustive: true },
      count: { events: 0 },
    });
  });

  test('is not empty because a complete query has no results', async () => {
    await using queue = await openSeededQueue();
    const body = '{"status":"Complete"}';
    const replaced = { kind: 'replace-body', body, count: 3 } as const;
    queue.emulator.faults.add({ ...replaced, operation: 'GetQueryResults' });

    await exportUnder(queue, missing('all'), count);

    expect(await verdictsOf(queue)).toEqual(repeated);
    expect(await verificationsOf(queue)).toMatchObject([{ method: null }, { events: 6 }]);
  });

  test.each([
    ['StartQuery', '{}', 'aws-unexpected'],
    ['GetQueryResults', '{"status":"Complete"}', 'aws-unexpected'],
    ['GetObject', '<html>proxy</html>', 'aws-unavailable'], // other bytes than its checksum says
  ])(
    'is verified by its objects after ten queries if %s is always %s',
    async (operation, body, countProblem) => {
      await using queue = await openSeededQueue();
      const replaced = { kind: 'replace-body', body, count: 10_000 } as const;
      queue.emulator.faults.add({ ...replaced, operation });

      await exportUnder(queue, undefined, count);

      expect(queue.calls('StartQuery')).toHaveLength(10);
      const [row] = await verificationsOf(queue);
      expect(row).toMatchObject({ method: 'objects', objects: 3, events: null, looks: 10 });
      expect(JSON.parse(row?.evidence ?? '')).toEqual({ countProblem });
    },
  );

  test('is counted again after an outage of S3 and a failed query', async () => {
    await using queue = await openSeededQueue();
    const away = { ...refusal, code: 'ServiceUnavailable', status: 503, count: 10_000 };
    queue.emulator.faults.add({ ...away, operation: 'ListObjectsV2' });
    await queue.put(count);
    await queue.time.runUntil(async () => ((await verificationsOf(queue))[0]?.looks ?? 0) >= 12);
    queue.emulator.faults.clear();
    const body = '{"status":"Complete"}';
    queue.emulator.faults.add({ kind: 'replace-body', body, operation: 'GetQueryResults' });

    await queue.runUntilDone();

    const [row] = await verificationsOf(queue);
    expect(row).toMatchObject({ method: 'count', events: 6, queries: 2 });
  });

  test('is empty by FilterLogEvents if the role may not count', async () => {
    const deniedActions = { '*': ['logs:StartQuery'] };
    await using queue = await openSeededQueue({ streams: 0, emulator: { deniedActions } });

    await exportUnder(queue, undefined, count);

    const [row] = await verificationsOf(queue);
    expect(row).toMatchObject({ method: 'objects', isEmpty: 1, events: null });
    expect(JSON.parse(row?.evidence ?? '')).toEqual({
      emptiness: { checkedBy: 'FilterLogEvents', pages: 1, isExhaustive: true },
      countProblem: 'service-role-not-permitted',
      deniedActions: ['logs:StartQuery'],
    });
  });

  test('is completed if one of its objects is late', async () => {
    await using queue = await openSeededQueue();

    await exportUnder(queue, late(3_000, 1), count);

    expect(await verdictsOf(queue)).toEqual(completed);
    expect(await verificationsOf(queue)).toMatchObject([{ objects: 3, events: 6, looks: 2 }]);
  });

  test('is repeated if an object is broken', async () => {
    await using queue = await openSeededQueue();

    await exportUnder(queue, truncated, count);

    expect(await verdictsOf(queue)).toEqual(repeated);
  });

  test.each(['logs:StartQuery', 'logs:GetQueryResults', 's3:GetObject'])(
    'is verified by its objects if the role lacks %s',
    async (action) => {
      await using queue = await openSeededQueue({ emulator: { deniedActions: { '*': [action] } } });

      await exportUnder(queue, undefined, count);

      const [row] = await verificationsOf(queue);
      expect(row).toMatchObject({ method: 'objects', objects: 3, events: null });
      expect(JSON.parse(row?.evidence ?? '')).toEqual({
        countProblem: 'service-role-not-permitted',
        deniedActions: [action],
      });
    },
  );
});

describe('log events that arrive late', () => {
  const hourMs = 3_600_000;

  test.each(['objects', 'count'] as const)(
    'do not fail an empty export when they arrive before its second look, by %s',
    async (verification) => {
      await using queue = await openSeededQueue({ streams: 0 });
      const jobId = await queue.put({ verification });
      await queue.time.runUntil(async () => (await queue.states())[0] === 'verifying');

      seedEvents(queue.emulator, 'web', ['late'], 0, queue.time.now());
      await queue.runUntilDone();

      expect(await verdictsOf(queue)).toEqual(completed);
      expect(await queue.slices(jobId)).toMatchObject([{ state: 'completed', attempt: 1 }]);
    },
  );

  test('do not fail an export when they arrive before its count', async () => {
    await using queue = await openSeededQueue();
    const jobId = await queue.put({ verification: 'count' });
    let seenAttempt = 0;

    await queue.time.runUntil(async () => {
      const [slice] = await queue.slices();
      if (slice?.state === 'verifying' && slice.attempt > seenAttempt) {
        seenAttempt = slice.attempt;
        seedEvents(queue.emulator, 'web-0/app', ['late'], 0, queue.time.now());
      }
      return slice?.state === 'completed' || slice?.state === 'failed';
    });

    expect(await queue.slices(jobId)).toEqual([{ state: 'completed', attempt: 1, problem: null }]);
    expect(await verificationsOf(queue)).toMatchObject([{ records: 6, events: 6 }]);
  });

  test.each(['objects', 'count'] as const)(
    'are not missing if they arrived less than 12 hours before the export, by %s',
    async (verification) => {
      await using queue = await openSeededQueue({ streams: 0 });
      seedEvents(queue.emulator, 'web', ['late'], 0, startAt - 11 * hourMs);

      await exportUnder(queue, missing('all'), { verification });

      expect(await verdictsOf(queue)).toEqual(completed);
    },
  );

  test('do not hide a missing one that arrived long before the export', async () => {
    await using queue = await openSeededQueue({ streams: 0 });
    const late = Array.from({ length: 1_500 }, (_, index) => `late ${index}`);
    seedEvents(queue.emulator, 'a', late, 0, startAt - hourMs);
    seedEvents(queue.emulator, 'b', ['early'], 0.5, startAt - 13 * hourMs);

    await exportUnder(queue, missing('all'));

    expect(await verdictsOf(queue)).toEqual(repeated);
  });
});

describe('a cancel', () => {
  test('does not stop a verification', async () => {
    await using queue = await openSeededQueue();
    queue.emulator.faults.add({
      operation: 'CreateExportTask',
      ...late(3_000),
    });
    const jobId = await queue.put();
    await queue.time.runUntil(async () => (await queue.states())[0] === 'verifying');

    await queue.cancel(jobId);
    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['completed']);
  });

  test.each([1, 3])(
    'ends the slice of an incomplete export as cancelled, at attempt %i',
    async (attempt) => {
      await using queue = await openSeededQueue();
      const fault = { operation: 'CreateExportTask', ...missing('all') };
      queue.emulator.faults.add({ ...fault, count: attempt });
      const jobId = await queue.put();
      await queue.time.runUntil(async () => {
        const [slice] = await queue.slices();
        return slice?.state === 'verifying' && slice.attempt === attempt;
      });

      await queue.cancel(jobId);
      await queue.runUntilDone();

      expect(await queue.states()).toEqual(['cancelled']);
      expect((await verdictsOf(queue)).at(-1)).toBe('slice-cancelled');
    },
  );
});

describe('an export that began before its log events were exportable', () => {
  const lastHour = { fromAt: startAt - 3_600_000 };

  /** A queue with log events in the last hour. */
  async function openLateQueue(): Promise<Queue> {
    const queue = await openSeededQueue({ streams: 0 });
    const hour = (lastHour.fromAt - firstWindowAt) / 3_600_000;
    for (const stream of ['a', 'b', 'c']) seedEvents(queue.emulator, stream, ['one', 'two'], hour);
    return queue;
  }

  test.each([
    ['objects', null],
    ['count', 0],
  ] as const)('is completed without objects, by %s', async (verification, events) => {
    await using queue = await openLateQueue();

    await exportUnder(queue, missing('all'), { ...lastHour, verification });

    expect(await verdictsOf(queue)).toEqual(completed);
    const [row] = await verificationsOf(queue);
    expect(row).toMatchObject({ method: verification, isEmpty: 1, events, looks: 2 });
    expect(JSON.parse(row?.evidence ?? '')).toEqual({
      emptiness: { checkedBy: 'ListObjectsV2', pages: 0, isExhaustive: false },
    });
    expect(queue.calls('FilterLogEvents')).toEqual([]);
  });

  test('is completed without a proof that it is empty, although Insights counts no log events', async () => {
    await using queue = await openSeededQueue({ streams: 0 });

    await exportUnder(queue, missing('all'), { ...lastHour, verification: 'count' });

    const [row] = await verificationsOf(queue);
    expect(row).toMatchObject({ method: 'count', isEmpty: 1, events: 0 });
    expect(JSON.parse(row?.evidence ?? '')).toMatchObject({ emptiness: { isExhaustive: false } });
  });

  test('is completed, although one of its objects is missing', async () => {
    await using queue = await openLateQueue();

    await exportUnder(queue, missing(1), { ...lastHour, verification: 'count' });

    expect(await verdictsOf(queue)).toEqual(completed);
    expect(await verificationsOf(queue)).toMatchObject([
      { method: 'count', records: 4, events: 0 },
    ]);
  });

  test('is repeated if an object is no whole gzip file', async () => {
    await using queue = await openLateQueue();

    await exportUnder(queue, truncated, { ...lastHour, verification: 'count' });

    expect(await verdictsOf(queue)).toEqual(repeated);
  });
});
