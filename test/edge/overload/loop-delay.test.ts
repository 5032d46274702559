import { expect, test } from 'vitest';

import { openLoopDelay } from '#edge/overload/loop-delay.ts';

test('measures a delay for long turns, and none for an idle event loop', async () => {
  using delay = openLoopDelay();
  const keepBusy = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };

  const before = delay.currentMs();
  while (delay.currentMs() < 30) {
    keepBusy(60);
    await new Promise(setImmediate);
  }
  delay.restart();
  const restarted = delay.currentMs();
  while (delay.currentMs() < 30) {
    keepBusy(60);
    await new Promise(setImmediate);
  }
  await expect.poll(() => delay.currentMs(), { interval: 100 }).toBeLessThan(30);

  expect([before, restarted]).toEqual([0, 0]);
});
