import { describe, expect, test } from 'vitest';

import { check, type Evidence, type Task } from './checker.ts';

const marker = 'xp1-here-job-0-1-0123456789abcdef';
const task: Task = {
  taskId: 'task-1',
  taskName: marker,
  accountId: '123456789012',
  region: 'eu-west-1',
  logGroupName: '/app',
  from: 0n,
  to: 3_599_999n,
  destination: 'archive',
  destinationPrefix: 'jobs/job/1',
  message: undefined,
  status: 'COMPLETED',
  createdAt: 1_000,
  finishedAt: 2_000,
};
const attempt = {
  jobId: 'job',
  slice: 0,
  attempt: 1,
  target: 'default',
  marker,
  fence: 1,
  destinationPrefix: 'jobs/job/1',
  submittedAt: 990,
  taskId: 'task-1' as string | null,
  taskCreatedAt: 1_000,
  taskCompletedAt: 2_000,
  endedAt: 2_100 as number | null,
  outcome: 'completed',
  problem: null as string | null,
};
const event = (version: number, type: string, data: object) => ({
  jobId: 'job',
  version,
  at: 980 + 20 * version,
  type,
  data: JSON.stringify(data),
});

const events = [
  event(1, 'job-accepted', { slices: 1 }),
  event(2, 'slice-starting', { slice: 0, attempt: 1 }),
  event(3, 'slice-running', { slice: 0, attempt: 1, taskId: 'task-1' }),
  event(4, 'slice-completed', { slice: 0, attempt: 1, taskId: 'task-1' }),
];
const auditEntries = events.map(({ jobId, version, at, type }) => ({
  jobId,
  version,
  at,
  change: type,
  principal: 'anonymous',
  action: 'CreateExportTask',
  requestId: marker,
  policies: '[]',
  target: 'default',
  slice: 0,
  logGroupName: '/app',
  destination: 'archive',
  destinationPrefix: 'jobs/job/1',
  taskId: null,
  awsRequestId: null,
  outcome: 'ok',
}));

/** One job of one slice, exported once. */
const good: Evidence = {
  installation: 'here',
  accepted: ['job'],
  cancelled: new Set<string>(),
  calls: [
    { caller: 'anonymous', idempotencyKey: 'key', status: undefined },
    {
      caller: 'anonymous',
      idempotencyKey: 'key',
      status: 202,
      jobId: 'job',
      contentType: 'application/json; charset=utf-8',
    },
    {
      caller: 'anonymous',
      idempotencyKey: 'key',
      status: 503,
      retryAfter: '2',
      contentType: 'application/problem+json; charset=utf-8',
    },
  ],
  sightings: [{ marker, at: 995, attempt: 'attempt=1; max=1', isIntentKnown: true }],
  tasks: [task],
  jobs: [
    {
      id: 'job',
      target: 'default',
      caller: 'anonymous',
      name: null,
      priority: 0,
      principal: null,
      sliceBy: 'none',
      timeZone: 'UTC',
      fromAt: 0,
      toAt: 3_600_000,
      destination: 'archive',
      destinationPrefix: 'jobs/{jobId}/{attempt}',
      logStreamNamePrefix: null,
      isUnsettledAllowed: 0,
      logGroupBytes: null,
      acceptedAt: 980,
      cancelRequestedAt: null,
      version: 4,
    },
  ],
  slices: [
    {
      jobId: 'job',
      number: 0,
      target: 'default',
      caller: 'anonymous',
      priority: 0,
      logGroupName: '/app',
      fromAt: 0,
      toAt: 3_600_000,
      notBeforeAt: null,
      readyAt: 980,
      state: 'completed',
      attempt: 1,
      failures: 0,
      misses: 0,
      problem: null,
    },
  ],
  attempts: [attempt],
  events,
  auditEntries,
  strays: [],
  doomed: new Set(),
  idempotencyKeys: [
    { caller: 'anonymous', key: 'key', digest: 'digest', jobId: 'job', createdAt: 980 },
  ],
};

const [slice] = good.slices;
const [sighting] = good.sightings;
const second = { ...task, taskId: 'task-2', createdAt: 3_000, finishedAt: 4_000 };
const earlier = {
  ...attempt,
  attempt: 0,
  marker: `${marker}0`,
  submittedAt: 900,
  taskId: null,
  endedAt: null,
  outcome: null,
} as unknown as Evidence['attempts'][number];
const refused = {
  ...attempt,
  problem: JSON.stringify({ awsErrorCode: 'LimitExceededException' }),
};

const planted: [string, string, Partial<Evidence>][] = [
  ['INV1', 'an accepted job that is gone', { accepted: ['job', 'another'] }],
  ['INV2', 'a second task of a slice', { tasks: [task, second] }],
  ['INV3', 'a completed slice without a task', { tasks: [] }],
  ['INV3', 'a completed slice whose task failed', { tasks: [{ ...task, status: 'FAILED' }] }],
  ['INV3', 'a slice that failed', { slices: [{ ...slice, state: 'failed' }] as never }],
  ['INV3', 'a doomed slice that is exported', { doomed: new Set(['job']) }],
  ['INV3', 'a slice that never ends', { slices: [{ ...slice, state: 'starting' }] as never }],
  ['INV4', 'two tasks at once', { tasks: [task, { ...second, createdAt: 1_999 }] }],
  ['INV5', 'a step that is not lawful', { events: good.events.toSpliced(2, 1) }],
  [
    'INV5',
    'a completed slice that goes on',
    { events: [...good.events, event(5, 'slice-starting', { slice: 0, attempt: 2 })] },
  ],
  ['INV5', 'a missing event', { events: good.events.slice(0, 3) }],
  [
    'INV6',
    'a key of two jobs',
    { calls: [...good.calls, { ...good.calls[1], jobId: 'another' }] as never },
  ],
  ['INV7', 'a task of another window', { tasks: [{ ...task, to: 3_600_000n }] }],
  ['INV7', 'a task with another name', { attempts: [{ ...attempt, marker: `${marker}0` }] }],
  ['INV9', 'an answer 500', { calls: [{ ...good.calls[2], status: 500 }] as never }],
  [
    'INV9',
    'a 503 without Retry-After',
    { calls: [{ ...good.calls[2], retryAfter: undefined }] as never },
  ],
  [
    'INV9',
    'an error that is no problem',
    { calls: [{ ...good.calls[2], contentType: 'text/html' }] as never },
  ],
  ['INV11', 'a change without an entry of the audit', { auditEntries: auditEntries.slice(1) }],
  [
    'INV11',
    'a change with two entries of the audit',
    { auditEntries: [...auditEntries, ...auditEntries] },
  ],
  [
    'INV11',
    'a create that is not in the audit',
    { sightings: [{ ...sighting, marker: 'another' }] as never },
  ],
  [
    'INV10',
    'a create before its intent',
    { sightings: [{ ...sighting, isIntentKnown: false }] as never },
  ],
  ['INV10', 'a task nobody meant', { tasks: [task, { ...second, taskName: 'xp1-here-other' }] }],
  ['INV12', 'a create sent twice', { sightings: [sighting, sighting] as never }],
  [
    'INV12',
    'a create the SDK repeated',
    { sightings: [{ ...sighting, attempt: 'attempt=2; max=3' }] as never },
  ],
  [
    'INV12',
    'a full slot that was believed while another attempt was open',
    { attempts: [refused, earlier] },
  ],
];

describe('the checker', () => {
  test('finds nothing in a valid run', () => {
    expect(check(good)).toEqual([]);
  });

  test('does not count a second task that is recorded as orphaned', () => {
    const orphan = { taskId: 'task-2', target: 'default', marker, jobId: 'job', detectedAt: 5_000 };

    expect(check({ ...good, tasks: [task, second], strays: [orphan] })).toEqual([]);
  });

  test.each(planted)('finds %s: %s', (invariant, _what, changes) => {
    const found = check({ ...good, ...changes });

    expect(found.map((violation) => violation.invariant)).toContain(invariant);
  });
});
