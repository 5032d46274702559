import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Question } from '#auth/authorization/authorizer.ts';
import { as, principalOf, type Rule } from '../../access.ts';
import { openWorld, region, type World } from '../../world.ts';
import { jobBody } from '../accepted-jobs.ts';
import { type Policies, policiesOf } from '../jobs-of-callers.ts';
import { storageBackends } from '../storage-backends.ts';

const everything: Rule = () => true;
const { logGroupNames: _none, ...withoutGroups } = jobBody;

describe.each(storageBackends)('the authorization of a new job, on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  let asked: Question[];
  beforeAll(async () => {
    policies = policiesOf(everything);
    world = await openWorld({ jobs: await openStorage(), access: policies.access });
    for (const logGroupName of ['/team/a', '/team/b', '/team/secret']) {
      world.emulator.seed.logGroup({ region, logGroupName });
    }
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    permit(everything);
    world.emulator.journal.clear();
  });

  const permit = (rule: Rule) => {
    asked = [];
    policies.change((principal, question) => {
      if (question.action === 'CreateExportJob') asked.push(question);
      return rule(principal, question);
    });
  };
  const post = (body: unknown, query = '', headers = {}) =>
    world.call('POST', `/export-jobs${query}`, body, { ...as('ann'), ...headers });
  const groupsAsked = () => asked.map(({ resource }) => resource.logGroupName);
  const jobsThere = async () =>
    (await world.database.queries.selectFrom('jobs').select('id').execute()).length;

  test('decides each log group by the parsed values of its first slice', async () => {
    const body = {
      ...withoutGroups,
      priority: 3,
      destinationPrefix: '{logGroup}/{dd}/{jobId}/{attempt}',
      logGroupNames: ['/app', '/other'],
    };

    const { status } = await post(body);

    expect(status).toBe(202);
    const { name, accountId } = world.targets.find(undefined);
    expect(asked).toEqual(
      ['app', 'other'].map((group) => ({
        action: 'CreateExportJob',
        resource: { target: { name, accountId, region }, logGroupName: `/${group}` },
        context: {
          destination: 'archive',
          destinationPrefix: expect.stringMatching(new RegExp(`^${group}/01/[\\da-f-]{36}/1$`)),
          from: BigInt(Date.UTC(2024, 4, 1)),
          to: BigInt(Date.UTC(2024, 4, 4)) - 1n,
          priority: 3,
        },
      })),
    );
  });

  test('rejects the whole job and names the log group if one is not permitted', async () => {
    permit((_principal, { resource }) => resource.logGroupName !== '/b');
    const before = await jobsThere();

    const answer = await post({ ...jobBody, logGroupNames: ['/a', '/b', '/c'] });

    expect([answer.status, answer.body.type]).toEqual([403, '/problems/not-permitted']);
    expect(groupsAsked()).toEqual(['/a', '/b']);
    expect(await jobsThere()).toBe(before);
  });

  test('requires a permit for a prefix as for a name, before it calls AWS', async () => {
    permit((_principal, { resource }) => resource.logGroupName !== '/team/');

    const there = await post({ ...withoutGroups, logGroupNamePrefix: '/team/' });
    permit(() => false);
    const none = await post({ ...withoutGroups, logGroupNamePrefix: '/nobody/' });

    expect(there.status).toBe(403);
    expect([none.status, none.body.detail]).toEqual([there.status, there.body.detail]);
    expect(world.calls('DescribeLogGroups')).toEqual([]);
  });

  test.each([
    ['names the last log group', '/wide/58', ' AWS had listed 50 log groups, up to /wide/49.'],
    ['names no log group', '/wide/49', ' AWS had listed 50 log groups.'],
  ])(
    '%s if AWS cannot list all of a prefix and the caller may not export %s',
    async (_name, secret, progress) => {
      permit((_principal, { resource }) => resource.logGroupName !== secret);
      for (let index = 0; index < 60; index += 1) {
        const logGroupName = `/wide/${String(index).padStart(2, '0')}`;
        world.emulator.seed.logGroup({ region, logGroupName });
      }
      const refused = { kind: 'error', code: 'InvalidParameterException' } as const;
      world.emulator.faults.add({ ...refused, operation: 'DescribeLogGroups', skip: 1 });

      const { status, body } = await post({ ...withoutGroups, logGroupNamePrefix: '/wide/' });

      expect(status).toBe(400);
      expect(body.detail.endsWith(progress)).toBe(true);
    },
  );

  test('decides each log group of a prefix, and does not name one that is not permitted', async () => {
    permit((_principal, { resource }) => resource.logGroupName !== '/team/secret');

    // Too many slices, and a prefix that is too long: neither may name log groups.
    const body = { ...withoutGroups, logGroupNamePrefix: '/team/', from: 0, sliceBy: 'hour' };
    const destinationPrefix = `${'x'.repeat(946)}{logGroup}`;
    const answers = [await post(body), await post({ ...body, destinationPrefix })];

    for (const answer of answers) {
      expect([answer.status, answer.body.type]).toEqual([403, '/problems/not-permitted']);
      expect(answer.body.detail).toBe(
        'No policy permits you to export all log groups whose name begins with /team/.',
      );
    }
    expect(groupsAsked().slice(0, 4)).toEqual(['/team/', '/team/a', '/team/b', '/team/secret']);
  });

  test('rejects a dry run like the job', async () => {
    permit(() => false);

    const answer = await post(jobBody, '?dryRun=true');

    expect([answer.status, answer.body.type]).toEqual([403, '/problems/not-permitted']);
  });

  test('keeps the keys of two callers apart', async () => {
    const key = { 'idempotency-key': randomUUID() };

    const first = await post(jobBody, '', key);
    const again = await post(jobBody, '', key);
    const other = await post(jobBody, '', { ...key, ...as('bob') });

    expect(again.body).toEqual(first.body);
    expect(other.status).toBe(202);
    expect(other.body.id).not.toBe(first.body.id);
    expect(other.body.caller).toBe('test#bob');
  });

  test('returns the job of a key only while its caller may read it', async () => {
    const key = { 'idempotency-key': randomUUID() };
    await post(jobBody, '', key);
    policies.change((_principal, { action }) => action !== 'ReadExportJob');

    const again = await post(jobBody, '', key);

    expect([again.status, again.body.type]).toEqual([404, '/problems/export-job-not-found']);
  });

  test('stores the principal with the job, and the policies with the change', async () => {
    const { body, headers } = await post(jobBody);

    const { queries } = world.database;
    const job = await queries
      .selectFrom('jobs')
      .select(['caller', 'principal'])
      .where('id', '=', body.id)
      .executeTakeFirstOrThrow();
    expect(job.caller).toBe('test#ann');
    expect(JSON.parse(job.principal ?? '')).toEqual(principalOf('ann'));
    const entries = await queries
      .selectFrom('auditEntries')
      .selectAll()
      .where('jobId', '=', body.id)
      .execute();
    expect(entries).toEqual([
      {
        at: expect.any(Number),
        jobId: body.id,
        version: 1,
        change: 'job-accepted',
        principal: 'test#ann',
        action: 'CreateExportJob',
        policies: '["the-rule"]',
        requestId: headers.get('x-request-id'),
        target: 'default',
        destination: 'archive',
        destinationPrefix: body.destinationPrefix,
        outcome: 'ok',
        slice: null,
        logGroupName: null,
        taskId: null,
        awsRequestId: null,
        manifestSha256: null,
        reason: null,
        archiveId: null,
      },
    ]);
  });
});
