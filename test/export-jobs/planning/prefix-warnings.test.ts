import { describe, expect, test } from 'vitest';

import type { SliceBy } from '#export-jobs/planning/calendar/slice-units.ts';
import { warningsOfLogGroups, warningsOfTemplate } from '#export-jobs/planning/prefix-warnings.ts';

const detailsOf = (warnings: { detail: string }[]) => warnings.map(({ detail }) => detail);

/** The warnings about a template, for a window from the beginning of 1 May 2024. */
function ofTemplate(prefixTemplate: string, sliceBy: SliceBy, to: string): string[] {
  const window = { fromAt: Date.parse('2024-05-01'), toAt: Date.parse(to), timeZone: 'UTC' };
  return detailsOf(warningsOfTemplate({ prefixTemplate, sliceBy, ...window }));
}

describe('warnings about a template', () => {
  test.each<[string, SliceBy, string, string]>([
    ['a/{logGroup}', 'day', '2024-05-03', '{dd}'],
    ['a/{logGroup}', 'day', '2024-06-03', '{MM}, {dd}'],
    ['{jobId}/{attempt}', 'week', '2025-01-02', '{yyyy}, {MM}, {dd}'],
    ['{MM}', 'month', '2025-07-01', '{yyyy}'],
    ['{dd}', 'hour', '2024-05-02', '{HH}'],
    ['{dd}/{HH}', '15-minutes', '2024-05-02', '{mm}'],
  ])('name the times that %s by %s lacks until %s', (template, sliceBy, to, missing) => {
    expect(ofTemplate(template, sliceBy, to)).toEqual([
      `Slices of one log group share a prefix, because the template lacks ${missing}. AWS still gives each export task a folder of its own there.`,
    ]);
  });

  test.each<[string, SliceBy, string]>([
    ['a', 'none', '2025-05-01'],
    ['a', 'day', '2024-05-02'],
    ['{dd}', 'day', '2024-05-03'],
    ['{yyyy}{MM}{dd}{HH}', 'hour', '2026-05-03'],
  ])('are absent when the slices of %s by %s until %s differ', (template, sliceBy, to) => {
    expect(ofTemplate(template, sliceBy, to)).toEqual([]);
  });

  test('use the days of the time zone', () => {
    const job = { prefixTemplate: 'a', sliceBy: 'day', timeZone: 'Asia/Tokyo' } as const;
    const window = { fromAt: Date.parse('2024-05-01'), toAt: Date.parse('2024-05-02') };

    expect(detailsOf(warningsOfTemplate({ ...job, ...window }))).toEqual([
      expect.stringContaining('lacks {dd}'),
    ]);
  });
});

describe('warnings about log groups', () => {
  test.each([
    [['/app', 'app'], 'Log groups /app and app share a prefix: {logGroup} has no leading slash.'],
    [['/a//b'], 'Log group /a//b has a slash at the end, or two in a row.'],
    [['//a'], 'Log group //a has a slash at the end, or two in a row.'],
    [['a/'], 'Log group a/ has a slash at the end, or two in a row.'],
  ])('name what is wrong with %j', (names, detail) => {
    expect(detailsOf(warningsOfLogGroups('{logGroup}/x', names))).toEqual([
      expect.stringContaining(detail),
    ]);
  });

  test('say that a template without {logGroup} is shared by all', () => {
    expect(detailsOf(warningsOfLogGroups('x', ['/a', '/b']))).toEqual([
      expect.stringContaining('All log groups share a prefix'),
    ]);
  });

  test('are absent when all prefixes differ', () => {
    expect(warningsOfLogGroups('{logGroup}', ['/a', '/b/c', 'd'])).toEqual([]);
    expect(warningsOfLogGroups('x', ['/a'])).toEqual([]);
  });
});
