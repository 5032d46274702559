import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import type { CreateCallOptions, ExportGrant } from '#aws/call-options.ts';
import { sessionNameOf } from '#aws/sessions/session-name.ts';
import { sessionPolicyFor } from '#aws/sessions/session-policy.ts';
import type { Problem } from '#problems/problem.ts';
import { refusal } from '../export-jobs/open-queue.ts';
import { createBody, openWorld, region, type World, type WorldOptions } from '../world.ts';

const accountId = '210987654321';
const roleArn = `arn:aws:iam::${accountId}:role/log-export`;
const location = { partition: 'aws', accountId, region };
const { logGroupName, destination, destinationPrefix } = createBody;
const grant: ExportGrant = { logGroupName, destination, destinationPrefix };
const task = { ...grant, from: 0n, to: 1n };
const caller = 'https://issuer.example.com#order-service';

/** A world with one target that has a role. Every create has its own session. */
async function openScoped(options: WorldOptions = {}, emulator: EmulatorOptions = {}) {
  const world = await openWorld({
    isSessionScoped: true,
    targets: [{ name: 'default', region, roleArn }],
    ...options,
    emulator: { activeTaskLimit: Number.POSITIVE_INFINITY, ...emulator },
  });
  const theirs = { region, accountId };
  for (const name of ['/app', '/app2']) {
    world.emulator.seed.logGroup({ ...theirs, logGroupName: name });
  }
  for (const bucket of ['archive', 'vault']) world.emulator.seed.bucket({ ...theirs, bucket });
  return world;
}

const create = async (world: World, options: CreateCallOptions, changes: object = {}) =>
  world.targets.find(undefined).logs.createExportTask({ ...task, ...changes }, options);

/** The outcome of a create as text. */
async function outcomeOf(...call: Parameters<typeof create>): Promise<string> {
  const result = await create(...call).catch(notSent);
  return 'problem' in result ? `${result.outcome}: ${result.problem.slug}` : result.outcome;
}

/** An unusable target refuses the call itself. */
const notSent = (problem: Problem) => ({ outcome: 'not-sent', problem }) as const;

/** Many refusals of the role, without a Date: in virtual time, the SDK would retry (open-queue.ts). */
const refuseRole = {
  ...refusal,
  operation: 'AssumeRole',
  code: 'AccessDenied',
  status: 403,
  count: 100,
} as const;

describe('a create in its own session', () => {
  test('assumes the role with the name of its caller and a policy for the grant', async () => {
    await using world = await openScoped();

    const results = [
      await create(world, { caller, grant }),
      await create(world, { caller: 'api-key#other', grant }),
    ];

    expect(results.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
    expect(world.emulator.journal.entries().map(({ operation }) => operation)).toEqual([
      'AssumeRole',
      'CreateExportTask',
      'AssumeRole',
      'CreateExportTask',
    ]);
    const name = sessionNameOf(caller);
    expect(world.calls('AssumeRole')[0]?.input).toEqual({
      RoleArn: roleArn,
      DurationSeconds: '900',
      RoleSessionName: name,
      SourceIdentity: name,
      Policy: sessionPolicyFor(location, grant),
    });
    expect(world.creates().map(({ sourceIdentity }) => sourceIdentity)).toEqual([
      name,
      sessionNameOf('api-key#other'),
    ]);
  });

  test('is the only call in its session; all others use the ordinary session of the role', async () => {
    await using world = await openScoped();
    const { logs } = world.targets.find(undefined);

    await create(world, { caller, grant });
    await logs.describeExportTasks({}, { caller });
    await logs.cancelExportTask('no-such-task', { caller }).catch(() => {});
    await logs.describeLogGroups({}, { caller });

    const inScoped = world.emulator.journal
      .entries()
      .filter(({ sourceIdentity }) => sourceIdentity !== undefined);
    expect(inScoped.map(({ operation }) => operation)).toEqual(['CreateExportTask']);
    expect(world.calls('DescribeLogGroups')[0]).toMatchObject({ sessionName: 'test', status: 200 });
  });

  test('has the session name of the gateway when it has no caller', async () => {
    await using world = await openScoped();

    await create(world, { grant });

    expect(world.creates()[0]?.sourceIdentity).toBe(sessionNameOf('log-export-gateway'));
  });

  test('checks maySend after the session is open', async () => {
    await using world = await openScoped();
    let seen: string[] = [];
    const maySend = () => {
      seen = world.emulator.journal.entries().map(({ operation }) => operation);
      return false;
    };

    const result = await outcomeOf(world, { caller, grant, maySend });

    expect(result).toBe('not-sent: aws-unavailable');
    expect(seen).toEqual(['AssumeRole']);
    expect(world.creates()).toEqual([]);
  });

  test('with the default prefix may write the test object beside it, as AWS does', async () => {
    await using world = await openScoped();
    const byDefault = { ...grant, destinationPrefix: 'exportedlogs' };
    const changes = { destinationPrefix: undefined };

    const results = [
      await outcomeOf(world, { caller, grant: byDefault }, changes),
      await outcomeOf(world, { caller, grant }, changes),
    ];

    expect(results).toEqual(['accepted', 'refused: destination-not-writable']);
  });

  test('is sent once, whether it succeeds or fails', async () => {
    await using world = await openScoped();
    world.emulator.faults.add({ operation: 'CreateExportTask', kind: 'error', status: 500 });
    world.emulator.faults.add({ operation: 'CreateExportTask', kind: 'reset-after' });

    const endings = [
      await outcomeOf(world, { caller, grant }),
      await outcomeOf(world, { caller, grant }),
    ];

    expect(endings).toEqual(['unknown', 'unknown']);
    expect(world.creates()).toHaveLength(2);
  });
});

test('the session of a role is used for its whole time, also when the clock of the machine is wrong', async () => {
  const startAt = Date.now(); // far from it, the SDK retries because of the clock
  let elapsed = 0;
  const now = () => startAt + 20 * 60_000;
  await using world = await openScoped({ now, elapsed: () => elapsed }, { startAt });
  const { logs } = world.targets.find(undefined);

  for (let minute = 0; minute < 9; minute += 1) {
    await logs.describeExportTasks({});
    elapsed += 60_000;
  }

  expect(world.calls('AssumeRole')).toEqual([]);
  expect(world.calls('DescribeExportTasks')).toHaveLength(9);
});

describe('an export that was not granted', () => {
  test.each([
    ['another log group', { logGroupName: '/app2' }, 'service-role-not-permitted'],
    ['another bucket', { destination: 'vault' }, 'destination-not-writable'],
    ['another prefix', { destinationPrefix: 'exports' }, 'destination-not-writable'],
    ['a longer prefix', { destinationPrefix: 'exports/app2' }, 'destination-not-writable'],
    ['no prefix', { destinationPrefix: undefined }, 'destination-not-writable'],
  ])('is refused by AWS: %s', async (_, changes, slug) => {
    await using world = await openScoped();

    const result = await outcomeOf(world, { caller, grant }, changes);

    expect(result).toBe(`refused: ${slug}`);
    expect(world.creates()).toMatchObject([{ errorCode: 'AccessDeniedException' }]);
    expect(world.emulator.exportTasks()).toEqual([]);
  });

  test('is refused by AWS when there is no grant', async () => {
    await using world = await openScoped();

    const result = await outcomeOf(world, { caller });

    expect(result).toBe('refused: service-role-not-permitted');
    expect(world.calls('AssumeRole')).toHaveLength(1);
    expect(world.emulator.exportTasks()).toEqual([]);
  });
});

describe('a refusal of STS', () => {
  test('of a caller causes one AssumeRole a minute at most', async () => {
    let now = Date.now(); // far from it, the SDK retries because of the clock
    await using world = await openScoped({ now: () => now, elapsed: () => now }, { startAt: now });
    world.emulator.faults.add(refuseRole);

    const results = new Set<string>();
    for (let second = 0; second < 120; second += 1) {
      const both = ['#one', '#other'].map((who) => outcomeOf(world, { caller: who, grant }));
      for (const result of await Promise.all(both)) results.add(result);
      now += 1_000;
    }

    expect([...results]).toEqual(['not-sent: service-role-unusable']);
    expect(world.calls('AssumeRole')).toHaveLength(4);
    expect(world.creates()).toEqual([]);
  });

  test('of the role for the gateway prevents calls with the name of a caller', async () => {
    let now = Date.UTC(2026, 0, 1);
    await using world = await openScoped({ now: () => now, elapsed: () => now }, { startAt: now });
    world.emulator.faults.add(refuseRole);
    now += 16 * 60_000;

    const result = await outcomeOf(world, { caller, grant });

    expect(result).toBe('not-sent: service-role-unusable');
    const names = world.calls('AssumeRole').map(({ input }) => input as Record<string, string>);
    expect(names.map(({ RoleSessionName }) => RoleSessionName)).toEqual(['test']);
  });

  test('ends for all callers within a second of the end of an outage', async () => {
    let now = Date.UTC(2026, 0, 1);
    await using world = await openScoped({ now: () => now, elapsed: () => now }, { startAt: now });
    world.emulator.faults.add({ operation: 'AssumeRole', kind: 'error', status: 503, count: 2 });

    const during = await outcomeOf(world, { caller, grant });
    const shortlyAfter = await outcomeOf(world, { caller, grant });
    now += 1_000;
    const after = await outcomeOf(world, { caller, grant });

    expect([during, shortlyAfter, after]).toEqual([
      'not-sent: aws-unavailable',
      'not-sent: aws-unavailable',
      'accepted',
    ]);
    expect(world.creates()).toHaveLength(1);
  });

  test.each([
    ['AccessDenied', 403],
    ['ValidationError', 400],
  ])('with %s pauses the sessions of one caller alone', async (code, status) => {
    let now = Date.now(); // far from it, the SDK retries because of the clock
    await using world = await openScoped({ now: () => now, elapsed: () => now }, { startAt: now });
    world.emulator.faults.add({ ...refusal, operation: 'AssumeRole', code, status });

    const refused = await outcomeOf(world, { caller, grant });
    const other = await outcomeOf(world, { caller: '#other', grant });
    now += 59_000;
    const paused = await outcomeOf(world, { caller, grant });
    now += 1_000;
    const later = await outcomeOf(world, { caller, grant });

    const unusable = 'not-sent: service-role-unusable';
    expect([refused, other, paused, later]).toEqual([unusable, 'accepted', unusable, 'accepted']);
    expect(world.calls('AssumeRole')).toHaveLength(3);
  });

  test('causes a pause of a minute, also when the clock of the machine is set back', async () => {
    const startAt = Date.now(); // far from it, the SDK retries because of the clock
    const clock = { setBackMs: 0, passedMs: 0 };
    const now = () => startAt + clock.passedMs - clock.setBackMs;
    await using world = await openScoped({ now, elapsed: () => clock.passedMs }, { startAt });
    world.emulator.faults.add({ ...refuseRole, code: 'InvalidClientTokenId', count: 1 });

    const refused = await outcomeOf(world, { caller, grant });
    clock.setBackMs = 600_000; // more, and AWS would refuse the signature
    clock.passedMs += 60_000;
    const later = await outcomeOf(world, { caller, grant });

    expect([refused, later]).toEqual(['not-sent: service-role-unusable', 'accepted']);
  });

  test('about the credentials of the gateway pauses the sessions of all callers', async () => {
    await using world = await openScoped();
    const code = 'InvalidClientTokenId';
    world.emulator.faults.add({ ...refusal, operation: 'AssumeRole', code, status: 403 });

    await outcomeOf(world, { caller, grant });
    const other = await outcomeOf(world, { caller: '#other', grant });

    expect(other).toBe('not-sent: service-role-unusable');
    expect(world.calls('AssumeRole')).toHaveLength(1);
  });

  test.each(['PackedPolicyTooLarge', 'MalformedPolicyDocument'])(
    'with %s affects only one caller',
    async (code) => {
      await using world = await openScoped();
      const message = 'Packed policy consumes 101% of allotted space, please use smaller policy.';
      world.emulator.faults.add({ operation: 'AssumeRole', kind: 'error', code, message });

      const result = await create(world, { caller, grant });
      const next = await outcomeOf(world, { caller: '#other', grant });

      expect(result).toMatchObject({
        outcome: 'refused',
        problem: { slug: 'invalid-parameter', detail: `AWS says: ${message}` },
      });
      expect(next).toBe('accepted');
      expect(world.creates()).toHaveLength(1);
    },
  );

  test('about a policy does not delay the end of an outage', async () => {
    let now = Date.UTC(2026, 0, 1);
    await using world = await openScoped({ now: () => now, elapsed: () => now }, { startAt: now });
    const fault = { operation: 'AssumeRole', kind: 'error' } as const;
    world.emulator.faults.add({ ...fault, status: 503, count: 2 });
    world.emulator.faults.add({ ...fault, ...refusal, code: 'PackedPolicyTooLarge' });

    const during = await outcomeOf(world, { caller, grant });
    now += 1_000;
    const results = [
      await outcomeOf(world, { caller, grant }),
      await outcomeOf(world, { caller: '#other', grant }),
    ];

    expect(during).toBe('not-sent: aws-unavailable');
    expect(results).toEqual(['refused: invalid-parameter', 'accepted']);
  });

  test('about a scoped session does not renew the ordinary session', async () => {
    await using world = await openScoped();
    const code = 'UnrecognizedClientException';
    world.emulator.faults.add({ operation: 'CreateExportTask', kind: 'error', code });

    const result = await outcomeOf(world, { caller, grant });
    await world.targets.find(undefined).logs.describeExportTasks({});

    expect(result).toBe('refused: service-role-unusable');
    expect(world.calls('AssumeRole')).toHaveLength(1);
  });
});
