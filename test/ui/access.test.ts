import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Question } from '#auth/authorization/authorizer.ts';
import { recordForeignTask } from '#export-jobs/store/steps/record-foreign-task.ts';
import { formTokenOf } from '#ui/session/session.ts';
import { as, type Rule } from '../access.ts';
import { givenArchiveInAllStates } from '../archives/archive-in-all-states.ts';
import { accessBy, callerIn, makePolicyFolder } from '../auth/policy-folder.ts';
import { bringTo, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { jobOf, type Policies, policiesOf } from '../export-jobs/jobs-of-callers.ts';
import { openWorld, type World } from '../world.ts';
import { openVisitor } from './visitor.ts';

// A page answers a caller as the operation of the API with the same path does.

const ownOnly: Rule = (_principal, { context }) => context?.isOwn === true;
const without =
  (logGroupName: string): Rule =>
  (_principal, { resource }) =>
    resource.logGroupName !== logGroupName;
const readOnly: Rule = (_principal, { action }: Question) => /^(Read|Describe)/.test(action);

const rules: [name: string, rule: Rule][] = [
  ['everything', () => true],
  ['nothing', () => false],
  ['own jobs', ownOnly],
  ['reading', readOnly],
  ['all but a log group', without('/secret')],
];

const id = randomUUID();
const token = formTokenOf({ id });
const cookie = `log-export-session=${id}`;
const accept = { accept: 'application/json' };

test('the page of an archive and its coverage hide log groups that the caller may not read', async () => {
  const policies = policiesOf(() => true);
  await using world = await openWorld({ jobs: {}, access: policies.access });
  const archiveId = await givenArchiveInAllStates(world.database);
  const visitor = openVisitor(world, { cookie, ...as('ann') });
  const read = async () => {
    const api = await world.call('GET', `/archives/${archiveId}/coverage`, undefined, as('ann'));
    const coverage = await visitor.get(`/ui/archives/${archiveId}/coverage`, accept);
    expect(JSON.parse(coverage.html)).toEqual(api.body);
    return (await visitor.get(`/ui/archives/${archiveId}`)).html;
  };
  const next = /href="([^"]*)fromGroup=20#grid-title">Next log groups/;

  policies.change((_principal, { resource }) => resource.logGroupName !== '/at-risk');
  const some = await read();
  policies.change((_principal, { resource }) => resource.logGroupName === '/');
  const none = await read();

  expect(some).toContain('/missing');
  expect(some).not.toContain('/at-risk');
  expect(some).toMatch(next);
  expect(none).not.toMatch(/\/(at-risk|deleted|missing|running|z)/);
  expect(none).toMatch(next);
});

describe('a page has the answer of the API', () => {
  let world: World;
  let policies: Policies;
  let jobs: string[];
  beforeAll(async () => {
    policies = policiesOf(() => true);
    world = await openWorld({ jobs: {}, access: policies.access });
    const { database } = world;
    const of = (name: string, logGroupNames: string[]) => jobOf(name, database, { logGroupNames });
    jobs = [
      await of('ann', ['/app']),
      await of('bob', ['/app', '/secret']),
      await of('bob', ['/secret']),
      randomUUID(),
    ];
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(async () => {
    for (const jobId of jobs.slice(0, 3)) {
      await bringTo(world.database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
    }
  });

  describe.each(rules)('to callers who are permitted %s', (_name, rule) => {
    beforeEach(() => policies.change(rule));

    test.each(['ann', 'bob'])('for targets, asked by %s', async (name) => {
      const visitor = openVisitor(world, { cookie, ...as(name) });
      for (const target of ['default', 'other']) {
        const api = await world.call('GET', `/targets/${target}`, undefined, as(name));
        const page = await visitor.get(`/ui/targets/${target}`);

        expect([target, page.status]).toEqual([target, api.status]);
      }
      const list = await world.call('GET', '/targets', undefined, as(name));
      const { html } = await visitor.get('/ui/targets');
      expect(html.includes('/ui/targets/default')).toBe(list.body.targets.length === 1);
    });

    test.each(['ann', 'bob'])('for jobs, asked by %s', async (name) => {
      const visitor = openVisitor(world, { cookie, ...as(name) });
      const list = await world.call('GET', '/export-jobs?caller=*', undefined, as(name));
      const listed = list.body.exportJobs.map((job: { id: string }) => job.id);
      const { html } = await visitor.get('/ui/jobs?caller=*');

      expect(jobs.filter((jobId) => html.includes(`/ui/jobs/${jobId}`)).sort()).toEqual(
        listed.sort(),
      );
      for (const jobId of jobs) {
        const api = await world.call('GET', `/export-jobs/${jobId}`, undefined, as(name));
        const page = await visitor.get(`/ui/jobs/${jobId}`);
        expect([jobId, page.status]).toEqual([jobId, api.status]);
        if (api.status !== 200) {
          expect(page.html).toContain(api.body.detail);
          expect(page.html).not.toContain('/secret');
          const stream = await visitor.get(`/ui/jobs/${jobId}/events`);
          expect(stream.status).toBe(api.status);
        }
      }
    });

    test.each(['retry', 'cancel'])('for %s', async (act) => {
      for (const [index, jobId] of jobs.entries()) {
        const visitor = openVisitor(world, { cookie, ...as('bob') });
        const api = await world.call('POST', `/export-jobs/${jobId}/${act}`, undefined, as('bob'));
        if (index < 3 && act === 'retry') {
          await bringTo(world.database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
        }
        const page = await visitor.post(`/ui/jobs/${jobId}/${act}`, { token });

        expect([act, jobId, page.status]).toEqual([
          act,
          jobId,
          api.status === 202 ? 303 : api.status,
        ]);
      }
    });
  });
});

test('a Cedar policy that forbids a log group by its name hides its jobs from the pages', async () => {
  using folder = makePolicyFolder({
    'team.cedar': `
      permit (principal, action, resource);
      forbid (principal, action, resource) when { resource has name && resource.name == "/secret" };`,
  });
  const callers = { ann: callerIn(['team-a']) };
  await using world = await openWorld({ jobs: {}, access: accessBy(folder.path, callers) });
  const shown = await jobOf('bob', world.database, { logGroupNames: ['/app'] });
  const hidden = await jobOf('bob', world.database, { logGroupNames: ['/app', '/secret'] });
  const visitor = openVisitor(world, { cookie, ...as('ann') });

  const pages = await Promise.all([shown, hidden].map((jobId) => visitor.get(`/ui/jobs/${jobId}`)));
  const api = await Promise.all(
    [shown, hidden].map((jobId) =>
      world.call('GET', `/export-jobs/${jobId}`, undefined, as('ann')),
    ),
  );
  const { html } = await visitor.get('/ui/jobs?caller=*');

  expect(pages.map(({ status }) => status)).toEqual([200, 404]);
  expect(api.map(({ status }) => status)).toEqual([200, 404]);
  expect(html).toContain(shown);
  expect(html).not.toContain(hidden);
});

test('the timeline names a caller only to those who may read its jobs', async () => {
  const policies = policiesOf(without('/secret'));
  await using world = await openWorld({ jobs: {}, access: policies.access });
  const jobId = await jobOf('bob', world.database, { logGroupNames: ['/secret'] });
  const now = Date.now();
  const { insertAttempt } = await import('../export-jobs/insert-rows.ts');
  await insertAttempt(world.database, {
    jobId,
    taskId: 'task-of-bob',
    submittedAt: now - 7_200_000,
    endedAt: now - 3_600_000,
    outcome: 'completed',
  });
  await bringTo(world.database, jobId, 0, 'completed');
  const visitor = openVisitor(world, as('ann'));

  const hidden = await visitor.get('/ui/targets/default');
  policies.change(() => true);
  const shown = await visitor.get('/ui/targets/default');

  expect(hidden.html).toContain('Callers that you may not see');
  expect(hidden.html).not.toMatch(/test#bob|task-of-bob|\/secret/);
  expect(shown.html).toContain('<bdi class="name">test#bob</bdi>');
});

test('the page of a target names a foreign task only to those who may see its bucket', async () => {
  const policies = policiesOf((_principal, { context }) => context?.destination !== 'secret');
  const now = Date.now();
  await using world = await openWorld({ jobs: { clock: () => now }, access: policies.access });
  const lease = { target: 'default', owner: 'a', fence: 1 };
  await world.database.queries
    .insertInto('slots')
    .values({ ...lease, accountId: '123456789012', region: 'eu-west-1', leasedUntil: now })
    .execute();
  const resources = { logGroupName: '/theirs', destination: 'secret', destinationPrefix: 'x' };
  const task = { taskId: 'of-the-console', ...resources, since: now - 60_000 };
  await recordForeignTask(world.database, lease, task);
  const visitor = openVisitor(world, as('ann'));

  const hidden = await visitor.get('/ui/targets/default');
  policies.change(() => true);
  const shown = await visitor.get('/ui/targets/default');

  expect(hidden.html).toContain('A task that no export job has created holds the slot');
  expect(hidden.html).not.toMatch(/of-the-console|\/theirs/);
  expect(shown.html.match(/of-the-console/g)).toHaveLength(2);
});
