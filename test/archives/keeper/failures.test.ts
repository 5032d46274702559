import { describe, expect, test } from 'vitest';

import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { authorizerBy } from '../../access.ts';
import { approvalOf } from '../../export-jobs/caller-requests.ts';
import { endJob, endStartedJob, startJob } from './end-job.ts';
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

    expect(stopped).toMatchObject({ stopCheckAt: start + 15 * minuteMs });
    expect(JSON.parse(stopped.summary ?? '')).toMatchObject({
      partitions: { waiting: 1, missing: 0 },
    });
    expect(checked).toMatchObject({ stopCheckAt: start + 30 * minuteMs });
    expect(await kept.waiting()).toMatchObject([{ day: -2 }]);
    await startJob(kept.database, await onlyJob(kept));
    kept.advance(2 * minuteMs);
    await kept.look();
    expect(await kept.archive(id)).toMatchObject({ stopProblem: null, stopCheckAt: null });
    expect(kept.log.map(({ text }) => text).slice(1)).toEqual([
      'stopped the exports of an archive, its destination is checked again',
      'exports of an archive start again',
    ]);
  });
});

test.each([
  {
    backend: 'sqlite' as const,
    problem: 'service-role-not-permitted',
    detail: 'AWS denied logs:CreateExportTask.',
  },
  {
    backend: 'postgres' as const,
    problem: 'destination-not-writable',
    detail: 'PutObject call on the given bucket failed.',
  },
])(
  'stops the archive when a second log group in a row meets $problem',
  async ({ backend, ...refusal }) => {
    await using kept = await openKeptArchives({ backend });
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
  },
);

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
  for (let minutes = 0; minutes < 3 * 60; minutes += 5) {
    kept.advance(5 * minuteMs);
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
  expect(tries).toBe(9);
  expect(whileRefused).toEqual([
    'stopped the exports of an archive, its destination is checked again',
  ]);
  expect(await kept.archive(id)).toMatchObject({ stopProblem: null });
  expect(kept.log.at(-1)).toMatchObject({ text: 'exports of an archive start again' });
});

/** An archive whose role may not create exports, with its only export on trial. */
async function openOnTrial() {
  const kept = await openKeptArchives();
  const id = await acceptOneDay(kept);
  const refused = { outcome: 'failed', problem: 'service-role-not-permitted' } as const;
  await endJob(kept.database, await onlyJob(kept), refused);
  await kept.look();
  kept.advance(15 * minuteMs);
  await kept.look();
  const since = kept.now();
  expect(await kept.archive(id)).toMatchObject({ stopCheckAt: null, trialAt: since });
  return { kept, id, jobId: await onlyJob(kept), since };
}

const again = 'exports of an archive start again';

describe('an archive on trial', () => {
  test('stays on trial while its exports end without an answer of AWS', async () => {
    const { kept, id, jobId, since } = await openOnTrial();
    await using _ = kept;

    await cancelJob(kept.database, jobId, approvalOf('ann'));
    await kept.look();
    const cancelled = await kept.archive(id);
    kept.advance(hourMs);
    await kept.look();
    await startJob(kept.database, await onlyJob(kept));
    kept.advance(2 * minuteMs);
    await kept.look();

    expect(cancelled).toMatchObject({ trialAt: since });
    expect(await kept.archive(id)).toMatchObject({ stopProblem: null, trialAt: null });
  });

  test('withdraws its exports when it is paused, and goes on with the trial when it is resumed', async () => {
    const { kept, id, since } = await openOnTrial();
    await using _ = kept;

    await kept.change(id, { pausedAt: kept.now() });
    await kept.look();
    kept.advance(hourMs);
    await kept.look();
    const paused = { ...(await kept.archive(id)), waiting: await kept.waiting() };
    await kept.change(id, { pausedAt: null });
    await kept.look();

    expect(paused).toMatchObject({ trialAt: since, waiting: [] });
    expect(await kept.archive(id)).toMatchObject({ trialAt: since });
    expect(await kept.waiting()).toHaveLength(1);
    expect(kept.log.filter(({ text }) => text === again)).toEqual([]);
  });

  test('works again when there is nothing to export', async () => {
    const { kept, id } = await openOnTrial();
    await using _ = kept;

    await kept.redefine(id, { fromAt: start - 2 * dayMs, toAt: start - 2 * dayMs });
    await kept.look();
    kept.advance(2 * minuteMs);
    await kept.look();

    expect(await kept.archive(id)).toMatchObject({ stopProblem: null, trialAt: null });
  });

  test('is stopped with a line in the log when AWS refuses for another reason', async () => {
    const { kept, id, jobId } = await openOnTrial();
    await using _ = kept;

    const gone = { outcome: 'failed', problem: 'destination-not-found' } as const;
    await endJob(kept.database, jobId, gone);
    await kept.look();

    const archive = await kept.archive(id);
    expect(archive).toMatchObject({ stopCheckAt: kept.now() + 15 * minuteMs, trialAt: null });
    expect(archive.stopProblem).toContain('destination-not-found');
    expect(kept.log.filter(({ problem }) => problem === 'destination-not-found')).toHaveLength(1);
  });

  test('exports each log group once before it exports one of them twice', async () => {
    await using kept = await openKeptArchives();
    kept.seed('/app/a', { retentionInDays: 30 }); // more urgent than all others
    for (const name of ['b', 'c', 'd']) kept.seed(`/app/${name}`);
    const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 20 * dayMs });
    await kept.look();
    const stopProblem = JSON.stringify({ type: '/problems/service-role-not-permitted' });
    const first = await kept.waiting();

    await kept.change(id, { stopProblem, stopCheckAt: null, trialAt: kept.now() });
    for (const { jobId } of first) await cancelJob(kept.database, jobId, approvalOf('ann'));
    await kept.look();

    const names = (await kept.waiting()).map(({ logGroupName }) => logGroupName);
    expect(new Set(first.map(({ logGroupName }) => logGroupName))).toEqual(new Set(['/app/a']));
    expect(new Set(names)).toEqual(new Set(['/app/a', '/app/b', '/app/c', '/app/d']));
  });

  test('whose exports were not verified works again only when one is', async () => {
    await using kept = await openKeptArchives();
    const id = await acceptOneDay(kept);
    await endJob(kept.database, await onlyJob(kept), { outcome: 'unverified' });
    await kept.look();
    kept.advance(15 * minuteMs);
    await kept.look();
    const jobId = await onlyJob(kept);

    await startJob(kept.database, jobId);
    kept.advance(2 * minuteMs);
    await kept.look();
    const accepted = await kept.archive(id);
    await endStartedJob(kept.database, jobId, { outcome: 'covered' });
    kept.advance(2 * minuteMs);
    await kept.look();

    expect(accepted.stopProblem).toContain('not verified');
    expect(await kept.archive(id)).toMatchObject({ stopProblem: null, trialAt: null });
  });
});

test('stops the archive when its exports are not verified', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);

  await endJob(kept.database, await onlyJob(kept), { outcome: 'unverified' });
  await kept.look();

  expect((await kept.archive(id)).stopProblem).toContain('not verified');
  expect(await kept.ranges()).toEqual([]);
});

test('exports an empty partition without proof four times, then it is missing, and the archive goes on', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOneDay(kept);
  const jobIds = new Set<string>();

  for (const hours of [1, 6, 24, 30 * 24]) {
    const jobId = await onlyJob(kept);
    jobIds.add(jobId);
    await endJob(kept.database, jobId, { outcome: 'unproven' });
    await kept.look();
    kept.advance(hours * hourMs + minuteMs);
    await kept.look();
  }

  const [row, ...others] = await kept.partitions();
  expect(jobIds.size).toBe(4);
  expect(others).toEqual([]);
  expect(row).toMatchObject({ state: 'missing', failures: 4, retryAt: null });
  expect(row?.problem).toBe('/problems/export-incomplete');
  expect(await kept.ranges()).toEqual([]);
  expect(await kept.waiting()).toEqual([]);
  expect((await kept.archive(id)).stopProblem).toBeNull();
  expect(kept.log.at(-1)).toMatchObject({ level: 'warn', logGroupNames: ['/app/a'] });
});

describe.each(['sqlite', 'postgres'] as const)('a longer retention, on %s', (backend) => {
  /** An archive that finds after an outage that the retention is longer than before. */
  async function acceptLengthened(
    kept: KeptArchives,
    { retentionInDays, outageMs }: { retentionInDays: number; outageMs: number },
  ) {
    kept.seed('/app/a', { retentionInDays });
    const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 2 * dayMs });
    await kept.look();
    kept.advance(outageMs);
    kept.seed('/app/a');
    await kept.look();
    const end = async (day: number, isEmpty: boolean) => {
      const job = (await kept.waiting()).find((each) => each.day === day);
      await endJob(kept.database, job?.jobId ?? '', { outcome: 'covered', isEmpty });
    };
    return { id, end };
  }

  test('takes no empty export as proof where log events can have expired, and exports it again after one with objects', async () => {
    await using kept = await openKeptArchives({ backend });
    const { id, end } = await acceptLengthened(kept, { retentionInDays: 3, outageMs: 6 * dayMs });

    await end(1, true);
    await kept.look();
    const missing = (await kept.partitions()).filter(({ state }) => state === 'missing');
    kept.advance(40 * hourMs);
    await kept.look();
    const repeated = (await kept.waiting()).filter(({ day }) => day === 1);
    await end(-1, false);
    await kept.look();
    await end(0, true);
    await end(1, true);

    expect(missing).toMatchObject([
      { from: 1, problem: '/problems/export-incomplete', retryAt: null },
    ]);
    expect(repeated).toEqual([]);
    expect(await kept.ranges()).toMatchObject([
      { from: -1, to: 0 },
      { from: 0, to: 2 },
    ]);
    expect((await kept.archive(id)).stopProblem).toBeNull();
  });

  test('exports an empty one again that ended just before one with objects', async () => {
    await using kept = await openKeptArchives({ backend });
    const { end } = await acceptLengthened(kept, { retentionInDays: 3, outageMs: 6 * dayMs });

    await end(1, true);
    await end(-1, false);
    await kept.look();

    expect(await kept.waiting()).toContainEqual(expect.objectContaining({ day: 1, revision: 2 }));
  });

  test('takes an empty export as proof from the first whole hour in which nothing can have expired', async () => {
    await using kept = await openKeptArchives({ backend });
    const outageMs = 6 * dayMs + 2.5 * hourMs;
    const { end } = await acceptLengthened(kept, { retentionInDays: 1, outageMs });
    kept.advance(10 * hourMs);
    await kept.look();

    await end(5, true);
    await kept.look();
    const rest = (await kept.waiting()).find(({ day }) => day === 5);
    await end(5, true);
    kept.advance(40 * hourMs);
    await kept.look();

    const covered = { fromAt: start + 5 * dayMs + 3 * hourMs, toAt: start + 6 * dayMs };
    expect(await kept.ranges()).toMatchObject([{ state: 'lost' }, { from: 5.125, to: 6 }]);
    const rows = kept.database.queries.selectFrom('coverage').select(['fromAt', 'toAt']);
    expect(await rows.where('isVoid', '=', 0).execute()).toEqual([covered]);
    expect(rest).toMatchObject({ days: 0.125 });
    const missing = (await kept.partitions()).filter(({ state }) => state === 'missing');
    expect(missing).toMatchObject([{ from: 5, to: 5.125, retryAt: null }]);
  });
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
