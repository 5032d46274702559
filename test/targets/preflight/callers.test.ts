import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Check } from '#targets/preflight/check.ts';
import { as, callersBy } from '../../access.ts';
import { createBody, openWorld, region, type World } from '../../world.ts';

// A preflight must tell nobody more than an export would, and cost AWS no call without a permission.

/** Ann may export the log groups of team a, under one prefix of one bucket, since 2024. */
const access = callersBy(
  (_principal, { action, resource, context }) =>
    action === 'CreateExportJob' &&
    resource.target.name === 'default' &&
    resource.logGroupName?.startsWith('/team-a') === true &&
    context?.destination === 'archive' &&
    context.destinationPrefix === 'team-a' &&
    (context.from ?? 0n) >= 1_704_067_200_000n,
);

let world: World;

beforeAll(async () => {
  world = await openWorld({
    access,
    targets: [
      { name: 'default', region },
      { name: 'hidden', region: 'us-east-1' },
    ],
    rateLimits: { createsPerMinute: 30 },
    emulator: { deniedActions: { '*': ['s3:GetBucketPolicy'] } },
  });
  for (const logGroupName of ['/team-a/one', '/team-a/two', '/team-a-secret', '/team-b/one']) {
    world.emulator.seed.logGroup({ region, logGroupName });
  }
});

afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => world.emulator.journal.clear());

const permitted = {
  logGroupNames: ['/team-a/one'],
  destination: 'archive',
  destinationPrefix: 'team-a',
};

const ask = (changes: object = {}, path = '/preflights') =>
  world.call('POST', path, { ...permitted, ...changes }, as('ann'));

test('returns a preflight of what the policies permit', async () => {
  const { status, body } = await ask();

  expect([status, body.verdict]).toEqual([200, 'pass']);
  expect(world.audit.at(-1)).toMatchObject({ principal: 'test#ann' });
});

test('decides about the prefix that a job has, without slashes at its end', async () => {
  const { status } = await ask({ destinationPrefix: 'team-a//' });

  expect(status).toBe(200);
});

describe('rejects without a call to AWS', () => {
  test.for([
    ['a log group that is not permitted', { logGroupNames: ['/team-a/one', '/team-b/one'] }],
    ['a prefix that is not permitted', { logGroupNames: undefined, logGroupNamePrefix: '/team-' }],
    ['another bucket', { destination: 'secrets' }],
    ['another destination prefix', { destinationPrefix: 'team-b' }],
    ['no destination prefix', { destinationPrefix: undefined }],
    ['a time range that is not permitted', { from: 946_684_800_000, to: createBody.to }],
  ] as const)('%s', async ([, changes]) => {
    const { status, body } = await ask(changes);

    expect([status, body.type]).toEqual([403, '/problems/not-permitted']);
    expect(world.emulator.journal.entries()).toEqual([]);
  });

  test('a target that may not be used', async () => {
    const { status, body } = await ask({}, '/preflights?target=hidden');

    expect([status, body.type]).toEqual([403, '/problems/not-permitted']);
    expect(world.emulator.journal.entries()).toEqual([]);
  });
});

test('rejects a prefix that has a log group which is not permitted, without its name', async () => {
  const rule = callersBy((_principal, { resource }) => resource.logGroupName !== '/team-a-secret');
  await using strict = await openWorld({ access: rule });
  strict.emulator.seed.logGroup({ region, logGroupName: '/team-a-secret' });
  const body = { logGroupNamePrefix: '/team-a', destination: 'archive' };

  const refused = await strict.call('POST', '/preflights', body, as('ann'));

  expect(refused.status).toBe(403);
  expect(refused.text).not.toContain('secret');
  expect(strict.emulator.journal.entries().map(({ service }) => service)).not.toContain('s3');
});

test('a policy for a bucket of another account names the account and not the role', async () => {
  const roleArn = 'arn:aws:iam::123456789012:role/secret-exporter';
  await using assumed = await openWorld({ targets: [{ name: 'default', region, roleArn }] });
  const bucket = { region, bucket: 'foreign', accountId: '999999999999' };
  const look = {
    Effect: 'Allow',
    Principal: { AWS: '123456789012' },
    Action: 's3:ListBucket',
    Resource: 'arn:aws:s3:::foreign',
  };
  assumed.emulator.seed.bucket({ ...bucket, policy: JSON.stringify({ Statement: [look] }) });
  const task = { ...createBody, destination: 'foreign' };
  const asked = { logGroupNames: ['/app'], destination: 'foreign' };

  const { body } = await assumed.call('POST', '/preflights', asked);
  const refused = await assumed.call('POST', '/export-tasks', task);
  const policy = JSON.stringify(refused.body.bucketPolicy);
  assumed.emulator.seed.bucket({ ...bucket, policy });
  const created = await assumed.call('POST', '/export-tasks', task);

  const ofPolicies = body.checks.filter(({ name }: Check) => /policy|permission/.test(name));
  expect(ofPolicies).toMatchObject([{ verdict: 'unknown' }, { verdict: 'unknown' }]);
  expect(ofPolicies[0].detail).toContain('another account');
  expect(policy).toContain('arn:aws:iam::123456789012:root');
  expect(policy).not.toContain('secret-exporter');
  expect([refused.status, created.status]).toEqual([422, 201]);
});

test('hides the export task in the slot from a caller who may not see it', async () => {
  await using busy = await openWorld({ access });
  const taskId = busy.emulator.seed.foreignTask({ region, durationMs: 60_000 });
  busy.emulator.seed.logGroup({ region, logGroupName: '/team-a/one' });

  const { body, text } = await busy.call('POST', '/preflights', permitted, as('ann'));

  const slot = body.checks.find(({ name }: Check) => name === 'slot');
  expect(slot.detail).toContain('holds the slot');
  expect(text).not.toContain(taskId);
});

test('counts as a create of its caller', async () => {
  const { headers } = await ask();

  expect(headers.get('ratelimit')).toMatch(/^"creates";r=\d+;t=\d+$/);
});

test('reads no bucket while the call budget of the target is exhausted', async () => {
  let now = 0;
  await using busy = await openWorld({ callsPerSecond: 1, elapsed: () => now });
  const body = { logGroupNames: ['/app'], destination: 'archive' };
  const refused: string[] = [];

  const calls = Array.from({ length: 10 }, async () => {
    const { status, body: answer } = await busy.call('POST', '/preflights', body);
    if (status === 429) refused.push(answer.type);
  });
  await busy.waitFor(() => refused.length >= 7);
  const heads = busy.calls('HeadBucket').length;
  let isOver = false;
  const all = Promise.all(calls).then(() => {
    isOver = true;
  });
  for (; !isOver; await Promise.race([all, delay(100)])) now += 1_000;

  expect(new Set(refused)).toEqual(new Set(['/problems/aws-call-budget-exhausted']));
  expect(heads).toBeLessThanOrEqual(1);
});
