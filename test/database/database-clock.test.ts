import { describe, expect, test } from 'vitest';

import { makeDatabaseClock } from '#database/database-clock.ts';

const hourMs = 3_600_000;

describe('the watch over the clock of the database', () => {
  test.each([
    ['went on as ours did', 5_000.25, 5_000, 0],
    ['was set forward', 5_000, 3_605_000, 0],
    ['was set back', 5_000.25, 5_000 - hourMs, hourMs],
    ['was set back by less than a second', 5_000, 4_200, 0],
  ])('of a clock that %s', (_what, oursMs, theirsMs, backMs) => {
    let at = 0;
    const clock = makeDatabaseClock(() => at);
    clock.observe(1_714_521_600_000, at);
    at += oursMs;

    expect(clock.observe(1_714_521_600_000 + theirsMs, at)).toBe(backMs);
  });

  test('does not take a slow answer for a step back', () => {
    let at = 0;
    const clock = makeDatabaseClock(() => at);
    clock.observe(1_000_000, at);
    const beganAt = at;
    at += 60_000; // the database reads its clock at once, but answers late

    expect(clock.observe(1_000_000, beganAt)).toBe(0);
  });
});
