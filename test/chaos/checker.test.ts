import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import type { EvidentObject } from './check-manifests.ts';
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
  awsError: null,
};
const event = (version: number, type: string, data: object) => ({
  jobId: 'job',
  version,
  at: 980 + 20 * version,
  type,
  data: JSON.stringify(data),
});

const manifestKey = 'jobs/job/1/_manifest-task-1.json';
const objectKey = 'jobs/job/1/task-1/web-1/000000.gz';
const manifest = JSON.stringify({
  taskId: 'task-1',
  jobId: 'job',
  slice: 0,
  attempt: 1,
  from: '1970-01-01T00:00:00.000Z',
  to: '1970-01-01T01:00:00.000Z',
  isEmpty: false,
  objects: [{ key: objectKey, size: 7 }],
});
const manifestSha256 = createHash('sha256').update(manifest).digest('hex');

const verification: Evidence['verifications'][number] = {
  jobId: 'job',
  slice: 0,
  attempt: 1,
  target: 'default',
  caller: 'anonymous',
  accountId: '123456789012',
  region: 'eu-west-1',
  taskId: 'task-1',
  beganAt: 2_100,
  dueAt: 2_100,
  looks: 1,
  queries: 0,
  owner: null,
  leasedUntil: 0,
  endedAt: 2_200,
  method: 'objects',
  objects: 1,
  bytes: 7,
  streams: 1,
  lines: null,
  records: null,
  events: null,
  isEmpty: 0,
  evidence: null,
  manifestKey,
  manifestSha256,
};
const stored = { size: 7 };
const storedManifest = { size: manifest.length, text: manifest };
const objects = new Map<string, EvidentObject>([
  [`archive/${objectKey}`, stored],
  [`archive/${manifestKey}`, storedManifest],
]);
const without = (key: string) =>
  new Map([...objects].filter(([name]) => name !== `archive/${key}`));

const events = [
  event(1, 'job-accepted', { slices: 1 }),
  event(2, 'slice-starting', { slice: 0, attempt: 1 }),
  event(3, 'slice-running', { slice: 0, attempt: 1, taskId: 'task-1' }),
  event(4, 'slice-verifying', { slice: 0, attempt: 1, taskId: 'task-1' }),
  event(5, 'slice-completed', { slice: 0, attempt: 1, taskId: 'task-1' }),
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
  manifestSha256: type === 'slice-completed' ? manifestSha256 : null,
  archiveId: null,
  reason: null,
}));

/** One job of one slice, exported once. */
const valid: Evidence = {
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
  observedCreates: [{ marker, at: 995, attempt: 'attempt=1; max=1', isIntentKnown: true }],
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
      traceParent: null,
      archiveId: null,
      incarnation: null,
      revision: 1,
      taskParameters: null,
      acceptedAt: 980,
      cancelRequestedAt: null,
      endedAt: null,
      verification: 'objects',
      version: 5,
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
      parent: null,
    },
  ],
  attempts: [attempt],
  events,
  auditEntries,
  orphans: [],
  expectedToFail: new Set(),
  targets: [{ name: 'default', accountId: '123456789012', region: 'eu-west-1' }],
  absences: [{ target: 'default', from: -9_000, until: -1 }],
  verifications: [verification],
  objects,
  hasOldReplicas: false,
  idempotencyKeys: [
    { caller: 'anonymous', key: 'key', digest: 'digest', jobId: 'job', createdAt: 980 },
  ],
};

const [slice] = valid.slices;
const [observed] = valid.observedCreates;
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

/** The slice as a split one, with two children. */
function splitAt(firstTo: number, secondFrom: number, logGroupName = '/app') {
  const child = { ...slice, parent: 0, logGroupName };
  return [
    { ...slice, state: 'split' },
    { ...child, number: 1, toAt: firstTo },
    { ...child, number: 2, fromAt: secondFrom },
  ];
}

const violations: [string, string, Partial<Evidence>][] = [
  ['INV1', 'an accepted job that does not exist', { accepted: ['job', 'another'] }],
  ['INV2', 'a second task of a slice', { tasks: [task, second] }],
  ['INV3', 'a completed slice without a task', { tasks: [] }],
  ['INV3', 'a completed slice whose task failed', { tasks: [{ ...task, status: 'FAILED' }] }],
  ['INV3', 'a slice that failed', { slices: [{ ...slice, state: 'failed' }] as never }],
  ['INV3', 'a slice that must fail, but is exported', { expectedToFail: new Set(['job']) }],
  ['INV3', 'a slice that never ends', { slices: [{ ...slice, state: 'starting' }] as never }],
  ['INV8', 'a split slice without children', { slices: [{ ...slice, state: 'split' }] as never }],
  ['INV8', 'children with a gap', { slices: splitAt(1_800_000, 1_800_001) as never }],
  ['INV8', 'children of another log group', { slices: splitAt(1, 1, '/other') as never }],
  [
    'INV8',
    'children of a slice that is exported, too',
    { slices: splitAt(1, 1).with(0, slice as never) as never },
  ],
  ['INV4', 'two tasks at once', { tasks: [task, { ...second, createdAt: 1_999 }] }],
  ['INV5', 'a transition that is not allowed', { events: valid.events.toSpliced(2, 1) }],
  [
    'INV5',
    'a completed slice that starts again',
    { events: [...valid.events, event(6, 'slice-starting', { slice: 0, attempt: 2 })] },
  ],
  ['INV5', 'a missing event', { events: valid.events.slice(0, 3) }],
  [
    'INV6',
    'one idempotency key with two jobs',
    { calls: [...valid.calls, { ...valid.calls[1], jobId: 'another' }] as never },
  ],
  ['INV7', 'a task of another window', { tasks: [{ ...task, to: 3_600_000n }] }],
  ['INV7', 'a task with another name', { attempts: [{ ...attempt, marker: `${marker}0` }] }],
  ['INV9', 'an answer 500', { calls: [{ ...valid.calls[2], status: 500 }] as never }],
  [
    'INV9',
    'a 503 without Retry-After',
    { calls: [{ ...valid.calls[2], retryAfter: undefined }] as never },
  ],
  [
    'INV9',
    'an error that is no problem',
    { calls: [{ ...valid.calls[2], contentType: 'text/html' }] as never },
  ],
  ['INV11', 'a change without an audit entry', { auditEntries: auditEntries.slice(1) }],
  [
    'INV11',
    'a change with two audit entries',
    { auditEntries: [...auditEntries, ...auditEntries] },
  ],
  [
    'INV11',
    'a create without an audit entry',
    { observedCreates: [{ ...observed, marker: 'another' }] as never },
  ],
  [
    'INV10',
    'a create before its intent',
    { observedCreates: [{ ...observed, isIntentKnown: false }] as never },
  ],
  [
    'INV10',
    'a task without an attempt',
    { tasks: [task, { ...second, taskName: 'xp1-here-other' }] },
  ],
  ['INV12', 'a create sent twice', { observedCreates: [observed, observed] as never }],
  [
    'INV12',
    'a create that the SDK retried',
    { observedCreates: [{ ...observed, attempt: 'attempt=2; max=3' }] as never },
  ],
  [
    'INV12',
    'a taken slot that was accepted while the outcome of another attempt was unknown',
    { attempts: [refused, earlier] },
  ],
  ['INV13', 'a task in another account', { tasks: [{ ...task, accountId: '210987654321' }] }],
  ['INV13', 'a task in another Region', { tasks: [{ ...task, region: 'eu-west-2' }] }],
  ['INV13', 'a task of an unknown target', { targets: [] }],
  [
    'INV14',
    'a create for a removed target',
    { absences: [{ target: 'default', from: -9_000, until: 996 }] },
  ],
  [
    'INV5',
    'a slice that is completed without a verification',
    { events: valid.events.toSpliced(3, 1) },
  ],
  ['INV15', 'a completed slice without a verification', { verifications: [] }],
  ['INV15', 'a slice with two verifications', { verifications: [verification, verification] }],
  ['INV15', 'a completed slice without its manifest', { objects: without(manifestKey) }],
  ['INV15', 'a missing object of a manifest', { objects: without(objectKey) }],
  [
    'INV15',
    'an object of another size than in its manifest',
    { objects: new Map([...objects, [`archive/${objectKey}`, { size: 8 }]]) },
  ],
  [
    'INV15',
    'an object that is not in its manifest',
    { objects: new Map([...objects, ['archive/jobs/job/1/task-1/web-2/000000.gz', stored]]) },
  ],
  [
    'INV15',
    'a manifest with other bytes',
    {
      objects: new Map([
        ...objects,
        [`archive/${manifestKey}`, { size: 2, text: '{"objects":[]}' }],
      ]),
    },
  ],
  [
    'INV15',
    'a manifest that is not in the audit',
    { auditEntries: auditEntries.map((entry) => ({ ...entry, manifestSha256: null })) },
  ],
];

describe('the checker', () => {
  test.each([
    ['/app', '/app', 'failed'],
    ['/app', '/other', 'waiting'],
    [undefined, '/other', 'failed'],
  ])(
    'after waiting slices of %s failed, expects one of %s to be %s',
    (ended, logGroupName, state) => {
      const problem = 'destination-not-found';
      const failure = { slices: 1, problem, ...(ended && { logGroupName: ended }) };
      const history = [...events, event(6, 'slices-failed', failure)];
      const other = { ...slice, number: 1, logGroupName, state, attempt: 0, problem: '{}' };
      const jobs = valid.jobs.map((job) => ({ ...job, version: 6 }));

      const found = check({ ...valid, jobs, events: history, slices: [slice, other] as never });

      expect(found.filter(({ invariant }) => invariant === 'INV5')).toEqual([]);
    },
  );

  test('finds no violation in a valid run', () => {
    expect(check(valid)).toEqual([]);
  });

  test('permits a slice whose children are its window, and whose attempts count on', () => {
    const facts = { slice: 0, attempt: 1, problem: 'export-task-failed' };
    const history = [
      ...events.slice(0, 3),
      event(4, 'slice-split', { ...facts, children: [1, 2] }),
      event(5, 'slice-starting', { slice: 2, attempt: 2 }),
      event(6, 'slice-starting', { slice: 1, attempt: 3 }),
    ];
    const slices = splitAt(1_800_000, 1_800_000).map((each) =>
      each.number === 0 ? each : { ...each, state: 'starting', attempt: 4 - (each.number ?? 0) },
    );
    const jobs = valid.jobs.map((job) => ({ ...job, version: 6 }));

    const found = check({ ...valid, jobs, events: history, slices: slices as never });

    const ofSplits = found.filter(({ invariant }) => ['INV5', 'INV8'].includes(invariant));
    expect(ofSplits).toEqual([]);
  });

  test('does not count a second task that is recorded as an orphan', () => {
    const orphan = { taskId: 'task-2', target: 'default', marker, jobId: 'job', detectedAt: 5_000 };

    expect(check({ ...valid, tasks: [task, second], orphans: [orphan] })).toEqual([]);
  });

  test('permits a create that began before its target was removed', () => {
    const absences = [{ target: 'default', from: 994, until: 9_000 }];

    expect(check({ ...valid, absences })).toEqual([]);
  });

  test('permits a slice that an older replica completed without a verification', () => {
    const [accepted, starting, running] = valid.events;
    const completed = event(4, 'slice-completed', { slice: 0, attempt: 1, taskId: 'task-1' });
    const older = [accepted, starting, running, completed] as typeof events;
    const jobs = valid.jobs.map((job) => ({ ...job, version: 4 }));
    const entries = auditEntries.slice(0, 3).concat({
      ...(auditEntries[4] as (typeof auditEntries)[number]),
      version: 4,
    });
    const ofOldReplica = { jobs, events: older, auditEntries: entries, verifications: [] };

    expect(check({ ...valid, ...ofOldReplica, hasOldReplicas: true })).toEqual([]);
  });

  test.each(violations)('finds %s: %s', (invariant, _description, changes) => {
    const found = check({ ...valid, ...changes });

    expect(found.map((violation) => violation.invariant)).toContain(invariant);
  });
});
