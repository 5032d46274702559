import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Rule } from '../../access.ts';
import { as } from '../../access.ts';
import { openWorld, type World } from '../../world.ts';
import { bringTo, sliceProblem } from '../accepted-jobs.ts';
import { jobOf, type Policies, policiesOf } from '../jobs-of-callers.ts';
import { storageBackends } from '../storage-backends.ts';

/** The built-in policy: every caller may do everything with its own jobs. */
const ownOnly: Rule = (_principal, { context }) => context?.isOwn === true;

/** Who may do what with which job. */
const routes: [method: string, path: string][] = [
  ['GET', ''],
  ['GET', '/slices'],
  ['GET', '/events'],
  ['POST', '/cancel'],
  ['POST', '/retry'],
];

describe.each(storageBackends)('access to a job, on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  beforeAll(async () => {
    policies = policiesOf(ownOnly);
    world = await openWorld({ jobs: await openStorage(), access: policies.access });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    policies.change(ownOnly);
    world.audit.length = 0;
  });

  const call = (name: string, method: string, path: string) =>
    world.call(method, `/export-jobs${path}`, undefined, as(name));
  const actionsAsked = () => world.audit.map(({ action, requestId }) => [action, requestId]);

  test.each(routes)(
    '%s %s: permits only the caller of the job, by default',
    async (method, path) => {
      const jobId = await jobOf('ann', world.database);
      if (path === '/events') await bringTo(world.database, jobId, 0, 'completed');

      const own = await call('ann', method, `/${jobId}${path}`);
      const foreign = await call('bob', method, `/${jobId}${path}`);

      expect(own.status).toBeLessThan(300);
      expect(foreign.status).toBe(404);
    },
  );

  test.each(routes)(
    '%s %s: answers for a job of another caller as for one that does not exist',
    async (method, path) => {
      const jobs = await Promise.all(
        Array.from({ length: 20 }, () =>
          jobOf('ann', world.database, { logGroupNames: ['/a', '/b'] }),
        ),
      );
      const ids = jobs.flatMap((jobId) => [jobId, randomUUID()]);

      const seen = new Set<string>();
      for (const id of ids) {
        const { status, headers, text, body } = await call('bob', method, `/${id}${path}`);
        const fields = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
        seen.add(
          JSON.stringify([status, fields, text.replace(body.instance, '')]).replaceAll(id, ''),
        );
      }

      expect([...seen]).toEqual([
        expect.stringContaining('No export job that you may see has this id.'),
      ]);
      expect(world.audit.map(({ decision }) => decision)).toEqual(ids.map(() => 'forbid'));
    },
  );

  test('forbids a job of the own caller by policy, also in the list', async () => {
    const jobId = await jobOf('ann', world.database, { logGroupNames: ['/open', '/secret'] });
    policies.change((_principal, { resource }) => resource.logGroupName !== '/secret');

    const answers = await Promise.all(
      routes.map(([method, path]) => call('ann', method, `/${jobId}${path}`)),
    );
    const list = await call('ann', 'GET', '?limit=100');

    expect(answers.map(({ status }) => status)).toEqual(routes.map(() => 404));
    const ids = list.body.exportJobs.map(({ id }: { id: string }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids).not.toContain(jobId);
  });

  test.each([
    ['each of its log groups permits it', ['/a', '/b', '/c'], 200],
    ['its first log group does not', ['/x', '/b', '/c'], 404],
    ['its last log group does not', ['/a', '/b', '/x'], 404],
  ])('permits reading by another caller if %s', async (_case, logGroupNames, status) => {
    const jobId = await jobOf('ann', world.database, { logGroupNames, days: 3 });
    policies.change((_principal, { action, resource }) => {
      return action === 'ReadExportJob' && resource.logGroupName !== '/x';
    });

    const answer = await call('bob', 'GET', `/${jobId}`);

    expect(answer.status).toBe(status);
  });

  test('is decided by target, log group, bucket and prefix template', async () => {
    const jobId = await jobOf('ann', world.database);
    const asked: unknown[] = [];
    policies.change((_principal, question) => asked.push(question) > 0);

    await call('bob', 'GET', `/${jobId}`);
    await call('ann', 'POST', `/${jobId}/cancel`);

    const { name, accountId, region } = world.targets.find(undefined);
    const about = {
      resource: { target: { name, accountId, region }, logGroupName: '/app' },
      context: { destination: 'archive', destinationPrefix: 'jobs/{jobId}', isOwn: false },
    };
    expect(asked).toEqual([
      { action: 'ReadExportJob', ...about },
      { action: 'CancelExportJob', ...about, context: { ...about.context, isOwn: true } },
    ]);
  });

  test('decides a job of a thousand log groups once per caller, until the policies change', async () => {
    const logGroupNames = Array.from({ length: 1_000 }, (_, n) => `/g/${n}`);
    const jobId = await jobOf('ann', world.database, { logGroupNames });
    let asked = 0;
    const counting =
      (last: boolean): Rule =>
      (_principal, { resource }) => {
        asked += 1;
        return resource.logGroupName !== '/g/999' || last;
      };
    const readTwice = async () => {
      asked = 0;
      const { status } = await call('bob', 'GET', `/${jobId}`);
      const first = asked;
      await call('bob', 'GET', `/${jobId}/slices`);
      return { status, first, second: asked - first };
    };

    policies.change(counting(true));
    const permitted = await readTwice();
    policies.change(counting(false));
    const refused = await readTwice();

    expect(permitted).toEqual({ status: 200, first: 1_000, second: 1 });
    expect(refused).toEqual({ status: 404, first: 1_000, second: 1 });
    expect(actionsAsked()).toHaveLength(4);
  });

  test('decides a job of a removed target by its last account and Region', async () => {
    const gone = { target: 'gone', accountId: '999999999999', region: 'us-west-2' };
    await world.database.queries.insertInto('slots').values(gone).execute();
    const jobId = await jobOf('ann', world.database, { target: 'gone' });
    policies.change((_principal, { resource }) => resource.target.accountId === gone.accountId);

    const answer = await call('bob', 'GET', `/${jobId}`);

    expect(answer.status).toBe(200);
  });

  test('rejects a waiting request if the policies have changed meanwhile', async () => {
    const jobId = await jobOf('ann', world.database, { days: 2 });
    const waiting = call('ann', 'GET', `/${jobId}?wait=30`);
    await world.waitFor(() => world.waiting() > 0);

    policies.change(() => false);
    await bringTo(world.database, jobId, 0, 'completed');
    world.jobChanged(jobId);

    expect((await waiting).status).toBe(404);
  });

  test('permits a cancel without a permit to read, and records who cancelled', async () => {
    const jobId = await jobOf('ann', world.database);
    policies.change((_principal, { action }) => action === 'CancelExportJob');

    const read = await call('bob', 'GET', `/${jobId}`);
    const cancelled = await call('bob', 'POST', `/${jobId}/cancel`);

    expect(read.status).toBe(404);
    expect(cancelled.status).toBe(202);
    const entries = await world.database.queries
      .selectFrom('auditEntries')
      .select(['change', 'principal', 'action', 'policies', 'requestId'])
      .where('jobId', '=', jobId)
      .where('action', '=', 'CancelExportJob')
      .orderBy('version')
      .execute();
    const by = {
      principal: 'test#bob',
      policies: '["the-rule"]',
      requestId: cancelled.headers.get('x-request-id'),
    };
    expect(entries).toMatchObject([
      { change: 'job-cancel-requested', ...by },
      { change: 'slices-cancelled', ...by },
    ]);
  });
});

describe.each(storageBackends)('a retry, on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  beforeAll(async () => {
    policies = policiesOf(ownOnly);
    world = await openWorld({ jobs: await openStorage(), access: policies.access });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const retry = (name: string, jobId: string) =>
    world.call('POST', `/export-jobs/${jobId}/retry`, undefined, as(name));
  const failedJob = async () => {
    const jobId = await jobOf('ann', world.database, { logGroupNames: ['/a', '/b'], days: 3 });
    // Slices 2 and 4 are of log group /a, of the second and the third day.
    for (const slice of [2, 4]) {
      await bringTo(world.database, jobId, slice, 'failed', sliceProblem('export-task-failed'));
    }
    return jobId;
  };

  test('requires a permit to create for each failed log group', async () => {
    const jobId = await failedJob();
    const asked: unknown[] = [];
    policies.change((_principal, question) => {
      if (question.action === 'CreateExportJob') asked.push(question);
      return question.action === 'RetryExportJob';
    });

    const answer = await retry('ann', jobId);

    expect([answer.status, answer.body.type]).toEqual([403, '/problems/not-permitted']);
    const day = (n: number) => BigInt(Date.UTC(2024, 0, n));
    expect(asked).toEqual([
      {
        action: 'CreateExportJob',
        resource: { target: expect.objectContaining({ name: 'default' }), logGroupName: '/a' },
        context: {
          destination: 'archive',
          destinationPrefix: `jobs/${jobId}`,
          priority: 0,
          from: day(2),
          to: day(4) - 1n,
        },
      },
    ]);
    const shown = await world.database.queries
      .selectFrom('slices')
      .select('state')
      .where('jobId', '=', jobId)
      .where('state', '=', 'failed')
      .execute();
    expect(shown).toHaveLength(2);
  });

  test('is refused for a job of another caller without naming its log groups', async () => {
    const jobId = await failedJob();
    policies.change((_principal, { action }) => action === 'RetryExportJob');

    const answer = await retry('bob', jobId);

    expect(answer.body.detail).toBe('No policy permits you to export all failed slices.');
  });

  test('requires no permit to create when nothing has failed', async () => {
    const jobId = await jobOf('ann', world.database);
    policies.change((_principal, { action }) => action === 'RetryExportJob');

    const answer = await retry('ann', jobId);

    expect(answer.body).toMatchObject({ retriedSlices: 0 });
  });

  test('returns slices to the queue if permitted, and records who requested it', async () => {
    const jobId = await failedJob();
    policies.change(() => true);

    const answer = await retry('bob', jobId);

    expect(answer.body).toMatchObject({ retriedSlices: 2 });
    const entry = await world.database.queries
      .selectFrom('auditEntries')
      .select(['principal', 'action', 'outcome'])
      .where('jobId', '=', jobId)
      .where('change', '=', 'slices-retried')
      .execute();
    expect(entry).toEqual([{ principal: 'test#bob', action: 'RetryExportJob', outcome: 'ok' }]);
  });
});
