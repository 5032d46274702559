import { describe, expect, test } from 'vitest';

import { makeAudit } from '#audit/audit.ts';
import { readEndpointOverride } from '#aws/endpoint/endpoint-override.ts';
import { openTargets } from '#targets/open-targets.ts';
import type { TargetSettings } from '#targets/target.ts';
import { longTimeouts } from '../aws-timeouts.ts';
import { createBody, openWorld, region, type World } from '../world.ts';

const roleArn = 'arn:aws:iam::210987654321:role/log-export';

/** Opens targets against the STS of a world. `warnings` are the log messages, `pauses` the sleeps in milliseconds. */
function openAgainst(_world: World, settings: TargetSettings[], onSleep?: () => void) {
  const warnings: object[] = [];
  const pauses: number[] = [];
  const targets = openTargets({
    settings,
    isSessionScoped: false,
    audit: makeAudit({ write() {} }),
    timeouts: longTimeouts,
    callsPerSecond: 0,
    sessionName: 'test-session',
    now: Date.now,
    elapsed: () => performance.now(),
    sleep: async (ms) => {
      pauses.push(ms);
      onSleep?.();
      await new Promise(setImmediate);
    },
    log: { warn: (facts) => warnings.push(facts) },
  });
  return { targets, warnings, pauses };
}

describe('GET /targets', () => {
  test('returns names, Regions and accounts, and no role', async () => {
    const targets = [
      { name: 'main', region, roleArn, externalId: 'shared-secret' },
      { name: 'other', region: 'us-east-1', accountId: '123456789012' },
    ];
    await using world = await openWorld({ targets });

    const answer = await world.call('GET', '/targets');

    expect(answer.body).toEqual({
      targets: [
        { name: 'main', region, accountId: '210987654321', isDefault: true },
        { name: 'other', region: 'us-east-1', accountId: '123456789012', isDefault: false },
      ],
    });
    expect(answer.text).not.toMatch(/arn:|role|shared-secret/);
  });
});

describe('?target=', () => {
  test('returns 404 on every operation when the target is not configured', async () => {
    await using world = await openWorld();

    const answers = await Promise.all([
      world.call('POST', '/export-tasks?target=none', createBody),
      world.call('GET', '/export-tasks?target=none'),
      world.call('GET', '/export-tasks/x?target=none'),
      world.call('POST', '/export-tasks/x/cancel?target=none'),
    ]);

    for (const { status, body } of answers) {
      expect([status, body.type]).toEqual([404, '/problems/target-not-found']);
    }
    expect(answers[0]?.body.detail).toBe(
      'No target with this name exists, or you are not allowed to see it.',
    );
  });

  test('selects account and Region, and uses no other slot', async () => {
    const targets = [
      { name: 'first', region },
      { name: 'second', region, roleArn },
    ];
    await using world = await openWorld({ targets });
    const theirs = { region, accountId: '210987654321' };
    world.emulator.seed.logGroup({ ...theirs, logGroupName: '/app' });
    world.emulator.seed.bucket({ ...theirs, bucket: 'their-archive' });

    const first = await world.call('POST', '/export-tasks', createBody);
    const second = await world.call('POST', '/export-tasks?target=second', {
      ...createBody,
      destination: 'their-archive',
    });

    expect([first.status, second.status]).toEqual([201, 201]);
    expect(world.creates().map((entry) => entry.accountId)).toEqual([
      '123456789012',
      '210987654321',
    ]);
  });
});

describe('a service role', () => {
  test('is assumed for fifteen minutes, with its external id and a session name', async () => {
    const externalId = 'shared-secret';
    await using world = await openWorld({
      emulator: { roles: { [roleArn]: { externalId } } },
      targets: [{ name: 'default', region, roleArn, externalId }],
    });

    world.emulator.journal.clear();
    const { targets } = openAgainst(world, [{ name: 'default', region, roleArn, externalId }]);
    await targets.whenChecked;
    await targets[Symbol.asyncDispose]();

    expect(world.calls('AssumeRole')[0]?.input).toMatchObject({
      RoleArn: roleArn,
      ExternalId: externalId,
      RoleSessionName: 'test-session',
      DurationSeconds: '900',
    });
  });

  test('that cannot be assumed keeps the gateway not ready, and its calls return 503', async () => {
    await using world = await openWorld({
      emulator: { roles: { [roleArn]: { refuses: true } } },
      targets: [
        { name: 'good', region },
        { name: 'bad', region, roleArn },
      ],
      isCheckAwaited: false,
    });
    await world.waitFor(() => world.targets.list().length === 1);

    const ready = await world.call('GET', '/health/ready');
    const live = await world.call('GET', '/health/live');
    const toBad = await world.call('POST', '/export-tasks?target=bad', createBody);
    const toGood = await world.call('POST', '/export-tasks', createBody);

    expect([ready.status, live.status, toBad.status, toGood.status]).toEqual([503, 200, 503, 201]);
    expect(ready.body.detail).toContain('bad');
    expect(toBad.body.type).toBe('/problems/not-ready');
    expect(world.creates()).toHaveLength(1);
  });
});

describe('the account check at startup', () => {
  test.for([
    ['the accountId of the target', { name: 'wrong', region, accountId: '999999999999' }],
    ['the account in the role', { name: 'wrong', region, roleArn, accountId: '999999999999' }],
  ] as const)('fails when STS returns an account other than %s', async ([, setting]) => {
    await using world = await openWorld();

    const { targets } = openAgainst(world, [setting]);

    await expect(targets.whenChecked).rejects.toThrow(
      /^Target "wrong" is configured for account 999999999999, but its credentials belong to/,
    );
    expect(() => targets.find('wrong')).toThrow('not-ready');
    await targets[Symbol.asyncDispose]();
  });

  test('retries with growing pauses until STS answers', async () => {
    await using world = await openWorld();
    const fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 6 } as const;
    world.emulator.faults.add({ operation: 'GetCallerIdentity', ...fault });

    const { targets, warnings, pauses } = openAgainst(world, [{ name: 'default', region }]);
    await targets.whenChecked;

    expect(pauses).toEqual([1_000, 2_000, 4_000]);
    expect(warnings).toHaveLength(3);
    expect(targets.find(undefined).accountId).toBe('123456789012');
    await targets[Symbol.asyncDispose]();
  });

  test('ends when the gateway closes', async () => {
    await using world = await openWorld();
    const fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 1_000 } as const;
    world.emulator.faults.add({ operation: 'GetCallerIdentity', ...fault });

    const { targets } = openAgainst(world, [{ name: 'default', region }], () => {
      void targets[Symbol.asyncDispose]();
    });
    await targets.whenChecked;

    expect(targets.unchecked()).toEqual(['default']);
  });
});

describe('the endpoint', () => {
  test('is known when an environment variable overrides it', async () => {
    await using world = await openWorld();

    expect(await readEndpointOverride(region)).toBe(world.emulator.url);
  });
});
