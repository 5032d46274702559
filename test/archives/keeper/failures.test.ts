import { describe, expect, test } from 'vitest';

import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { authorizerBy } from '../../access.ts';
import { approvalOf } from '../../export-jobs/caller-requests.ts';
import { endJob, startJob } from './end-job.ts';
import { dayMs, hourMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;

/** An archive of one log group with one day to export. */
async function acceptOneDay(kept: KeptArchives): Promise<string> {
  kept.seed('/app/a');
  const id = await kept.accept({
    logGroupNames: ['/app/a'],
    fromAt: start - 2 * dayMs,
    toAt: start - dayMs,
  });
  await kept.look();
  return id;
}

async function onlyJob(kept: KeptArchives): Promise<string> {
  const [job, ...others] = await kept.waiting();
  expect(others).toEqual([]);
  return job?.jobId ?? '';
}

describe.each(['sqlite', 'postgres'] as const)('a failed export, on %s', (backend) => {
  test('is retried after 1, 6 and 24 hours, and then not any more', async () => {
    await using kept = await openKeptArchives({ backend });
    const id = await acceptOneDay(kept);
    const jobId = await onlyJob(kept);
    const waits: number[] = [];

    for (const hours of [1, 6, 24]) {
      await endJob(kept.database, await onlyJob(kept), {
        outcome: 'failed',
        problem: 'export-task-failed',
      });
      await kept.look();
      const [row] = await kept.partitions();
      expect(row).toMatchObject({ state: 'missing', problem: '/problems/export-task-failed' });
      kept.advance(hours * hourMs - minuteMs);
      await kept.look();
      waits.push((await kept.waiting()).length);
      kept.advance(2 * minuteMs);
      await kept.look();
    }
    expect(waits).toEqual([0, 0, 0]);
    expect(await onlyJob(kept)).toBe(jobId);
    await endJob(kept.database, jobId, { outcome: 'failed', problem: 'export-task-failed' });
    kept.advance(30 * dayMs);
    await kept.look();

    expect(await kept.waiting()).toEqual([]);
    expect(await kept.partitions()).toMatchObject([{ failures: 4, retryAt: null, jobId }]);
    expect(await kept.summary(id)).toMatchObject({
      state: 'incomplete',
      partitions: { missing: 1 },
    });
  });

  test('stops the archive for a fault of its destination, until AWS accepts an export again', async () => {
    await using kept = await openKeptArchives({ backend });
    const id = await acceptOneDay(kept);
    await kept.redefine(id, { destination: 'gone', toAt: start });
    await kept.look();
    const [job] = await kept.waiting();
    await endJob(kept.database, job?.jobId ?? '', {
      outcome: 'failed',
      problem: 'destination-not-found',
    });
    await kept.look();
    const stopped = await kept.archive(id);
    kept.advance(15 * minuteMs);
    await kept.look();
    const checked = await kept.archive(id);

    kept.emulator.seed.bucket({ region: 'eu-west-1', bucket: 'gone' });
    kept.advance(15 * minuteMs);
    await kept.look();
    const onTrial = await kept.archive(id);
    const [again, ...others] = await kept.waiting();
    await startJob(kept.database, again?.jobId ?? '');
    kept.advance(2 * minuteMs);
    await kept.look();

    expect(stopped).toMatchObject({ stopCheckAt: start + 15 * minuteMs });
    expect(JSON.parse(stopped.summary ?? '')).toMatchObject({
      partitions: { waiting: 1, missing: 0 },
    });
    expect(checked).toMatchObject({ stopCheckAt: start + 30 * minuteMs });
    expect(onTrial).toMatchObject({ stopProblem: stopped.stopProblem, stopCheckAt: null });
    expect({ again, others }).toMatchObject({ again: { day: -2 }, others: [] });
    expect(await kept.archive(id)).toMatchObject({ stopProblem: null, stopCheckAt: null });
    expect(kept.log.map(({ text }) => text).slice(1)).toEqual([
      'stopped the exports of an archive, its destination is checked again',
      'exports of an archive start again',
    ]);
  });
});

test.each([
  { problem: 'service-role-not-permitted', detail: 'AWS denied logs:CreateExportTask.' },
  { problem: 'destination-not-writable', detail: 'PutObject call on the given bucket failed.' },
])('stops the archive when a second log group in a row meets $problem', async (refusal) => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  kept.seed('/app/b');
  const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
  await kept.look();
  const [first, second] = await kept.waiting();
  const refused = { outcome: 'failed', ...refusal } as const;

  await endJob(kept.database, first?.jobId ?? '', refused);
  await kept.look();
  const afterOne = await kept.archive(id);
  await endJob(kept.database, second?.jobId ?? '', refused);
  await kept.look();

  expect(afterOne.stopProblem).toBeNull();
  expect((await kept.archive(id)).stopProblem).toContain(refusal.problem);
});

test('stops the archive of one log group at the first refusal of the role', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);

  const refused = { outcome: 'failed', problem: 'service-role-not-permitted' } as const;
  await endJob(kept.database, await onlyJob(kept), refused);
  await kept.look();

  expect((await kept.archive(id)).stopProblem).toContain('service-role-not-permitted');
});

test('stops the archive once while the role may not create exports, and tries every 15 minutes', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);
  const jobId = await onlyJob(kept);
  const refused = { outcome: 'failed', problem: 'service-role-not-permitted' } as const;

  await endJob(kept.database, jobId, refused);
  await kept.look();
  let tries = 0;
  const isStopped = new Set<boolean | undefined>();
  for (let minutes = 0; minutes < 6 * 60; minutes += 3) {
    kept.advance(3 * minuteMs);
    await kept.look();
    isStopped.add((await kept.summary(id)).isStopped);
    for (const each of await kept.waiting()) {
      tries += 1;
      await endJob(kept.database, each.jobId, refused);
    }
  }
  const whileRefused = kept.log.map(({ text }) => text).slice(1);
  kept.advance(15 * minuteMs);
  await kept.look();
  kept.advance(15 * minuteMs);
  await kept.look();
  await startJob(kept.database, await onlyJob(kept));
  kept.advance(2 * minuteMs);
  await kept.look();

  expect(isStopped).toEqual(new Set([true]));
  expect(tries).toBe(20);
  expect(whileRefused).toEqual([
    'stopped the exports of an archive, its destination is checked again',
  ]);
  expect(await kept.archive(id)).toMatchObject({ stopProblem: null });
  expect(kept.log.at(-1)).toMatchObject({ text: 'exports of an archive start again' });
});

test('a stopped archive works again if its exports on trial end without the fault', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);
  const refused = { outcome: 'failed', problem: 'service-role-not-permitted' } as const;
  await endJob(kept.database, await onlyJob(kept), refused);
  await kept.look();
  kept.advance(15 * minuteMs);
  await kept.look();

  await cancelJob(kept.database, await onlyJob(kept), approvalOf('ann'));
  await kept.look();

  expect(await kept.archive(id)).toMatchObject({ stopProblem: null, stopCheckAt: null });
  expect(await kept.partitions()).toMatchObject([{ problem: '/problems/export-job-cancelled' }]);
});

test('a stopped archive that is paused on trial withdraws its exports', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);
  const refused = { outcome: 'failed', problem: 'service-role-not-permitted' } as const;
  await endJob(kept.database, await onlyJob(kept), refused);
  await kept.look();
  kept.advance(15 * minuteMs);
  await kept.look();
  const onTrial = await kept.waiting();

  await kept.change(id, { pausedAt: kept.now() });
  await kept.look();

  expect(onTrial).toHaveLength(1);
  expect(await kept.waiting()).toEqual([]);
});

test('stops the archive when its exports are not verified', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);

  await endJob(kept.database, await onlyJob(kept), { outcome: 'unverified' });
  await kept.look();

  expect((await kept.archive(id)).stopProblem).toContain('not verified');
  expect(await kept.ranges()).toEqual([]);
});

test('exports again later what an older version verified, and is not stopped', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);

  await endJob(kept.database, await onlyJob(kept), { outcome: 'unrecorded' });
  await kept.look();
  const [row] = await kept.partitions();
  kept.advance(61 * minuteMs);
  await kept.look();

  expect((await kept.archive(id)).stopProblem).toBeNull();
  expect(row).toMatchObject({ state: 'missing', problem: '/problems/internal-error' });
  expect(await kept.waiting()).toMatchObject([{ revision: 2 }]);
});

test('exports nothing that the policies forbid, and resumes within an hour', async () => {
  let isPermitted = false;
  const authorizer = authorizerBy(() => isPermitted);
  await using kept = await openKeptArchives({ authorizer });
  await acceptOneDay(kept);
  const refused = await kept.partitions();
  const before = await kept.waiting();

  isPermitted = true;
  kept.advance(hourMs);
  await kept.look();

  expect(before).toEqual([]);
  expect(refused).toMatchObject([
    { state: 'missing', problem: '/problems/not-permitted', failures: 0 },
  ]);
  expect(await kept.waiting()).toMatchObject([{ day: -2, revision: 1 }]);
});

test('exports at risk with the priority of the archive where the policies forbid a higher one', async () => {
  const authorizer = authorizerBy((_principal, { context }) => (context?.priority ?? 0) < 0);
  await using kept = await openKeptArchives({ authorizer });
  kept.seed('/app/a', { retentionInDays: 4 });
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 3 * dayMs });

  await kept.look();
  const [first] = await kept.waiting();
  kept.advance(2 * minuteMs);
  await kept.look();

  expect(await kept.summary(id)).toMatchObject({ state: 'atRisk' });
  expect(first).toMatchObject({ day: -3, priority: -5 });
  expect((await kept.waiting())[0]?.jobId).toBe(first?.jobId);
});

test('exports a partition again later whose job somebody cancelled', async () => {
  await using kept = await openKeptArchives();
  await acceptOneDay(kept);
  const jobId = await onlyJob(kept);

  await cancelJob(kept.database, jobId, approvalOf('ann'));
  await kept.look();
  const cancelled = await kept.partitions();
  kept.advance(hourMs);
  await kept.look();

  expect(cancelled).toMatchObject([
    { state: 'missing', problem: '/problems/export-job-cancelled', failures: 1 },
  ]);
  const [again] = await kept.waiting();
  expect(again).toMatchObject({ day: -2, revision: 2 });
  expect(again?.jobId).not.toBe(jobId);
});

test('exports a partition with a new job when its failed job was deleted', async () => {
  await using kept = await openKeptArchives();
  await acceptOneDay(kept);
  const jobId = await onlyJob(kept);
  await endJob(kept.database, jobId, { outcome: 'failed', problem: 'export-task-failed' });
  await kept.look();

  await kept.database.queries.deleteFrom('jobs').where('id', '=', jobId).execute();
  kept.advance(hourMs);
  await kept.look();

  expect(await kept.waiting()).toMatchObject([{ day: -2, revision: 2 }]);
});
