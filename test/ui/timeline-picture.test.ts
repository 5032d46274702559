import { expect, test } from 'vitest';

import { toMarkup } from '#ui/html/html.ts';
import { timelinePicture } from '#ui/pictures/timeline.ts';

const hourMs = 3_600_000;
const to = Date.UTC(2024, 4, 2, 12);
const from = to - 24 * hourMs;

const none = { foreignTasks: [], waits: [] };
const states = ['completed', 'failed', 'cancelled', 'running'] as const;
const bars = (markup: string) => markup.match(/<rect.*?<\/rect>/g) ?? [];

/** Half a minute each, of as many callers in turn. */
const callersInTurn = (callers: number) =>
  Array.from({ length: callers }, (_, caller) => ({
    caller: `caller-${caller}`,
    runs: Array.from({ length: 2_880 / callers }, (_, index) => {
      const at = from + (index * callers + caller) * 30_000;
      return { from: at, to: at + 30_000, state: states[0] as (typeof states)[number] };
    }),
  }));

/** Overlapping runs of all lengths, which no slot can have. */
const impossible = () => {
  const intervals = (count: number, step: number) =>
    Array.from({ length: count }, (_, index) => {
      const at = from + ((index * step) % (24 * hourMs - 1));
      return { from: at, to: Math.min(to, at + 1 + ((index * index * step) % (9 * hourMs))) };
    });
  return {
    callers: Array.from({ length: 30 }, (_, caller) => ({
      caller: `caller-${caller}`,
      runs: intervals(400, 7_919 * 131 + caller).map((time, index) => ({
        ...time,
        state: states[index % 4] as (typeof states)[number],
      })),
    })),
    foreignTasks: intervals(500, 104_729),
    waits: intervals(3_000, 15_485_863),
  };
};

test.each([
  ['of one caller', { ...none, callers: callersInTurn(1) }, 1],
  ['of ten callers in turn', { ...none, callers: callersInTurn(10) }, 1_000],
  ['of twenty callers in turn', { ...none, callers: callersInTurn(20) }, 1_000],
  ['that overlap', impossible(), 1_000],
])('a day of tasks %s is a small picture', (_case, shown, most) => {
  const markup = toMarkup(timelinePicture({ from, to, ...shown }));

  expect(bars(markup).length).toBeLessThanOrEqual(most);
  expect(markup.length).toBeLessThan(150_000);
});

test('a bar of several tasks says how many they are, and its height is their share', () => {
  const [first, ...others] = callersInTurn(20);
  const runs = first?.runs.map((run, index) =>
    index < 2 ? { ...run, state: 'failed' as const } : run,
  );
  const callers = [{ caller: 'caller-0', runs: runs ?? [] }, ...others];

  const drawn = bars(toMarkup(timelinePicture({ from, to, ...none, callers })));

  expect(drawn).toContain(
    '<rect class="completed" x="30" y="14" width="30" height="4"><title>3 export tasks completed, 12:30 to 13:00, 1 min 30 s in all</title></rect>',
  );
  expect(drawn).toContain(
    '<rect class="failed" x="0" y="2" width="30" height="4"><title>2 export tasks failed, 12:00 to 12:30, 1 min in all</title></rect>',
  );
});

/** One caller whose half minutes are completed, with some others in each cell of seven and a half minutes. */
const mixed = (others: Readonly<Record<number, (typeof states)[number]>>) =>
  callersInTurn(1).map(({ caller, runs }) => ({
    caller,
    runs: runs.map((run, index) => ({ ...run, state: others[index % 15] ?? run.state })),
  }));

test('bars of the same time are above each other, and none hides another one', () => {
  const callers = mixed({ 0: 'cancelled', 2: 'failed', 5: 'cancelled', 7: 'failed' });

  const drawn = bars(toMarkup(timelinePicture({ from, to, ...none, callers })));

  expect(drawn).toHaveLength(3 * 192);
  const ofCell = drawn
    .filter((bar) => bar.includes(' x="7.5" '))
    .map((bar) => bar.match(/class="(\w+)".* y="([\d.]+)".* height="([\d.]+)"/)?.slice(1));
  // All are a fifth lower than alone: together they would be higher than the lane.
  expect(ofCell).toEqual([
    ['cancelled', '14.8', '3.2'],
    ['completed', '5.2', '9.5'],
    ['failed', '2', '3.2'],
  ]);
});

test('a short task alone of its kind is in front of the joined ones', () => {
  const callers = mixed({ 0: 'cancelled' });

  const drawn = bars(toMarkup(timelinePicture({ from, to, ...none, callers })));

  const kinds = drawn.map((bar) => bar.match(/class="(\w+)"/)?.[1]);
  expect(kinds.indexOf('cancelled')).toBeGreaterThan(kinds.lastIndexOf('completed'));
});

test('each of a few tasks has a bar of its full height, and is wide enough to be seen', () => {
  const at = from + 6 * hourMs;
  const run = { from: at, to: at + 30_000, state: 'failed' as const };
  const long = { from: at + hourMs, to: at + 3 * hourMs, state: 'completed' as const };
  const callers = [{ caller: 'ann', runs: [long, run] }];
  const foreignTasks = [{ from: at - hourMs, to: at }];

  const markup = toMarkup(timelinePicture({ from, to, callers, foreignTasks, waits: [] }));

  expect(bars(markup)).toEqual([
    '<rect class="completed" x="420" y="2" width="120" height="16"><title>1 export task completed, 19:00 to 21:00</title></rect>',
    '<rect class="failed" x="360" y="2" width="4" height="16"><title>1 export task failed, 18:00 to 18:00</title></rect>',
    '<rect class="foreign" x="300" y="2" width="60" height="16"><title>1 foreign task, 17:00 to 18:00</title></rect>',
  ]);
  expect(markup).not.toContain('A low bar');
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
