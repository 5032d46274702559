import { describe, expect, test } from 'vitest';

import { type ArchiveEvidence, checkArchives } from './check-archives.ts';

const hourMs = 3_600_000;

type Slice = ArchiveEvidence['slices'][number];
type Values = { hour: number; revision?: number; jobId?: string; fromAt?: number; toAt?: number };

/** An export of the archive, and its row of the coverage. */
function exportOf({ hour, revision = 1, jobId = `job-${hour}-r${revision}`, ...window }: Values) {
  const { fromAt = hour * hourMs, toAt = (hour + 1) * hourMs } = window;
  const number = fromAt - hour * hourMs;
  const taskId = `task-${jobId}-${number}`;
  const destinationPrefix = `a/${hour}/r${revision}/${number}`;
  const place = { logGroupName: '/app', fromAt, toAt };
  const manifest = { manifestSha256: `sum-${taskId}` };
  const attempt = { jobId, slice: number, attempt: 1, taskId, destinationPrefix };
  return {
    job: { id: jobId, archiveId: 'archive', revision },
    slice: { jobId, number, attempt: 1, state: 'completed', ...place },
    attempt: { ...attempt, submittedAt: 7 },
    verification: { jobId, slice: number, attempt: 1, ...manifest },
    task: { taskId, status: 'COMPLETED', from: BigInt(fromAt), to: BigInt(toAt) - 1n },
    coverage: {
      ...attempt,
      ...place,
      ...manifest,
      archiveId: 'archive',
      revision,
      exportedAt: 7,
      isVoid: 0,
    },
  };
}

const backfill = { archiveId: 'archive', reprocess: 'all', fromAt: hourMs, toAt: 2 * hourMs };
const range = { archiveId: 'archive', logGroupName: '/app', state: 'covered', again: null };
const logGroup = { archiveId: 'archive', logGroupName: '/app', covered: 2, lost: 0, waived: 0 };

/** The evidence of some exports of an archive of two hours. */
function evidenceOf(values: readonly Values[], others: object = {}): ArchiveEvidence {
  const exports = values.map(exportOf);
  const jobs = new Map(exports.map(({ job }) => [job.id, job]));
  return {
    wanted: [{ archiveId: 'archive', logGroupNames: ['/app'], fromAt: 0, toAt: 2 * hourMs }],
    jobs: [...jobs.values()],
    slices: exports.map(({ slice }) => slice),
    attempts: exports.map(({ attempt }) => attempt),
    verifications: exports.map(({ verification }) => verification),
    tasks: exports.map(({ task }) => task),
    coverage: exports.map(({ coverage }) => coverage),
    logGroups: [logGroup],
    ranges: [{ ...range, fromAt: 0, toAt: 2 * hourMs }],
    work: [],
    backfills: [],
    ...others,
  } as unknown as ArchiveEvidence;
}

const both = [{ hour: 0 }, { hour: 1 }];
const twice = [...both, { hour: 1, revision: 2 }];
const halfMs = hourMs / 2;

/** An hour whose slice was split. */
const halves = [
  { hour: 0 },
  { hour: 1, toAt: hourMs + halfMs },
  { hour: 1, fromAt: hourMs + halfMs },
];

describe('the check of archives', () => {
  test.each([
    ['exported once', evidenceOf(both)],
    ['exported in two parts', evidenceOf(halves)],
    ['exported again for a backfill', evidenceOf(twice, { backfills: [backfill] })],
  ])('permits an archive whose hours are %s', (_name, evidence) => {
    expect(checkArchives(evidence)).toEqual([]);
  });

  const slices = evidenceOf(both).slices.concat({
    ...(evidenceOf(both).slices[0] as Slice),
    number: 9,
  });
  const gap = [
    { ...range, fromAt: 0, toAt: hourMs },
    { ...range, fromAt: hourMs + 1, toAt: 2 * hourMs },
  ];
  const failed = { archiveId: 'archive', logGroupName: '/app', fromAt: 0, state: 'missing' };

  test.each([
    ['INV16', 'an hour without an export', evidenceOf([{ hour: 0 }])],
    ['INV16', 'an hour that lacks a part', evidenceOf(halves.slice(0, 2))],
    ['INV16', 'a gap in the ledger', evidenceOf(both, { ranges: gap })],
    [
      'INV16',
      'an hour that is still to be exported again',
      evidenceOf(both, { ranges: [{ ...range, fromAt: 0, toAt: 2 * hourMs, again: 'backfill' }] }),
    ],
    ['INV16', 'a partition that failed', evidenceOf(both, { work: [failed] })],
    ['INV16', 'a second incarnation', evidenceOf(both, { logGroups: [logGroup, logGroup] })],
    ['INV16', 'a backfill without an export', evidenceOf(both, { backfills: [backfill] })],
    ['INV16', 'a completed slice that covers nothing', evidenceOf(both, { slices })],
    ['INV17', 'a second revision without a backfill', evidenceOf(twice)],
    ['INV17', 'a second job of a revision', evidenceOf([...both, { hour: 1, jobId: 'job-x' }])],
    [
      'INV17',
      'two exports with one prefix',
      evidenceOf(both, {
        attempts: evidenceOf(both).attempts.map((row) => ({ ...row, destinationPrefix: 'a' })),
      }),
    ],
    [
      'INV18',
      'a count of the ledger that is wrong',
      evidenceOf(both, { logGroups: [{ ...logGroup, covered: 3 }] }),
    ],
    [
      'INV18',
      'coverage by another task',
      evidenceOf(both, {
        coverage: evidenceOf(both).coverage.map((row) => ({ ...row, taskId: 'task-x' })),
      }),
    ],
  ])('finds %s: %s', (invariant, _name, evidence) => {
    expect(checkArchives(evidence).map((found) => found.invariant)).toContain(invariant);
  });
});
