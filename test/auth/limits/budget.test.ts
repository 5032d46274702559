import { expect, test } from 'vitest';

import { makeBudget } from '#auth/limits/budget.ts';

/** A budget of three a minute, and its clock. */
function openBudget() {
  let now = 5_000;
  const spend = makeBudget(3, () => now);
  return {
    spend,
    spendAll: (callerId: string) => [1, 2, 3, 4].map(() => spend(callerId).isWithin),
    turn: (ms: number) => {
      now += ms;
    },
  };
}

test('a caller may send so many in a window, and is told how many are left', () => {
  const { spend, turn } = openBudget();

  const spendings = [0, 17_500, 42_499, 0].map((ms) => {
    turn(ms);
    return spend('one');
  });

  expect(spendings).toEqual([
    { isWithin: true, left: 2, secondsLeft: 60 },
    { isWithin: true, left: 1, secondsLeft: 43 },
    { isWithin: true, left: 0, secondsLeft: 1 },
    { isWithin: false, left: 0, secondsLeft: 1 },
  ]);
});

test('a window ends a minute after its first request, whatever is sent meanwhile', () => {
  const { spend, spendAll, turn } = openBudget();
  spendAll('one');
  turn(59_999);
  const before = spend('one');
  turn(1);

  const after = spend('one');

  expect(before).toMatchObject({ isWithin: false });
  expect(after).toEqual({ isWithin: true, left: 2, secondsLeft: 60 });
});

test('callers have budgets of their own', () => {
  const { spend, spendAll } = openBudget();

  const one = spendAll('one');

  expect(one).toEqual([true, true, true, false]);
  expect(spend('other')).toMatchObject({ isWithin: true, left: 2 });
});

test('of 100,000 callers in a minute the latest 10,000 are remembered, and no more', () => {
  const { spend, spendAll, turn } = openBudget();
  for (let caller = 0; caller < 100_000; caller++) {
    spendAll(`caller ${caller}`);
    turn(0.1);
  }

  const isWithin = (caller: number) => spend(`caller ${caller}`).isWithin;

  expect(isWithin(90_000)).toBe(false);
  expect(isWithin(99_999)).toBe(false);
  expect(isWithin(89_999)).toBe(true); // the first that had to go
});

test('a restart forgets', () => {
  openBudget().spendAll('one');

  expect(openBudget().spend('one')).toMatchObject({ isWithin: true, left: 2 });
});
