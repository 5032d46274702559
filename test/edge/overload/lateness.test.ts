import { expect, test } from 'vitest';

import { busyFrom, type LoopWindow, makeLateness } from '#edge/overload/lateness.ts';

const late = { delayMs: 400, utilization: 1 };
const inTime = { delayMs: 2, utilization: 0.9 };
const starved = { delayMs: 400, utilization: busyFrom - 0.01 };

/** The reported delay after each of these windows. */
function after(windows: LoopWindow[]): number[] {
  const lateness = makeLateness();
  return windows.map((window) => {
    lateness.add(window);
    return lateness.currentMs();
  });
}

test('reports a delay after consecutive late windows, until one is on time', () => {
  expect(after([late, late, { ...late, delayMs: 300 }, inTime, late, late])).toEqual([
    0, 400, 300, 2, 2, 400,
  ]);
});

test('reports no delay after a single late window', () => {
  expect(Math.max(...after([inTime, late, inTime, inTime, late, inTime]))).toBe(2);
});

test('reports no delay for a loop that is late but mostly idle', () => {
  expect(after([starved, starved, starved])).toEqual([0, 0, 0]);
});

test('discards earlier windows at a restart', () => {
  const lateness = makeLateness();
  for (const window of [late, late]) lateness.add(window);

  const before = lateness.currentMs();
  lateness.forget();
  const forgotten = lateness.currentMs();
  lateness.add(late);

  expect([before, forgotten, lateness.currentMs()]).toEqual([400, 0, 0]);
});
