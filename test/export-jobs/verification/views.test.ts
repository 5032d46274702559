import { describe, expect, test } from 'vitest';

import { makeListSlices } from '#export-jobs/operations/list-slices-of-job.ts';
import { showJob } from '#export-jobs/presenters/show-job.ts';
import { readHeads } from '#export-jobs/store/reads/read-heads.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { bringTo, givenJob } from '../accepted-jobs.ts';
import { insertVerification } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const sha256 = 'a'.repeat(64);
const manifest = { manifestKey: 'jobs/_manifest-task.json', manifestSha256: sha256 };
const ended = { endedAt: 1_714_521_600_000 };
const found = { ...ended, ...manifest, method: 'objects', isEmpty: 0 } as const;
const emptiness = { checkedBy: 'FilterLogEvents', pages: 2, isExhaustive: true };

const denied = {
  checkedBy: 'ListObjectsV2',
  pages: 0,
  isExhaustive: false,
  problem: 'service-role-not-permitted',
};
const unproved = 'It is not proved that 1 completed slice without objects has no log events.';
const uncounted =
  'The log events of 1 completed slice were not counted. Missing objects can remain undetected.';

describe.each(storageBackends)('verifications, on %s', (_name, openStorage) => {
  async function given() {
    const database = await openStore(openStorage);
    const jobId = await givenJob(database, 7);
    const insert = (slice: number, row: Partial<Parameters<typeof insertVerification>[1]>) =>
      insertVerification(database, { jobId, slice, ...row });
    await insert(0, { ...found, objects: 3, bytes: 2 ** 40, streams: 2 });
    await insert(1, {
      ...found,
      objects: 1,
      bytes: 5,
      streams: 1,
      method: 'count',
      lines: 9,
      records: 4,
      events: 4,
    });
    const evidence = JSON.stringify({ emptiness });
    await insert(2, { ...found, objects: 0, bytes: 0, streams: 0, isEmpty: 1, evidence });
    await insert(3, { ...ended, method: 'skipped' });
    await insert(4, { ...ended, method: null, objects: 8, bytes: 8, streams: 8 }); // incomplete
    await insert(4, { ...found, attempt: 2, objects: 1, bytes: 1, streams: 1, evidence: null });
    await insert(6, {
      method: 'objects',
      evidence: JSON.stringify({ countProblem: 'service-role-not-permitted' }),
    }); // in progress
    await insert(5, { method: 'objects', objects: 9, bytes: 9, streams: 9 }); // in progress
    for (const slice of [0, 1, 2, 3, 4]) await bringTo(database, jobId, slice, 'completed');
    await bringTo(database, jobId, 5, 'verifying');
    return { database, jobId };
  }

  async function show({ database, jobId }: Awaited<ReturnType<typeof given>>) {
    const snapshot = (await readJobs(database, [jobId])).get(jobId);
    if (!snapshot) throw new Error('There is no job.');
    return showJob(snapshot, '');
  }

  test('are added up for the job, without incomplete exports', async () => {
    const { database, jobId } = await given();
    await using _closed = database;

    const job = await show({ database, jobId });

    expect(job.verified).toEqual({
      slices: 4,
      emptySlices: 1,
      skippedSlices: 1,
      unprovenSlices: 0,
      uncountedSlices: 0,
      objects: 5,
      bytes: 2 ** 40 + 6,
      streams: 4,
    });
    expect(job.sliceCounts).toMatchObject({ completed: 5, verifying: 1, waiting: 1 });
    expect(job.state).toBe('running');
  });

  test('that were skipped are a warning of the job, which names the permission', async () => {
    const { database, jobId } = await given();
    await using _closed = database;

    const { warnings = [] } = await show({ database, jobId });

    expect(warnings.filter(({ pointer }) => pointer === '#/destination')).toEqual([
      {
        pointer: '#/destination',
        detail:
          'The service role may not list the bucket, so nobody knows whether the objects of 1 completed slice exist. Permit s3:ListBucket for the service role.',
      },
    ]);
  });

  test.each([
    {
      name: 'the permission to read log events',
      lacks: { emptiness: denied, deniedActions: ['logs:FilterLogEvents'] },
      totals: { emptySlices: 1, unprovenSlices: 1, uncountedSlices: 0 },
      warns: [`${unproved} Permit logs:FilterLogEvents for the service role.`],
    },
    {
      name: 'the last pages of a search',
      lacks: { emptiness: { ...emptiness, pages: 100, isExhaustive: false } },
      totals: { emptySlices: 1, unprovenSlices: 1, uncountedSlices: 0 },
      warns: [`${unproved} 100 pages of FilterLogEvents were not enough.`],
    },
    {
      name: 'a log group to search',
      lacks: { emptiness: { ...denied, problem: 'log-group-not-found' } },
      totals: { emptySlices: 1, unprovenSlices: 1, uncountedSlices: 0 },
      warns: [`${unproved} \`emptinessEvidence\` of the slices has the reason.`],
    },
    {
      name: 'the permission to read objects',
      lacks: { countProblem: 'service-role-not-permitted', deniedActions: ['s3:GetObject'] },
      totals: { emptySlices: 0, unprovenSlices: 0, uncountedSlices: 1 },
      warns: [`${uncounted} Permit s3:GetObject for the service role.`],
    },
    {
      name: 'a query that AWS accepts',
      lacks: { countProblem: 'aws-rejected' },
      totals: { emptySlices: 0, unprovenSlices: 0, uncountedSlices: 1 },
      warns: [`${uncounted} \`countProblem\` of the slices has the reason.`],
    },
    {
      name: 'the permissions to count and to read log events',
      lacks: {
        emptiness: denied,
        countProblem: 'service-role-not-permitted',
        deniedActions: ['logs:StartQuery', 'logs:FilterLogEvents'],
      },
      totals: { emptySlices: 1, unprovenSlices: 1, uncountedSlices: 1 },
      warns: [
        `${unproved} Permit logs:FilterLogEvents for the service role.`,
        `${uncounted} Permit logs:StartQuery for the service role.`,
      ],
    },
  ])('that lacked $name are counted and warned of', async ({ lacks, totals, warns }) => {
    await using database = await openStore(openStorage);
    const jobId = await givenJob(database, 2);
    const row = { ...found, objects: 0, bytes: 0, streams: 0 };
    const isEmpty = 'emptiness' in lacks ? 1 : 0;
    await insertVerification(database, { ...row, jobId, isEmpty, evidence: JSON.stringify(lacks) });
    const proved = { ...row, jobId, slice: 1, isEmpty: 1 } as const;
    await insertVerification(database, { ...proved, evidence: JSON.stringify({ emptiness }) });

    const { verified, warnings = [] } = await show({ database, jobId });

    expect(verified).toMatchObject({ ...totals, emptySlices: totals.emptySlices + 1 });
    const ofVerification = warnings.filter(({ pointer }) => pointer === '#/verification');
    expect(ofVerification.map(({ detail }) => detail)).toEqual(warns);
  });

  test('are shown with their slices', async () => {
    const { database, jobId } = await given();
    await using _closed = database;
    const head = (await readHeads(database, [jobId])).get(jobId);
    if (!head) throw new Error('There is no job.');

    const { entries } = await makeListSlices(database, '')(head, { limit: 100 });

    const endedAt = '2024-05-01T00:00:00.000Z';
    const shown = { endedAt, manifest: { key: manifest.manifestKey, sha256 } };
    const ofObjects = { ...shown, method: 'objects', isEmpty: false };
    expect(entries.map(({ verification }) => verification)).toEqual([
      { ...ofObjects, objects: 3, bytes: 2 ** 40, streams: 2 },
      {
        ...ofObjects,
        method: 'count',
        objects: 1,
        bytes: 5,
        streams: 1,
        lines: 9,
        records: 4,
        events: 4,
      },
      {
        ...ofObjects,
        isEmpty: true,
        emptinessEvidence: emptiness,
        objects: 0,
        bytes: 0,
        streams: 0,
      },
      { method: 'skipped', endedAt },
      { ...ofObjects, objects: 1, bytes: 1, streams: 1 },
      undefined,
      undefined,
    ]);
  });

  test('are absent for a job without them', async () => {
    await using database = await openStore(openStorage);
    const jobId = await givenJob(database, 1, { facts: { verification: 'off' } });

    const job = await show({ database, jobId });

    expect(job.verification).toBe('off');
    expect(job).not.toHaveProperty('verified');
  });
});
