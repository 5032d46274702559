import { describe, expect, test } from 'vitest';

import { as, callersBy } from '../access.ts';
import { type AttemptValues, insertAttempt, insertJob } from '../export-jobs/insert-rows.ts';
import { storageBackends } from '../export-jobs/storage-backends.ts';
import { openWorld, region, type World } from '../world.ts';
import { openVisitor } from './visitor.ts';

const now = Date.UTC(2024, 4, 2, 12);
const minutesAgo = (minutes: number) => now - minutes * 60_000;
const instant = (ms: number) => new Date(ms).toISOString();

const throttled = { slug: 'aws-throttled', code: 'ThrottlingException' };
const away = { slug: 'aws-unavailable', code: 'ServiceUnavailableException' };
const denied = { slug: 'service-role-not-permitted', code: 'AccessDeniedException' };
const noAnswer = { slug: 'aws-timeout', code: undefined };

/** The stored problem of an attempt. Its detail has a fact of its job. */
const stored = ({ slug, code }: { slug: string; code: string | undefined }) =>
  JSON.stringify({
    type: `/problems/${slug}`,
    title: slug,
    detail: 'About /secret.',
    isRetryable: true,
    remedy: 'About /secret.',
    awsErrorCode: code,
  });

/** An attempt that led to no task, some minutes ago. */
const attemptOf = (
  problem: typeof noAnswer | typeof throttled,
  minutes: number,
  outcome: string | null = 'refused',
): Omit<AttemptValues, 'jobId'> => ({
  submittedAt: minutesAgo(minutes),
  endedAt: outcome === null ? null : minutesAgo(minutes),
  outcome,
  problem: stored(problem),
});

/** Inserts a job of one slice, with its attempts. */
async function givenAttempts(
  { database }: World,
  state: 'waiting' | 'starting' | 'failed' | 'cancelled',
  attempts: readonly Omit<AttemptValues, 'jobId'>[],
  readyAt = 0,
): Promise<string> {
  const jobId = await insertJob(database, { caller: 'test#tom', slices: [{ state, readyAt }] });
  for (const [index, attempt] of attempts.entries())
    await insertAttempt(database, { jobId, attempt: index + 1, ...attempt });
  return jobId;
}

describe.each(storageBackends)('the problem of the queue on %s', (_name, openStorage) => {
  const openJobs = async (options: object = {}) =>
    openWorld({ ...options, jobs: { ...(await openStorage()), clock: () => now } });

  test.for([
    ['AWS refuses creates', throttled, 'refused', 'waiting'],
    ['the answer to a create is lost', away, null, 'starting'],
    ['a create without an answer had no effect', noAnswer, 'not-created', 'waiting'],
    ['the role may not create', denied, 'refused', 'failed'],
  ] as const)(
    'is shown by the API and the pages of target and job when %s',
    async ([, problem, outcome, state]) => {
      await using world = await openJobs();
      await givenAttempts(world, state, [
        { submittedAt: minutesAgo(30), endedAt: minutesAgo(29), outcome: 'completed', taskId: 't' },
        attemptOf(problem, 20),
        attemptOf(problem, 5, outcome),
      ]);
      const jobId = await insertJob(world.database, { slices: [{ readyAt: minutesAgo(6) }] });

      const target = await world.call('GET', '/targets/default');
      const job = await world.call('GET', `/export-jobs/${jobId}`);
      const visitor = openVisitor(world);
      const pages = [
        await visitor.get('/ui/targets/default'),
        await visitor.get(`/ui/jobs/${jobId}`),
      ];

      const { queue } = target.body;
      expect(queue.problem).toMatchObject({
        type: `/problems/${problem.slug}`,
        since: instant(minutesAgo(20)),
        detail: expect.stringContaining(problem.code ?? 'no answer'),
      });
      expect(job.body.queue).toEqual({ position: expect.any(Number), problem: queue.problem });
      for (const { html } of pages) {
        expect(html).toContain(`href="/problems/${problem.slug}"`);
        expect(html).toContain(`<code>${problem.slug}</code>`);
        expect(html).toContain(`datetime="${instant(minutesAgo(20))}"`);
      }
    },
  );

  test.for([
    ['AWS accepted the newest create', 'waiting', [throttled, undefined], 0],
    [
      'the newest create failed for its own slice',
      'failed',
      [{ ...throttled, slug: 'log-group-not-found' }],
      0,
    ],
    ['the refused slice is cancelled, and no other is ready', 'cancelled', [throttled], now + 1],
    ['another slice became ready after the refused one failed', 'failed', [denied], minutesAgo(19)],
  ] as const)('is absent when %s', async ([, state, problems, readyAt]) => {
    await using world = await openJobs();
    const attempts = problems.map((problem, index) =>
      problem
        ? attemptOf(problem, 20 - index)
        : { submittedAt: minutesAgo(9), endedAt: minutesAgo(8), outcome: 'completed', taskId: 't' },
    );
    await givenAttempts(world, state, attempts);
    await insertJob(world.database, { slices: [{ readyAt }] });

    const { body } = await world.call('GET', '/targets/default');

    expect(body.queue.waiting).toBeGreaterThan(0);
    expect(body.queue.problem).toBeUndefined();
  });

  test('is shown when the only slice of the queue is the one whose answer is lost', async () => {
    await using world = await openJobs();
    await givenAttempts(world, 'starting', [attemptOf(away, 5, null)]);

    const { body } = await world.call('GET', '/targets/default');
    const { html } = await openVisitor(world).get('/ui/targets/default');

    expect(body.queue).toMatchObject({ waiting: 0, problem: { since: instant(minutesAgo(5)) } });
    expect(html).toContain('<code>aws-unavailable</code>');
  });

  test('began at the first of the latest hundred creates in a long series', async () => {
    await using world = await openJobs();
    const attempts = Array.from({ length: 120 }, (_, index) => attemptOf(throttled, 120 - index));
    await givenAttempts(world, 'waiting', attempts);

    const { body } = await world.call('GET', '/targets/default');

    expect(body.queue.problem.since).toBe(instant(minutesAgo(100)));
  });

  test('is not over when the export of an earlier create turns out to be incomplete', async () => {
    await using world = await openJobs();
    await givenAttempts(world, 'waiting', [attemptOf(throttled, 20), attemptOf(throttled, 10)]);
    await givenAttempts(world, 'waiting', [
      { submittedAt: minutesAgo(30), endedAt: minutesAgo(5), outcome: 'failed', taskId: 't' },
    ]);

    const { body } = await world.call('GET', '/targets/default');

    expect(body.queue.problem.since).toBe(instant(minutesAgo(20)));
  });

  test('is that of the target while it is unusable, in the API and on the page', async () => {
    const target = 'payments';
    const roleArn = 'arn:aws:iam::111122223333:role/log-export';
    await using world = await openJobs({
      targets: [
        { name: 'default', region },
        { name: target, region, roleArn },
      ],
      emulator: { roles: { [roleArn]: { refuses: true } } },
    });
    const jobId = await insertJob(world.database, { target });
    await insertAttempt(world.database, { jobId, target, ...attemptOf(throttled, 5) });
    await world.waitFor(() => world.targets.look(target)?.state === 'unusable');

    const shown = await world.call('GET', `/targets/${target}`);
    const job = await world.call('GET', `/export-jobs/${jobId}`);
    const { html } = await openVisitor(world).get(`/ui/targets/${target}`);

    expect(shown.body.queue.problem).toEqual(shown.body.problem);
    expect(job.body.queue.problem).toEqual(shown.body.problem);
    expect(html).toContain('<code>service-role-unusable</code>');
    expect(html).not.toContain('<code>aws-throttled</code>');
  });

  test('tells nothing of the job whose create was refused', async () => {
    const access = callersBy(
      (_principal, { action, context }) => action === 'ReadTarget' || context?.isOwn === true,
    );
    await using world = await openJobs({ access });
    const hidden = await givenAttempts(world, 'waiting', [attemptOf(denied, 5)]);
    const own = await insertJob(world.database, { caller: 'test#ann' });

    const answers = [
      await world.call('GET', '/targets/default', undefined, as('ann')),
      await world.call('GET', `/export-jobs/${own}`, undefined, as('ann')),
    ];

    for (const { body } of answers) {
      expect(body.queue.problem.type).toBe('/problems/service-role-not-permitted');
      expect(JSON.stringify(body)).not.toMatch(new RegExp(`secret|tom|${hidden}`));
    }
  });
});

test('the page of a target names the log lines of an idle slot without a known problem', async () => {
  await using world = await openWorld({ jobs: { clock: () => now } });
  await insertJob(world.database);

  const { html } = await openVisitor(world).get('/ui/targets/default');

  expect(html).toContain('<code>target worker failed, retrying</code>');
  expect(html).toContain('<code>POLICY_DIR has no policy</code>');
});
