import { expect, test } from 'vitest';

import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { approvalOf } from '../../export-jobs/caller-requests.ts';
import { endJob, endStartedJob, type JobEnd, startJob } from './end-job.ts';
import { dayMs, hourMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;
const stopped = 'stopped the exports of an archive, its destination is checked again';
const again = 'exports of an archive start again';
const refused: JobEnd = { outcome: 'failed', problem: 'service-role-not-permitted' };

const aclRefused = 'AWS says: GetBucketAcl call on the given bucket failed.';

/** An archive of one log group with one day to export. */
async function acceptOneDay(kept: KeptArchives): Promise<string> {
  kept.seed('/app/a');
  const day = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
  const id = await kept.accept({ logGroupNames: ['/app/a'], ...day });
  await kept.look();
  return id;
}

/**
 * Lets time pass in steps of 5 minutes. In each one, the export that is first in the queue ends. While there is none,
 * a step is as long as the pause before a trial.
 */
async function liveFor(
  kept: KeptArchives,
  ms: number,
  endOf: (logGroupName: string) => JobEnd,
): Promise<void> {
  let job: Awaited<ReturnType<KeptArchives['waiting']>>[number] | undefined;
  for (const until = kept.now() + ms; kept.now() < until; ) {
    kept.advance((job ? 5 : 15) * minuteMs);
    await kept.look();
    [job] = await kept.waiting();
    if (job) await endJob(kept.database, job.jobId, endOf(job.logGroupName));
  }
}

const countOf = (kept: KeptArchives, text: string) =>
  kept.log.filter((line) => line.text === text).length;

test('a trial comes to each log group, also if AWS refuses many others with older partitions', async () => {
  await using kept = await openKeptArchives();
  for (let number = 0; number < 25; number += 1) kept.seed(`/app/r${`${number}`.padStart(2, '0')}`);
  kept.seed('/app/z', { createdAt: start - 4 * dayMs });
  await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 12 * dayMs });
  await kept.look();

  const isRefused = (name: string) => name.startsWith('/app/r');
  await liveFor(kept, dayMs, (name) => (isRefused(name) ? refused : { outcome: 'covered' }));

  const ranges = await kept.ranges();
  expect(ranges).toMatchObject([{ logGroupName: '/app/z', from: -4, to: 0 }]);
  expect([countOf(kept, stopped), countOf(kept, again)]).toEqual([1, 1]);
  await liveFor(kept, dayMs, () => refused);
  expect(countOf(kept, stopped)).toBe(2);
}, 900_000);

test('refusals in a trial use up no try of a partition', async () => {
  await using kept = await openKeptArchives();
  for (const name of ['/app/a', '/app/b']) kept.seed(name);
  await kept.accept({
    logGroupNamePrefix: '/app/',
    fromAt: start - 3 * dayMs,
    toAt: start - dayMs,
  });
  await kept.look();

  await liveFor(kept, 40 * hourMs, () => refused);
  const partitions = await kept.partitions();
  await liveFor(kept, 2 * hourMs, () => ({ outcome: 'covered' }));

  expect(
    partitions.filter(({ state, retryAt }) => state === 'missing' && retryAt === null),
  ).toEqual([]);
  expect(countOf(kept, 'exports of an archive failed and are not tried again')).toBe(0);
  expect(countOf(kept, stopped)).toBe(1);
  expect(await kept.ranges()).toMatchObject([
    { logGroupName: '/app/a', from: -3, to: -1 },
    { logGroupName: '/app/b', from: -3, to: -1 },
  ]);
}, 900_000);

test('a trial ends when all of its exports are refused, and not before', async () => {
  await using kept = await openKeptArchives();
  for (const name of ['/app/a', '/app/b']) kept.seed(name);
  const day = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
  const id = await kept.accept({ logGroupNamePrefix: '/app/', ...day });
  await kept.look();
  const stopProblem = JSON.stringify({ type: '/problems/service-role-not-permitted' });
  const trialAt = kept.now();
  await kept.change(id, { stopProblem, stopCheckAt: null, trialAt });
  const [first, second] = await kept.waiting();

  await endJob(kept.database, first?.jobId ?? '', refused);
  await kept.look();
  const afterOne = { archive: await kept.archive(id), partitions: await kept.partitions() };
  kept.advance(2 * minuteMs);
  await endJob(kept.database, second?.jobId ?? '', refused);
  await kept.look();

  expect(afterOne).toMatchObject({
    archive: { trialAt, stopCheckAt: null },
    partitions: [{ state: 'missing', failures: 0 }, { state: 'queued' }],
  });
  const stopCheckAt = kept.now() + 15 * minuteMs;
  expect(await kept.archive(id)).toMatchObject({ trialAt: null, stopCheckAt });
  expect((await kept.partitions()).map(({ failures }) => failures)).toEqual([0, 0]);
}, 900_000);

test('an archive whose bucket passes all checks stops once while AWS refuses it', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 3 * dayMs });
  await kept.look();

  const problem = 'destination-not-writable';
  await liveFor(kept, 3 * hourMs, () => ({ outcome: 'failed', problem, detail: aclRefused }));
  const lines = [countOf(kept, stopped), countOf(kept, again)];
  kept.advance(15 * minuteMs);
  await kept.look();
  const [job] = await kept.waiting();
  await startJob(kept.database, job?.jobId ?? '');
  kept.advance(2 * minuteMs);
  await kept.look();

  expect(lines).toEqual([1, 0]);
  expect(await kept.archive(id)).toMatchObject({ stopProblem: null });
}, 900_000);

test('an archive on trial works again when what is left is not exported any more', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);
  await liveFor(kept, 35 * hourMs, () => ({ outcome: 'failed', problem: 'export-task-failed' }));
  expect(await kept.partitions()).toMatchObject([{ state: 'missing', retryAt: null }]);

  const stopProblem = JSON.stringify({ type: '/problems/service-role-not-permitted' });
  await kept.change(id, { stopProblem, stopCheckAt: null, trialAt: kept.now() });
  await kept.look();

  expect(await kept.archive(id)).toMatchObject({ stopProblem: null, trialAt: null });
}, 900_000);

test('an archive on trial stays stopped while a failed partition waits for its next try', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);
  const [job] = await kept.waiting();
  await endJob(kept.database, job?.jobId ?? '', { outcome: 'cancelled' });
  await kept.look();

  const stopProblem = { type: '/problems/service-role-not-permitted' };
  const trialAt = kept.now() + minuteMs;
  kept.advance(2 * minuteMs);
  await kept.change(id, { stopProblem: JSON.stringify(stopProblem), stopCheckAt: null, trialAt });
  await kept.look();

  expect(await kept.archive(id)).toMatchObject({ trialAt });
}, 900_000);

test.each(['sqlite', 'postgres'] as const)(
  'an export that was not verified ends no stop, also if somebody cancelled its job, on %s',
  async (backend) => {
    await using kept = await openKeptArchives({ backend });
    const id = await acceptOneDay(kept);
    const [job] = await kept.waiting();
    await endJob(kept.database, job?.jobId ?? '', { outcome: 'unverified' });
    await kept.look();
    kept.advance(15 * minuteMs);
    await kept.look();
    const [tried] = await kept.waiting();

    await startJob(kept.database, tried?.jobId ?? '');
    await cancelJob(kept.database, tried?.jobId ?? '', approvalOf('ann'));
    await endStartedJob(kept.database, tried?.jobId ?? '', { outcome: 'unverified' });
    for (let look = 0; look < 3; look += 1) {
      kept.advance(2 * minuteMs);
      await kept.look();
    }

    expect((await kept.archive(id)).stopProblem).toContain('not verified');
  },
  900_000,
);

test('a refusal of the bucket ACL stops the archive at once, also if its explanation names another call', async () => {
  await using kept = await openKeptArchives();
  for (const name of ['/app/a', '/app/b']) kept.seed(name);
  const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
  await kept.look();
  const [job] = await kept.waiting();

  await endJob(kept.database, job?.jobId ?? '', {
    outcome: 'failed',
    problem: 'destination-not-writable',
    detail: `${aclRefused} The bucket policy does not allow s3:PutObject.`,
  });
  await kept.look();

  expect((await kept.archive(id)).stopProblem).toContain('destination-not-writable');
}, 900_000);

test('an archive goes on with the log groups that the bucket policy allows', async () => {
  await using kept = await openKeptArchives();
  for (const name of ['/app/a', '/app/b', '/app/c']) kept.seed(name);
  const Principal = { Service: 'logs.amazonaws.com' };
  const bucket = 'arn:aws:s3:::narrow';
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: bucket },
      { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `${bucket}/app/c/*` },
    ],
  });
  kept.emulator.seed.bucket({ region: 'eu-west-1', bucket: 'narrow', policy });
  await kept.accept({
    logGroupNames: ['/app/a', '/app/b', '/app/c'],
    destination: 'narrow',
    fromAt: start - 2 * dayMs,
  });
  await kept.look();

  const detail = 'AWS says: PutObject call on the given bucket failed.';
  await liveFor(kept, 2 * hourMs, (name) =>
    name === '/app/c'
      ? { outcome: 'covered' }
      : { outcome: 'failed', problem: 'destination-not-writable', detail },
  );

  expect(countOf(kept, stopped)).toBe(1);
  expect((await kept.ranges()).map(({ logGroupName }) => logGroupName)).toContain('/app/c');
}, 900_000);

test('new partitions at risk of refused log groups do not go before other log groups on trial', async () => {
  await using kept = await openKeptArchives();
  for (let number = 0; number < 10; number += 1)
    kept.seed(`/app/r${number}`, { retentionInDays: 3 });
  kept.seed('/app/z');
  await kept.accept({
    logGroupNamePrefix: '/app/',
    partitionBy: 'hour',
    fromAt: start - 3 * dayMs,
  });
  await kept.look();

  await liveFor(kept, 2.5 * hourMs, (name) =>
    name === '/app/z' ? { outcome: 'covered' } : refused,
  );

  expect((await kept.ranges()).map(({ logGroupName }) => logGroupName)).toContain('/app/z');
}, 900_000);
