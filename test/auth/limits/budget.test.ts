import { expect, test } from 'vitest';

import { makeBudget } from '#auth/limits/budget.ts';

/** Opens a budget of three requests a minute, and its clock. */
function openBudget() {
  let now = 5_000;
  const spend = makeBudget(3, () => now);
  return {
    spend,
    spendAll: (callerId: string) => [1, 2, 3, 4].map(() => spend(callerId).isAllowed),
    advance: (ms: number) => {
      now += ms;
    },
  };
}

test('counts the requests of a caller in a window and returns the remaining number', () => {
  const { spend, advance } = openBudget();

  const spendings = [0, 17_500, 42_499, 0].map((ms) => {
    advance(ms);
    return spend('one');
  });

  expect(spendings).toEqual([
    { isAllowed: true, remaining: 2, resetSeconds: 60 },
    { isAllowed: true, remaining: 1, resetSeconds: 43 },
    { isAllowed: true, remaining: 0, resetSeconds: 1 },
    { isAllowed: false, remaining: 0, resetSeconds: 1 },
  ]);
});

test('ends a window one minute after its first request, despite later requests', () => {
  const { spend, spendAll, advance } = openBudget();
  spendAll('one');
  advance(59_999);
  const before = spend('one');
  advance(1);

  const after = spend('one');

  expect(before).toMatchObject({ isAllowed: false });
  expect(after).toEqual({ isAllowed: true, remaining: 2, resetSeconds: 60 });
});

test('keeps a separate budget for each caller', () => {
  const { spend, spendAll } = openBudget();

  const one = spendAll('one');

  expect(one).toEqual([true, true, true, false]);
  expect(spend('other')).toMatchObject({ isAllowed: true, remaining: 2 });
});

test('keeps the windows of the latest 10,000 callers, out of 100,000 in a minute', () => {
  const { spend, spendAll, advance } = openBudget();
  for (let caller = 0; caller < 100_000; caller++) {
    spendAll(`caller ${caller}`);
    advance(0.1);
  }

  const isAllowed = (caller: number) => spend(`caller ${caller}`).isAllowed;

  expect(isAllowed(90_000)).toBe(false);
  expect(isAllowed(99_999)).toBe(false);
  expect(isAllowed(89_999)).toBe(true); // its window was evicted
});

test('starts with full budgets after a restart', () => {
  openBudget().spendAll('one');

  expect(openBudget().spend('one')).toMatchObject({ isAllowed: true, remaining: 2 });
});
