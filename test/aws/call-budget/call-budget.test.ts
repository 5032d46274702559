import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';

import { type BudgetRequest, makeCallBudget } from '#aws/call-budget/call-budget.ts';
import type { Problem } from '#problems/problem.ts';
import { makeManualClock } from './manual-clock.ts';

/** A budget, and the calls it allowed and refused, with their times. */
function openBudget(callsPerSecond = 4) {
  const clock = makeManualClock();
  const budget = makeCallBudget({ callsPerSecond, ...clock });
  const sent: { name: string; at: number }[] = [];
  const refused: { name: string; at: number; problem: Problem }[] = [];

  async function call(name: string, request: BudgetRequest): Promise<void> {
    const granted = budget.take(request);
    const markSent = () => void sent.push({ name, at: clock.elapsed() });
    if (!granted) return markSent();
    await granted.then(markSent, (problem) => {
      refused.push({ name, at: clock.elapsed(), problem });
    });
  }

  return {
    clock,
    budget,
    sent,
    refused,
    call: (name: string, request: BudgetRequest) => void call(name, request),
    names: () => sent.map(({ name }) => name),
  };
}

const read = (caller: string, signal?: AbortSignal): BudgetRequest => ({
  lane: 'read',
  caller,
  signal,
});
const write = (caller: string): BudgetRequest => ({ lane: 'write', caller });
const dispatcher: BudgetRequest = { lane: 'dispatcher' };
const poll: BudgetRequest = { lane: 'poll' };
const verification: BudgetRequest = { lane: 'verification' };

/** The highest number of calls in any second. */
function maxInASecond(sent: { at: number }[]): number {
  return Math.max(
    ...sent.map(({ at }) => sent.filter((other) => other.at >= at && other.at < at + 1_000).length),
  );
}

describe('the budget of calls to AWS', () => {
  test('leaves no listener at the signal of calls that were served or refused', async () => {
    const { call, clock, sent, refused } = openBudget();
    const stop = new AbortController();

    for (let number = 0; number < 20; number += 1) call(`r${number}`, read('alice', stop.signal));
    const waiting = getEventListeners(stop.signal, 'abort').length;
    await clock.advance(60_000);

    expect(waiting).toBeGreaterThan(0);
    expect(sent.length + refused.length).toBe(20);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  test('allows calls at once up to four in any second', async () => {
    const { clock, call, sent } = openBudget();

    for (let tick = 0; tick < 200; tick += 1) {
      call(`${tick}`, read(`caller-${tick % 3}`));
      await clock.advance(37);
    }

    expect(sent.slice(0, 4).map(({ at }) => at)).toEqual([0, 37, 74, 111]);
    expect(maxInASecond(sent)).toBe(4);
    expect(sent.length).toBeGreaterThan(25); // in 7.4 seconds
  });

  test('never delays the dispatcher, and counts its calls', async () => {
    const { clock, call, sent, names } = openBudget();
    for (let index = 0; index < 12; index += 1) call(`read-${index % 4}`, read(`${index % 4}`));

    for (let second = 0; second < 3; second += 1) {
      call('dispatcher', dispatcher);
      expect(names().at(-1)).toBe('dispatcher');
      await clock.advance(1_000);
    }

    expect(maxInASecond(sent.filter(({ at }) => at > 0))).toBeLessThanOrEqual(4);
  });

  test('leaves one call a second to the next caller while the dispatcher polls often', async () => {
    const { clock, call, sent } = openBudget();

    for (let tick = 0; tick < 40; tick += 1) {
      call('poll', poll);
      await clock.advance(250);
    }
    call('read', read('a'));

    const polls = sent.filter(({ name }) => name === 'poll');
    expect(maxInASecond(polls)).toBe(3);
    expect(sent.at(-1)).toEqual({ name: 'read', at: 10_000 });
  });

  test('delays no caller for more than a third of a second while the dispatcher polls often', async () => {
    const { clock, call, sent, refused } = openBudget();
    const askedAt: number[] = [];

    for (let tick = 0; tick < 300; tick += 1) {
      if (tick % 5 === 0) call('poll', poll);
      if (tick % 8 === 0) {
        askedAt.push(clock.elapsed());
        call(`read-${askedAt.length - 1}`, read('a'));
      }
      await clock.advance(50);
    }
    await clock.advance(1_000);

    const waits = askedAt.map(
      (at, index) => (sent.find(({ name }) => name === `read-${index}`)?.at ?? Infinity) - at,
    );
    expect(refused).toEqual([]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(334);
    expect(maxInASecond(sent)).toBeLessThanOrEqual(4);
  });

  test('gives callers who wait all calls but one a second, which stays for polls', async () => {
    const { clock, call, sent } = openBudget();

    for (let tick = 0; tick < 40; tick += 1) {
      call('poll', poll);
      for (let index = 0; index < 4; index += 1) call('read', read(`${index}`));
      await clock.advance(250);
    }

    const of = (wanted: string) =>
      sent.filter(({ name, at }) => name === wanted && at >= 1_000 && at < 10_000);
    expect(of('read').length).toBeGreaterThanOrEqual(26);
    expect(of('poll').length).toBeGreaterThanOrEqual(8);
    expect(maxInASecond(sent.filter(({ at }) => at >= 1_000))).toBeLessThanOrEqual(4);
  });

  test('drops a poll whose answer has come by other means', async () => {
    const { clock, call, sent, refused } = openBudget(1);
    const answered = new AbortController();
    call('first', poll);
    call('poll', { ...poll, signal: answered.signal });

    answered.abort();
    await clock.advance(1_000);

    expect(sent).toEqual([{ name: 'first', at: 0 }]);
    expect(refused).toMatchObject([{ name: 'poll' }]);
  });

  test('allows creates and cancels before reads that arrived earlier', async () => {
    const { clock, call, names } = openBudget(1);
    call('first', read('a'));
    call('read', read('a'));

    call('write', write('b'));
    await clock.advance(2_000);

    expect(names()).toEqual(['first', 'write', 'read']);
  });

  test('serves callers round-robin, even if one of them sends many reads', async () => {
    const { clock, call, sent, refused } = openBudget();

    for (let tick = 0; tick < 100; tick += 1) {
      for (let index = 0; index < 4; index += 1) call('hostile', read('hostile'));
      if (tick % 5 === 0) call('other', read('other'));
      await clock.advance(100);
    }

    expect(refused.filter(({ name }) => name === 'other')).toEqual([]);
    expect(sent.filter(({ name }) => name === 'other').length).toBeGreaterThanOrEqual(19);
    expect(maxInASecond(sent)).toBe(4);
  });

  test('refuses a call that would wait too long at once, with Retry-After', async () => {
    const { call, refused, clock } = openBudget();

    for (let index = 0; index < 20; index += 1) call(`${index}`, read('a'));
    await clock.advance(0);

    expect(refused.map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `${index}`).slice(-refused.length),
    );
    expect(refused.length).toBeGreaterThanOrEqual(8);
    const { problem } = refused[0] as { problem: Problem };
    expect(problem.slug).toBe('aws-call-budget-exhausted');
    expect(problem.kind.status).toBe(429);
    expect(problem.retryAfterSeconds).toBe(3);
  });

  test('refuses a call after two seconds when others were served first', async () => {
    const { clock, call, refused } = openBudget(1);
    call('first', read('a'));
    call('late', read('a'));

    for (let tick = 0; tick < 25; tick += 1) {
      call('dispatcher', dispatcher);
      await clock.advance(100);
    }

    expect(refused).toMatchObject([{ name: 'late', at: 2_000 }]);
  });

  test('removes the call of a caller that has disconnected, and serves the next', async () => {
    const { clock, call, names } = openBudget(1);
    const leaving = new AbortController();
    call('first', read('a'));
    call('gone', read('a', leaving.signal));
    call('next', read('b'));

    leaving.abort();
    await clock.advance(1_000);

    expect(names()).toEqual(['first', 'next']);
  });

  test('queues no more calls than can be sent in two seconds, for one caller or a thousand', async () => {
    const { clock, call, refused, sent } = openBudget();

    for (let index = 0; index < 1_000; index += 1) call(`${index}`, read(`caller-${index}`));
    for (let index = 0; index < 1_000; index += 1) call(`${index}`, read('one'));
    await clock.advance(0);
    const held = 2_000 - refused.length - sent.length;
    await clock.advance(2_000);

    expect(held).toBeLessThanOrEqual(8);
    expect(sent.length + refused.length).toBe(2_000);
  });

  test('leaves no waiting call and no timer when it is disposed', async () => {
    const { clock, budget, call, refused } = openBudget(1);
    call('first', read('a'));
    call('second', read('a'));

    budget[Symbol.dispose]();
    await clock.advance(5_000);
    call('third', write('a'));
    await clock.advance(0);

    expect(refused.map(({ name }) => name)).toEqual(['second', 'third']);
    expect(clock.sleepers()).toBe(0);
  });

  test('halves its rate when AWS throttles, and raises it gradually', async () => {
    const { clock, budget, call, sent } = openBudget();
    const sentIn = async (seconds: number) => {
      const before = sent.length;
      for (let tick = 0; tick < 10 * seconds; tick += 1) {
        call('read', read('a'));
        await clock.advance(100);
      }
      return sent.length - before;
    };

    await sentIn(1);
    budget.reduce();
    budget.reduce(); // the same second counts once

    expect(await sentIn(5)).toBeLessThanOrEqual(11);
    expect(await sentIn(5)).toBeLessThanOrEqual(11);
    await sentIn(15);
    expect(await sentIn(5)).toBeGreaterThanOrEqual(19);
  });

  test('delays nothing when it has no limit', () => {
    const { call, sent } = openBudget(0);

    for (let index = 0; index < 1_000; index += 1) call('read', read('a'));

    expect(sent).toHaveLength(1_000);
  });
});

describe('calls for verifications', () => {
  test('follow every waiting call of a caller', async () => {
    const { clock, call, names } = openBudget();
    for (let index = 0; index < 4; index += 1) call(`first-${index}`, read('a'));
    call('verification', verification);
    call('read', read('a'));
    call('write', write('b'));

    await clock.advance(5_000);

    expect(names().slice(4)).toEqual(['write', 'read', 'verification']);
  });

  test('use at most half of the budget', async () => {
    const { clock, call, sent } = openBudget();
    for (let index = 0; index < 20; index += 1) call(`${index}`, verification);

    await clock.advance(11_000);

    expect(maxInASecond(sent)).toBe(2);
    expect(sent).toHaveLength(20);
  });

  test('delay neither a poll nor a caller', async () => {
    const { clock, call, sent } = openBudget();
    for (let index = 0; index < 20; index += 1) call('verification', verification);
    await clock.advance(500);

    call('poll', poll);
    call('read', read('a'));

    expect(sent.filter(({ name }) => name !== 'verification')).toEqual([
      { name: 'poll', at: 500 },
      { name: 'read', at: 500 },
    ]);
  });

  test('leave spare calls to the polls of the dispatcher while they wait', async () => {
    const { clock, call, sent } = openBudget();
    call('poll', poll);
    for (let index = 0; index < 5; index += 1) call('verification', verification);
    await clock.advance(300);

    call('poll', poll);

    expect(sent.filter(({ name }) => name === 'poll').map(({ at }) => at)).toEqual([0, 300]);
  });

  test('do not delay the refusal of a read that waits behind them', async () => {
    const { clock, call, refused } = openBudget();
    for (let index = 0; index < 4; index += 1) call('dispatcher', dispatcher);
    call('verification', verification);
    call('read', read('a'));

    for (let tick = 0; tick < 30; tick += 1) {
      call('dispatcher', dispatcher);
      await clock.advance(100);
    }

    expect(refused).toMatchObject([{ name: 'read' }]);
    expect(refused[0]?.at).toBeLessThan(2_300);
  });

  test('wait up to thirty seconds while creates use the budget, and are then refused', async () => {
    const { clock, call, refused } = openBudget();
    call('verification', verification);
    call('verification', verification);
    call('late', verification);

    for (let tick = 0; tick < 160; tick += 1) {
      call('read', read(`${tick % 3}`));
      call('write', write(`${tick % 3}`));
      await clock.advance(200);
    }

    const late = refused.filter(({ name }) => name === 'late');
    expect(late).toMatchObject([{ problem: { slug: 'aws-call-budget-exhausted' } }]);
    expect(late[0]?.at).toBeGreaterThanOrEqual(30_000);
    expect(late[0]?.at).toBeLessThan(31_000);
  });

  test('proceed once a second while callers read without a pause', async () => {
    const { clock, call, sent, refused } = openBudget();
    for (let tick = 0; tick < 40; tick += 1) {
      call('read', read(`${tick % 3}`));
      if (tick < 10) call('verification', verification);
      await clock.advance(50);
    }

    for (let tick = 0; tick < 400; tick += 1) {
      call('read', read(`${tick % 3}`));
      await clock.advance(50);
    }

    const verified = sent.filter(({ name }) => name === 'verification');
    expect(verified).toHaveLength(10);
    expect(verified.at(-1)?.at).toBeLessThan(13_000);
    expect(maxInASecond(verified.filter(({ at }) => at > 1_000))).toBe(1);
    expect(maxInASecond(sent)).toBe(4);
    expect(refused.every(({ name }) => name === 'read')).toBe(true);
  });

  test('get a refusal at once when more wait than thirty seconds have calls for', () => {
    const { call, budget } = openBudget();
    for (let index = 0; index < 61; index += 1) call(`${index}`, verification);

    const next = budget.take(verification);

    return expect(next).rejects.toMatchObject({ slug: 'aws-call-budget-exhausted' });
  });
});
