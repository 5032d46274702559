import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type SliceBy, sliceBys } from '#export-jobs/planning/calendar/slice-units.ts';
import { planSlices } from '#export-jobs/planning/plan-slices.ts';
import { defaultTemplateOf, readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';

// A finer unit without finer times in the template would put several slices under one prefix.

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Clock changes by an hour, by half an hour, by two hours, over midnight, by a day, and by seconds. */
const changes = [
  ['UTC', '2024-02-29T00:00:00Z'],
  ['Europe/Berlin', '2024-03-31T01:00:00Z'],
  ['Europe/Berlin', '2024-10-27T01:00:00Z'],
  ['Asia/Kolkata', '1945-10-14T17:30:00Z'],
  ['Asia/Kathmandu', '1985-12-31T18:30:00Z'],
  ['Australia/Lord_Howe', '2024-04-06T15:00:00Z'],
  ['Australia/Lord_Howe', '2024-10-05T15:30:00Z'],
  ['Pacific/Chatham', '2024-04-06T14:00:00Z'],
  ['Pacific/Chatham', '2024-09-28T14:00:00Z'],
  ['America/St_Johns', '2006-10-29T02:31:00Z'],
  ['Antarctica/Troll', '2024-10-27T01:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Africa/Monrovia', '1972-01-07T00:44:30Z'],
] as const;

/** How far a window of each unit reaches around a change: enough slices, and not too many. */
const reachMs: Record<SliceBy, number> = {
  none: 100 * hourMs,
  '15-minutes': 6 * hourMs,
  hour: 24 * hourMs,
  day: 40 * 24 * hourMs,
  week: 200 * 24 * hourMs,
  month: 900 * 24 * hourMs,
};

const letters = fc.constantFrom('a', 'b', '/', '-', '.');
const logGroupName = fc
  .array(letters, { minLength: 1, maxLength: 4 })
  .map((chars) => `/${chars.join('')}`);
const logGroups = fc.uniqueArray(logGroupName, { minLength: 1, maxLength: 3 });

describe.each(sliceBys)('the default prefix template for slices by %s', (sliceBy) => {
  test(`renders a prefix of its own for each attempt of each slice of a job (seed ${seed})`, async () => {
    const around = fc.integer({ min: 1, max: reachMs[sliceBy] });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...changes),
        around,
        around,
        logGroups,
        async ([timeZone, change], before, after, logGroupNames) => {
          const at = Date.parse(change);
          const window = { fromAt: at - before, toAt: at + after };
          const now = Date.UTC(2030, 0);
          const request = { logGroupNames, window, sliceBy, timeZone, now };
          const slices = [...(await planSlices({ ...request, isUnsettledAllowed: false }))];
          const target = { name: 'default', accountId: '111122223333', region: 'eu-west-1' };
          const job = { target, jobId: '3f1c6a52', timeZone };
          const template = readPrefixTemplate(defaultTemplateOf(sliceBy), job);

          const prefixes = slices.flatMap((slice) =>
            [1, 2].map((attempt) => template.render({ ...slice, attempt })),
          );

          expect(new Set(prefixes).size).toBe(2 * slices.length);
        },
      ),
      { seed, numRuns: 150 },
    );
  });
});

describe('the default prefix template', () => {
  test.each(['none', 'hour', 'day', 'week', 'month'] as const)(
    'for slices by %s has no minutes',
    (sliceBy) => {
      expect(defaultTemplateOf(sliceBy)).toBe(
        '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/{HH}/{jobId}/{attempt}',
      );
    },
  );

  test('for slices by 15-minutes has the minutes after the hour', () => {
    expect(defaultTemplateOf('15-minutes')).toBe(
      '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/{HH}/{mm}/{jobId}/{attempt}',
    );
  });
});
