import { describe, expect, test } from 'vitest';

import { type BudgetRequest, makeCallBudget } from '#aws/call-budget/call-budget.ts';
import type { Problem } from '#problems/problem.ts';
import { makeTurnedClock } from './turned-clock.ts';

/** A budget, and what was sent out of it: who, and when. */
function openBudget(callsPerSecond = 4) {
  const clock = makeTurnedClock();
  const budget = makeCallBudget({ callsPerSecond, ...clock });
  const sent: { name: string; at: number }[] = [];
  const refused: { name: string; at: number; problem: Problem }[] = [];

  async function call(name: string, request: BudgetRequest): Promise<void> {
    const turn = budget.take(request);
    const note = () => void sent.push({ name, at: clock.elapsed() });
    if (!turn) return note();
    await turn.then(note, (problem) => {
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

/** The most that were sent in any second. */
function maxInASecond(sent: { at: number }[]): number {
  return Math.max(
    ...sent.map(({ at }) => sent.filter((other) => other.at >= at && other.at < at + 1_000).length),
  );
}

describe('the budget of calls to AWS', () => {
  test('sends at once while there is room, and never more than four in any second', async () => {
    const { clock, call, sent } = openBudget();

    for (let tick = 0; tick < 200; tick += 1) {
      call(`${tick}`, read(`caller-${tick % 3}`));
      await clock.advance(37);
    }

    expect(sent.slice(0, 4).map(({ at }) => at)).toEqual([0, 37, 74, 111]);
    expect(maxInASecond(sent)).toBe(4);
    expect(sent.length).toBeGreaterThan(25); // of 7.4 seconds
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

  test('gives creates and cancels their turn before reads that came earlier', async () => {
    const { clock, call, names } = openBudget(1);
    call('first', read('a'));
    call('read', read('a'));

    call('write', write('b'));
    await clock.advance(2_000);

    expect(names()).toEqual(['first', 'write', 'read']);
  });

  test('lets callers take turns, however many reads one of them sends', async () => {
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

  test('refuses at once what would wait too long, and says when to come again', async () => {
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

  test('refuses after two seconds what others have kept waiting', async () => {
    const { clock, call, refused } = openBudget(1);
    call('first', read('a'));
    call('late', read('a'));

    for (let tick = 0; tick < 25; tick += 1) {
      call('dispatcher', dispatcher);
      await clock.advance(100);
    }

    expect(refused).toMatchObject([{ name: 'late', at: 2_000 }]);
  });

  test('forgets a caller that has gone, and gives its turn to the next', async () => {
    const { clock, call, names } = openBudget(1);
    const leaving = new AbortController();
    call('first', read('a'));
    call('gone', read('a', leaving.signal));
    call('next', read('b'));

    leaving.abort();
    await clock.advance(1_000);

    expect(names()).toEqual(['first', 'next']);
  });

  test('holds no more turns than can be given in two seconds, of a thousand callers or of one', async () => {
    const { clock, call, refused, sent } = openBudget();

    for (let index = 0; index < 1_000; index += 1) call(`${index}`, read(`caller-${index}`));
    for (let index = 0; index < 1_000; index += 1) call(`${index}`, read('one'));
    await clock.advance(0);
    const held = 2_000 - refused.length - sent.length;
    await clock.advance(2_000);

    expect(held).toBeLessThanOrEqual(8);
    expect(sent.length + refused.length).toBe(2_000);
  });

  test('ends with nobody waiting, and no timer left', async () => {
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

  test('sends half as much when AWS throttles, and gradually more again', async () => {
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
    budget.reduce(); // the same second is one sign

    expect(await sentIn(5)).toBeLessThanOrEqual(11);
    expect(await sentIn(5)).toBeLessThanOrEqual(11);
    await sentIn(15);
    expect(await sentIn(5)).toBeGreaterThanOrEqual(19);
  });

  test('of any number holds nothing back', () => {
    const { call, sent } = openBudget(0);

    for (let index = 0; index < 1_000; index += 1) call('read', read('a'));

    expect(sent).toHaveLength(1_000);
  });
});
