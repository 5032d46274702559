import { describe, expect, test } from 'vitest';

import { type CheckResult, makeCheckSchedule } from '#targets/checks/check-schedule.ts';
import { makeTime } from '../auth/time.ts';

/** A schedule whose checks end when the test says so. */
function openSchedule(random = 0) {
  const time = makeTime(0);
  const inFlight = new Map<string, (result: CheckResult) => void>();
  const began: string[] = [];
  const stop = new AbortController();
  const begin = Promise.withResolvers<void>();
  const schedule = makeCheckSchedule({
    check(name) {
      began.push(name);
      return new Promise((resolve) => inFlight.set(name, resolve));
    },
    elapsed: time.elapsed,
    random: () => random,
    beginWhen: begin.promise,
    sleep: time.sleep,
    stop: stop.signal,
  });
  const settle = () => new Promise(setImmediate);
  /** In small steps: what wakes may sleep again. */
  async function advance(ms: number) {
    for (let passed = 0; passed < ms; passed += 50) {
      await time.advance(Math.min(50, ms - passed));
      await settle();
    }
  }
  return {
    schedule,
    began,
    inFlight,
    stop,
    async begin(passingMs = 200) {
      begin.resolve();
      await settle();
      await advance(passingMs);
    },
    async end(name: string, result: CheckResult = 'done') {
      const resolve = inFlight.get(name);
      inFlight.delete(name);
      resolve?.(result);
      await settle();
    },
    advance,
  };
}

const names = (count: number, prefix = 'target') =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe('the schedule of account checks', () => {
  test('checks nothing before it begins', async () => {
    const { schedule, began, begin } = openSchedule();

    schedule.add('one', 'eu-west-1');
    await new Promise(setImmediate);
    const before = began.length;
    await begin(0);

    expect([before, began.length]).toEqual([0, 1]);
  });

  test('checks ten targets of a Region at a time, each Region by itself', async () => {
    const opened = openSchedule();
    for (const name of names(300, 'eu')) opened.schedule.add(name, 'eu-west-1');
    for (const name of names(300, 'us')) opened.schedule.add(name, 'us-east-1');

    await opened.begin();
    const first = [...opened.inFlight.keys()];
    for (let turn = 0; turn < 295; turn += 1) {
      for (const name of [...opened.inFlight.keys()]) await opened.end(name);
      expect(opened.inFlight.size).toBeLessThanOrEqual(20);
    }

    expect(first.filter((name) => name.startsWith('eu'))).toEqual(names(10, 'eu'));
    expect(first.filter((name) => name.startsWith('us'))).toEqual(names(10, 'us'));
    expect(opened.began.toSorted()).toEqual([...names(300, 'eu'), ...names(300, 'us')].sort());
  });

  test('spreads the first checks of a Region over a fifth of a second', async () => {
    const opened = openSchedule(1);
    for (const name of names(30)) opened.schedule.add(name, 'eu-west-1');

    await opened.begin(0);
    const atOnce = opened.began.length;
    await opened.advance(200);

    expect(atOnce).toBe(1);
    expect(opened.began).toHaveLength(10);
  });

  test('checks the targets first that were asked for', async () => {
    const opened = openSchedule();
    for (const name of names(100)) opened.schedule.add(name, 'eu-west-1');
    await opened.begin();

    opened.schedule.hurry('target-90');
    opened.schedule.hurry('target-50');
    for (const name of names(3)) await opened.end(name);

    expect(opened.began.slice(10)).toEqual(['target-90', 'target-50', 'target-10']);
  });

  test('goes on with the others while checks hang', async () => {
    const opened = openSchedule();
    for (const name of names(100)) opened.schedule.add(name, 'eu-west-1');
    await opened.begin();

    for (let turn = 0; turn < 100; turn += 1) {
      const ended = [...opened.inFlight.keys()].filter((name) => Number(name.slice(7)) > 8);
      for (const name of ended) await opened.end(name);
    }

    expect(opened.began).toHaveLength(100);
    expect([...opened.inFlight.keys()]).toEqual(names(9));
  });

  test('retries without an answer after 1, 2, 4 seconds, and after a minute at most', async () => {
    const opened = openSchedule(1);
    opened.schedule.add('one', 'eu-west-1');
    await opened.begin();

    const pauses: number[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      await opened.end('one', 'unanswered');
      let passed = 0;
      while (!opened.inFlight.has('one')) {
        await opened.advance(500);
        passed += 500;
      }
      pauses.push(passed / 1_000);
    }

    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test('retries a refused role after 45 to 60 seconds', async () => {
    const opened = openSchedule(0);
    opened.schedule.add('one', 'eu-west-1');
    await opened.begin();

    await opened.end('one', 'refused');
    await opened.advance(44_500);
    const before = opened.began.length;
    await opened.advance(1_000);

    expect([before, opened.began.length]).toEqual([1, 2]);
  });

  test('retries at most three broken targets of a Region at a time', async () => {
    const opened = openSchedule();
    for (const name of names(10, 'broken')) opened.schedule.add(name, 'eu-west-1');
    await opened.begin();
    for (const name of names(10, 'broken')) await opened.end(name, 'unanswered');

    for (const name of names(20, 'new')) opened.schedule.add(name, 'eu-west-1');
    await opened.advance(1_000);
    for (const name of names(10, 'broken')) opened.schedule.hurry(name); // callers keep asking
    const duringNew = [...opened.inFlight.keys()];
    for (const name of names(20, 'new')) await opened.end(name);

    expect(duringNew).toEqual(names(10, 'new'));
    expect([...opened.inFlight.keys()]).toEqual(names(3, 'broken'));
  });

  test('ends all pauses on request', async () => {
    const opened = openSchedule();
    opened.schedule.add('one', 'eu-west-1');
    await opened.begin();
    await opened.end('one', 'refused');

    opened.schedule.endPauses();
    await new Promise(setImmediate);

    expect(opened.began).toEqual(['one', 'one']);
  });

  test('checks no target that was removed', async () => {
    const opened = openSchedule();
    for (const name of names(12)) opened.schedule.add(name, 'eu-west-1');
    await opened.begin();

    opened.schedule.remove('target-10');
    await opened.end('target-0');

    expect(opened.began.at(-1)).toBe('target-11');
  });
});
