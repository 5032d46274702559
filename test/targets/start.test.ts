import { describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { makeStateLog } from '#targets/registry/state-log.ts';
import { makeEntry } from '#targets/registry/target-entry.ts';
import { makeTime } from '../auth/time.ts';
import { type LogLine, openWorld, region } from '../world.ts';

const regions = ['eu-west-1', 'us-east-1'];
const targets = Array.from({ length: 300 }, (_, index) => ({
  name: `account-${index}`,
  region: regions[index % 2] as string,
  roleArn: `arn:aws:iam::${200_000_000_000 + index}:role/log-export`,
}));

// A call that AWS receives late is not sent again.
const timeouts = { connectMs: 600_000, readMs: 600_000 };
/** No pause ends, so the gateway is not ready before all accounts are checked. */
const sleepOfTargets = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (ms === 0) resolve();
    else signal.addEventListener('abort', () => resolve());
  });

describe('a gateway with 300 targets', () => {
  test('makes at most ten calls to STS at once in each Region, and becomes ready', async () => {
    await using world = await openWorld({ targets, timeouts, isCheckAwaited: false });
    world.emulator.faults.add({ operation: 'AssumeRole', kind: 'silence-before', count: 1_000 });

    // The calls before the fault end. Then a call without an answer takes each place.
    const silent = (place: string) =>
      world
        .calls('AssumeRole')
        .filter((entry) => entry.status === 'silence' && entry.region === place).length;
    await world.waitFor(() => regions.every((place) => silent(place) >= 10));
    for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate);

    expect(regions.map(silent)).toEqual([10, 10]);
  });

  test('checks each account with two calls, and is ready then', async () => {
    await using world = await openWorld({
      targets,
      timeouts,
      sleepOfTargets,
      isCheckAwaited: false,
    });
    await world.waitFor(() => [...world.targets.list()].every(({ state }) => state === 'ready'));

    const { status } = await world.call('GET', '/health/ready');

    expect(status).toBe(200);
    const identities = world.audit.filter(({ operation }) => operation === 'GetCallerIdentity');
    const sessions = world.audit.filter(({ operation }) => operation === 'AssumeRole');
    expect([identities.length, sessions.length]).toEqual([300, 300]);
  });
});

describe('a gateway whose targets are all unusable', () => {
  test('listens, is not ready, and names targets in the log only', async () => {
    const roles = Object.fromEntries(targets.map(({ roleArn }) => [roleArn, { refuses: true }]));
    const checks = Promise.withResolvers<void>();
    await using world = await openWorld({
      targets,
      timeouts,
      sleepOfTargets,
      isCheckAwaited: false,
      checkWhen: checks.promise,
      emulator: { roles },
    });
    const early = await world.call('GET', '/health/ready');
    checks.resolve();
    await world.waitFor(() => [...world.targets.list()].every(({ state }) => state === 'unusable'));

    const { status, body } = await world.call('GET', '/health/ready');

    expect([early.status, status]).toEqual([503, 503]);
    expect([early.body.detail, body.detail]).toEqual([
      'The service has not checked the accounts of 300 of 300 targets with STS yet.',
      'No target is ready, and 300 of 300 are unusable. The log says why.',
    ]);
    expect(world.log).toContainEqual(
      expect.objectContaining({ target: expect.any(String), problem: 'service-role-unusable' }),
    );
  });
});

/** A log of states whose clock the test turns. */
function openStateLog() {
  const time = makeTime(0);
  const log: LogLine[] = [];
  const write = (level: string) => (facts: object, text: string) =>
    void log.push({ level, ...facts, text });
  const logState = makeStateLog({
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    clocks: time,
    sleep: time.sleep,
    stop: new AbortController().signal,
  });
  return { time, log, logState };
}

describe('the log of states', () => {
  test('names a revoked role at growing intervals, with its target and begin, and its end', async () => {
    const { time, log, logState } = openStateLog();
    const entry = makeEntry({ name: 'payments', region }, 0);
    const problem = new Problem('service-role-unusable', 'AWS STS refused the service role.');
    const since = new Date(time.now()).toISOString();

    for (let minute = 0; minute < 40; minute += 1) {
      logState(Object.assign(entry, { state: 'unusable', problem }));
      await time.advance(60_000);
      await new Promise(setImmediate);
    }
    logState(Object.assign(entry, { state: 'ready', problem: undefined }));

    const { slug, detail } = problem;
    const facts = { target: 'payments', problem: slug, detail, since };
    const levels = log.map(({ level }) => level).join(' ');
    expect(levels).toBe('warn warn warn warn error error info');
    expect(log[4]).toMatchObject({ ...facts, repeated: 7 });
    expect(log[6]).toMatchObject({
      target: 'payments',
      lastedMs: 40 * 60_000,
      text: 'target ready',
    });
  });

  test('has 20 lines and one for the rest, when a thousand targets change within ten seconds', async () => {
    const { time, log, logState } = openStateLog();
    const entryOf = (index: number) => ({
      ...makeEntry({ name: `account-${index}`, region }, 0),
      state: index % 2 === 0 ? ('ready' as const) : ('unusable' as const),
      problem: index % 2 === 0 ? undefined : new Problem('aws-unavailable', 'No answer.'),
    });

    for (let index = 0; index < 1_000; index += 1) logState(entryOf(index));
    await time.advance(10_000);
    await new Promise(setImmediate);
    const lines = log.length;
    logState(entryOf(1_000));

    expect([lines, log.length]).toEqual([21, 22]);
    expect(log[20]).toEqual({
      level: 'warn',
      ready: 490,
      unusable: 490,
      targets: Array.from({ length: 10 }, (_, index) => `account-${21 + 2 * index}`),
      text: 'further targets are unusable, or ready again',
    });
  });
});
