import { describe, expect, test } from 'vitest';

import { makeAudit } from '#audit/audit.ts';
import { readEndpointOverride } from '#aws/endpoint/endpoint-override.ts';
import { openTargets } from '#targets/open-targets.ts';
import type { TargetSettings } from '#targets/target.ts';
import { longTimeouts } from '../aws-timeouts.ts';
import { createBody, type LogLine, openWorld, region, type World } from '../world.ts';

const roleArn = 'arn:aws:iam::210987654321:role/log-export';

/** Opens targets against the STS of a world. `log` has the lines, `pauses` the sleeps in milliseconds. */
function openAgainst(_world: World, settings: TargetSettings[], onSleep?: () => void) {
  const log: LogLine[] = [];
  const write = (level: string) => (facts: object, text: string) =>
    void log.push({ level, ...facts, text });
  const pauses: number[] = [];
  const targets = openTargets({
    settings,
    isSessionScoped: false,
    isSlotExclusive: false,
    random: () => 1,
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
    log: { info: write('info'), warn: write('warn'), error: write('error') },
  });
  return { targets, log, pauses };
}

describe('GET /targets', () => {
  test('returns names, Regions and accounts, and no role', async () => {
    const targets = [
      { name: 'main', region, roleArn, externalId: 'shared-secret' },
      { name: 'other', region: 'us-east-1', accountId: '123456789012' },
    ];
    await using world = await openWorld({ targets });

    const answer = await world.call('GET', '/targets');

    const ready = { state: 'ready', since: expect.stringMatching(/^20.*Z$/) };
    expect(answer.body).toEqual({
      targets: [
        { name: 'main', region, accountId: '210987654321', isDefault: true, ...ready },
        {
          name: 'other',
          region: 'us-east-1',
          accountId: '123456789012',
          isDefault: false,
          ...ready,
        },
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
    await targets.whenReady;
    await targets[Symbol.asyncDispose]();

    expect(world.calls('AssumeRole')[0]?.input).toMatchObject({
      RoleArn: roleArn,
      ExternalId: externalId,
      RoleSessionName: 'test-session',
      DurationSeconds: '900',
    });
  });

  test('that cannot be assumed closes its own target and no other, and the answer says what to do', async () => {
    await using world = await openWorld({
      emulator: { roles: { [roleArn]: { refuses: true } } },
      targets: [
        { name: 'good', region },
        { name: 'bad', region, roleArn },
      ],
    });

    const ready = await world.call('GET', '/health/ready');
    const toBad = await world.call('POST', '/export-tasks?target=bad', createBody);
    const toGood = await world.call('POST', '/export-tasks', createBody);

    expect([ready.status, toBad.status, toGood.status]).toEqual([200, 502, 201]);
    expect(toBad.body).toMatchObject({
      type: '/problems/service-role-unusable',
      detail: expect.stringContaining('AWS STS refused the service role of this target'),
      remedy: expect.stringContaining('its trust policy and its external id'),
    });
    expect(world.creates()).toHaveLength(1);
  });
});

describe('the account check', () => {
  test.for([
    ['the accountId of the target', { name: 'wrong', region, accountId: '999999999999' }],
    ['the account in the role', { name: 'wrong', region, roleArn, accountId: '999999999999' }],
  ] as const)(
    'rejects the start when STS returns an account other than %s and no other target exists',
    async ([, setting]) => {
      await using world = await openWorld();

      const { targets, log } = openAgainst(world, [setting]);

      await expect(targets.whenReady).rejects.toThrow(
        /^Target "wrong" is configured for account 999999999999, but its credentials belong to/,
      );
      expect(() => targets.find('wrong')).toThrow('target-misconfigured');
      expect(log).toMatchObject([
        {
          level: 'error',
          target: 'wrong',
          problem: 'target-misconfigured',
          err: expect.anything(),
        },
      ]);
      await targets[Symbol.asyncDispose]();
    },
  );

  test('closes a target of another account for good, and serves the others', async () => {
    await using world = await openWorld({
      targets: [
        { name: 'good', region },
        { name: 'wrong', region: 'us-east-1', accountId: '999999999999' },
      ],
    });

    const ready = await world.call('GET', '/health/ready');
    const toWrong = await world.call('POST', '/export-tasks?target=wrong', createBody);
    const shown = await world.call('GET', '/targets/wrong');
    const toGood = await world.call('POST', '/export-tasks', createBody);

    expect([ready.status, toWrong.status, toGood.status]).toEqual([200, 502, 201]);
    expect(toWrong.body.type).toBe('/problems/target-misconfigured');
    expect(toWrong.body.isRetryable).toBe(false);
    expect(shown.body).toMatchObject({
      state: 'unusable',
      accountId: '999999999999',
      problem: { type: '/problems/target-misconfigured' },
    });
    expect(shown.body.slot).toBeUndefined();
    expect(toWrong.text + shown.text).not.toContain('123456789012');
    expect(world.creates().map(({ region: place }) => place)).toEqual([region]);
  });

  test('closes the later of two targets that STS finds in one account and Region while jobs are on', async () => {
    await using world = await openWorld({
      jobs: {},
      targets: [
        { name: 'first', region },
        { name: 'second', region, accountId: '123456789012' },
      ],
    });
    await world.waitFor(() => world.targets.look('second')?.state === 'unusable');

    const shown = await world.call('GET', '/targets/second');

    expect(world.targets.find('first').accountId).toBe('123456789012');
    expect(shown.body.problem).toMatchObject({
      type: '/problems/target-misconfigured',
      detail: expect.stringContaining('Another target before this one'),
    });
  });

  test('retries with growing pauses until STS answers', async () => {
    await using world = await openWorld();
    const fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 6 } as const;
    world.emulator.faults.add({ operation: 'GetCallerIdentity', ...fault });

    const { targets, log, pauses } = openAgainst(world, [{ name: 'default', region }]);
    await targets.whenReady;

    expect(pauses.filter((ms) => ms !== 10_000).map((ms) => Math.ceil(ms / 100) * 100)).toEqual([
      1_000, 2_000, 4_000,
    ]);
    expect(log.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      'warn: target unusable, checking it again',
      'info: target ready',
    ]);
    expect(targets.find(undefined).accountId).toBe('123456789012');
    await targets[Symbol.asyncDispose]();
  });

  test('ends when the gateway closes', async () => {
    await using world = await openWorld();
    const fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', count: 1_000 } as const;
    world.emulator.faults.add({ operation: 'GetCallerIdentity', ...fault });

    let sleeps = 0;
    const { targets, pauses } = openAgainst(world, [{ name: 'default', region }], () => {
      sleeps += 1;
      if (sleeps === 4) void targets[Symbol.asyncDispose]();
    });
    await world.waitFor(() => sleeps === 4);
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);

    expect(pauses).toHaveLength(4);
    expect(targets.look('default')?.state).toBe('unusable');
  });
});

describe('the endpoint', () => {
  test('is known when an environment variable overrides it', async () => {
    await using world = await openWorld();

    expect(await readEndpointOverride(region)).toBe(world.emulator.url);
  });
});
