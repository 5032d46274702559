import { expect, test } from 'vitest';

import { toMarkup } from '#ui/html/html.ts';
import { timelinePicture } from '#ui/pictures/timeline.ts';

const hourMs = 3_600_000;
const to = Date.UTC(2024, 4, 2, 12);
const from = to - 24 * hourMs;

test('a day of short tasks is a picture of some hundred bars', () => {
  const runs = Array.from({ length: 2_880 }, (_, index) => ({
    from: from + index * 30_000,
    to: from + index * 30_000 + 20_000,
    state: index % 2 === 0 ? ('completed' as const) : ('failed' as const),
  }));
  const completed = runs.map((run) => ({ ...run, state: 'completed' as const }));
  const pictureOf = (shown: typeof runs) =>
    toMarkup(
      timelinePicture({
        from,
        to,
        callers: [{ caller: 'ann', runs: shown }],
        foreignTasks: [],
        waits: [],
      }),
    ).match(/<rect class="(?:completed|failed)"/g)?.length;

  expect(pictureOf(completed)).toBe(1);
  expect(pictureOf(runs)).toBeLessThanOrEqual(1_440);
});

test('callers after the twentieth share a lane', () => {
  const callers = Array.from({ length: 23 }, (_, index) => ({
    caller: `caller-${String(index).padStart(2, '0')}`,
    runs: [{ from, to, state: 'completed' as const }],
  }));

  const markup = toMarkup(timelinePicture({ from, to, callers, foreignTasks: [], waits: [] }));

  expect(markup.match(/class="lane"/g)).toHaveLength(20 + 1 + 2);
  expect(markup).toContain('3 other callers <span class="note">3 export tasks');
});
