import { describe, expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import type { CreateExportJob } from '#export-jobs/planning/create-export-job-body.ts';
import { planJob } from '#export-jobs/planning/plan-job.ts';
import { defaultTemplateOf } from '#export-jobs/planning/prefix-template.ts';
import type { Problem } from '#problems/problem.ts';
import { authorizerBy } from '../../access.ts';
import { openWorld, region, type World } from '../../world.ts';
import { requestOf } from '../caller-requests.ts';

const now = Date.UTC(2024, 4, 10);
const [first, second] = [Date.UTC(2024, 4, 1), Date.UTC(2024, 4, 2)];
const jobBody: CreateExportJob = {
  logGroupNames: ['/app'],
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-02T00:00:00Z',
  destination: 'archive',
};
const { logGroupNames: _none, ...withoutGroups } = jobBody;

function plan(world: World, body: CreateExportJob, authorizer = openToAll.authorizer) {
  const target = world.targets.find(undefined);
  const request = requestOf('anonymous');
  const jobId = 'job-of-the-test';
  const clock = { now, elapsed: () => 0, sleep: async () => {} };
  const verification = 'objects';
  return planJob(body, { target, ...clock, jobId, request, authorizer, verification });
}
const refusalOf = (planned: Promise<unknown>): Promise<Problem> =>
  planned.then(
    () => Promise.reject(new Error('it was planned')),
    (problem: Problem) => problem,
  );

describe('planning a job', () => {
  test('applies all defaults, and calls no AWS for named log groups', async () => {
    await using world = await openWorld();

    const planned = await plan(world, jobBody);

    expect({ ...planned, slices: [...planned.slices] }).toEqual({
      job: {
        target: 'default',
        name: null,
        priority: 0,
        sliceBy: 'none',
        timeZone: 'UTC',
        fromAt: first,
        toAt: second,
        destination: 'archive',
        prefixTemplate: defaultTemplateOf('day'),
        logStreamNamePrefix: null,
        isUnsettledAllowed: false,
        verification: 'objects',
        logGroupBytes: null,
      },
      logGroupNames: ['/app'],
      slices: [
        {
          number: 0,
          logGroupName: '/app',
          fromAt: first,
          toAt: second,
          notBeforeAt: null,
          readyAt: now,
        },
      ],
      policies: [],
    });
    expect(world.emulator.journal.entries()).toEqual([]);
  });

  test('takes the members of the body', async () => {
    await using world = await openWorld();
    const members = {
      name: 'audit',
      priority: -3,
      sliceBy: 'hour',
      logStreamNamePrefix: 'web-',
    } as const;

    const prefixTemplate = 'audit/{HH}';
    const body = {
      ...jobBody,
      ...members,
      destinationPrefix: prefixTemplate,
      allowUnsettled: true,
    };

    const { job, slices } = await plan(world, body);

    expect(job).toMatchObject({ ...members, prefixTemplate, isUnsettledAllowed: true });
    expect(slices).toHaveLength(24);
  });

  test('resolves a prefix, and returns the stored bytes of its log groups', async () => {
    await using world = await openWorld();
    const events = [{ timestamp: first, message: 'x'.repeat(74) }];
    world.emulator.seed.logEvents({ region, logGroupName: '/app/b', logStreamName: 'web', events });

    const { job, slices } = await plan(world, { ...withoutGroups, logGroupNamePrefix: '/app' });

    expect([...slices].map(({ logGroupName }) => logGroupName)).toEqual(['/app', '/app/b']);
    expect(job.logGroupBytes).toBe(100);
  });

  test('returns all violations of window and template at once, before a call to AWS', async () => {
    await using world = await openWorld();
    const body = { ...withoutGroups, logGroupNamePrefix: '/app' };

    const problem = await refusalOf(
      plan(world, { ...body, from: 1_714_521_600, to: '2024-05-02', destinationPrefix: '{day}' }),
    );

    expect(problem).toMatchObject({
      slug: 'invalid-request',
      detail: 'The request breaks 3 rules.',
      members: {
        errors: [
          { in: 'body', pointer: '#/from', detail: expect.stringContaining('seconds') },
          { in: 'body', pointer: '#/to', detail: expect.stringContaining('RFC 3339') },
          { in: 'body', pointer: '#/destinationPrefix', detail: expect.stringContaining('{day}') },
        ],
      },
    });
    expect(world.emulator.journal.entries()).toEqual([]);
  });

  test('rejects an invalid template alone, and an invalid window alone', async () => {
    await using world = await openWorld();

    const template = await refusalOf(plan(world, { ...jobBody, destinationPrefix: '{' }));
    const window = await refusalOf(plan(world, { ...jobBody, to: jobBody.from }));

    expect(template.members.errors).toEqual([
      expect.objectContaining({ pointer: '#/destinationPrefix' }),
    ]);
    expect(window.members.errors).toEqual([expect.objectContaining({ pointer: '#/from' })]);
  });

  test('takes the time zone, and rejects an unknown one', async () => {
    await using world = await openWorld();
    const day = {
      from: '2024-04-30T22:00:00Z',
      to: '2024-05-02T22:00:00Z',
      sliceBy: 'day',
    } as const;

    const { job, slices } = await plan(world, { ...jobBody, ...day, timeZone: 'Europe/Berlin' });
    const problem = await refusalOf(plan(world, { ...jobBody, timeZone: 'CEST' }));

    expect(job.timeZone).toBe('Europe/Berlin');
    expect([...slices].map(({ fromAt }) => new Date(fromAt).toISOString())).toEqual([
      '2024-04-30T22:00:00.000Z',
      '2024-05-01T22:00:00.000Z',
    ]);
    expect(problem.members.errors).toEqual([
      {
        in: 'body',
        pointer: '#/timeZone',
        detail:
          'must be the IANA name of a time zone, such as Europe/Berlin; abbreviations and offsets are not supported',
      },
    ]);
  });

  test.for([
    ['one decision', '{logGroup}', 'not-permitted', 1],
    ['no decision if the job is impossible anyway', '{logGroup}'.repeat(102), 'invalid-request', 0],
  ] as const)('costs a caller without permission %s', async ([, destinationPrefix, slug, cost]) => {
    await using world = await openWorld();
    let decisions = 0;
    const authorizer = authorizerBy(() => {
      decisions += 1;
      return false;
    });
    const logGroupNames = Array.from({ length: 1_000 }, (_, n) => `${'/'.repeat(500)}${n}`);

    const body = { ...jobBody, logGroupNames, destinationPrefix };
    const problem = await refusalOf(plan(world, body, authorizer));

    expect(problem.slug).toBe(slug);
    expect(decisions).toBe(cost);
  });

  test('rejects a prefix that is empty for a log group, and names it', async () => {
    await using world = await openWorld();
    world.emulator.seed.logGroup({ region, logGroupName: '/' });
    const named = { ...jobBody, logGroupNames: ['/app', '/'], destinationPrefix: '{logGroup}/' };
    const { logGroupNames: _names, ...byPrefix } = named;

    for (const body of [named, { ...byPrefix, logGroupNamePrefix: '/' }]) {
      const problem = await refusalOf(plan(world, body));

      expect(problem.members.errors).toEqual([
        {
          in: 'body',
          pointer: '#/destinationPrefix',
          detail: expect.stringContaining('but does for log group /;'),
        },
      ]);
    }
  });

  test('names no log group of a prefix that is not permitted', async () => {
    await using world = await openWorld();
    world.emulator.seed.logGroup({ region, logGroupName: `/app/${'x'.repeat(500)}` });
    const authorizer = authorizerBy((_principal, { resource }) => resource.logGroupName === '/app');
    const body = { ...withoutGroups, destinationPrefix: '{logGroup}{logGroup}' };

    const problem = await refusalOf(
      plan(world, { ...body, logGroupNamePrefix: '/app' }, authorizer),
    );

    expect(problem).toMatchObject({
      slug: 'not-permitted',
      detail: 'No policy permits you to export all log groups whose name begins with /app.',
    });
  });

  test('rejects a prefix that a log group makes too long for a key', async () => {
    await using world = await openWorld();
    const logGroupNames = ['/app', `/${'x'.repeat(511)}`];
    const destinationPrefix = `${'{logGroup}'.repeat(2)}`;

    const problem = await refusalOf(plan(world, { ...jobBody, logGroupNames, destinationPrefix }));

    expect(problem.members.errors).toEqual([
      {
        in: 'body',
        pointer: '#/destinationPrefix',
        detail: expect.stringContaining(`but has 1022 for log group ${logGroupNames[1]};`),
      },
    ]);
  });
});
