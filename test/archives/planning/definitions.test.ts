import { describe, expect, test } from 'vitest';

import { isSelected } from '#archives/partitions/selection.ts';
import { readBound } from '#archives/planning/definition/read-bounds.ts';
import { firstPrefixOf } from '#archives/planning/first-prefix.ts';
import { warningsOfPlan } from '#archives/planning/plan-warnings.ts';
import { countBackfill } from '#archives/planning/requests/count-backfill.ts';
import { refuseImpossible, warningsOfRetention } from '#archives/planning/retention.ts';
import { planOfArchive } from '../archives-of-callers.ts';

const dayMs = 86_400_000;
const newYear = Date.UTC(2024, 0, 1);
const target = { name: 'default', accountId: '111122223333', region: 'eu-west-1' };
const { definition, load } = planOfArchive();
const ofPrefix = { ...definition, logGroupNames: null, logGroupNamePrefix: '/app/' };

describe('the first prefix of an archive', () => {
  test.each([
    ['the first log group that exists', ofPrefix, [{ logGroupName: '/found' }], 'found'],
    ['the first name when none exists', definition, [], 'app'],
    ['the prefix of names when none exists', { ...ofPrefix, logGroupNamePrefix: '/p' }, [], 'p'],
  ])('has %s', (_what, of, logGroups, expected) => {
    const prefix = firstPrefixOf({ definition: of, logGroups }, target, 'job');

    expect(prefix).toContain(`${expected}/2024/01/01`);
  });
});

describe('a bound of a time range', () => {
  test('names the next partitions in the form of the request', () => {
    const inMs = readBound(newYear + 1, 'from', 'day');
    const inText = readBound('2024-01-01T00:30:00Z', 'to', 'hour');

    expect(inMs).toMatchObject({
      violation: {
        pointer: '#/from',
        detail: expect.stringContaining(`${newYear} and ${newYear + dayMs}`),
      },
    });
    expect(inText).toMatchObject({
      violation: {
        pointer: '#/to',
        detail: expect.stringContaining('2024-01-01T00:00:00.000Z and 2024-01-01T01:00:00.000Z'),
      },
    });
  });

  test('accepts the beginning of time in the middle of a week, and rejects text without a time', () => {
    expect(readBound(0, 'from', 'week')).toEqual({ at: 0 });
    expect(readBound('soon', 'from', 'week')).toMatchObject({ violation: { pointer: '#/from' } });
  });
});

describe('the selection of an archive', () => {
  test('takes every log group without names and prefix, except the excepted ones', () => {
    const selection = { logGroupNames: null, logGroupNamePrefix: null };
    const all = { ...selection, exceptLogGroupNamePrefixes: ['/b'] };

    expect(isSelected(all, '/a')).toBe(true);
    expect(isSelected(all, '/b/c')).toBe(false);
  });
});

describe('retention of log groups', () => {
  test('refuses the shortest of several that are too short, and says how many others are', () => {
    const found = [
      { logGroupName: '/long' },
      { logGroupName: '/week', retentionInDays: 7 },
      { logGroupName: '/three', retentionInDays: 3 },
      { logGroupName: '/year', retentionInDays: 365 },
    ];

    const refuse = () => refuseImpossible(found, { ...definition, partitionBy: 'month' });

    expect(refuse).toThrow(/\/three keeps .* for 3 days.* other log group.* that fits is day/);
  });

  test('permits log groups that keep their log events always or long enough', () => {
    const found = [{ logGroupName: '/ever' }, { logGroupName: '/long', retentionInDays: 30 }];

    expect(() => refuseImpossible(found, definition)).not.toThrow();
  });

  test('warns of expired log events, also of a log group without a known creation', () => {
    const now = newYear + 30 * dayMs;
    const short = { logGroupName: '/one', retentionInDays: 7 };
    const young = { ...short, logGroupName: '/young', creationTime: now - dayMs };
    const old = { ...short, logGroupName: '/two', creationTime: newYear };

    expect(warningsOfRetention([young], definition, now)).toEqual([]);
    expect(warningsOfRetention([short, young], definition, now)).toMatchObject([
      { pointer: '#/from', detail: expect.stringMatching(/^1 log group has .*7 days/) },
    ]);
    expect(warningsOfRetention([short, old], definition, now)).toMatchObject([
      { detail: expect.stringMatching(/^2 log groups have /) },
    ]);
  });

  test('warns of a second export that comes too late, only if there is one', () => {
    const found = [{ logGroupName: '/one', retentionInDays: 3, creationTime: newYear }];
    const warn = (refreshDays: number) =>
      warningsOfRetention(found, { ...definition, refreshDays }, newYear);

    expect(warn(2)).toMatchObject([{ pointer: '#/refreshDays' }]);
    expect(warn(1)).toEqual([]);
    expect(warn(0)).toEqual([]);
  });
});

describe('warningsOfPlan', () => {
  const none = { found: [], missing: [], isPartial: false };

  test('warns that no log group begins with the prefix', () => {
    expect(warningsOfPlan(ofPrefix, none, { load, isShared: false, now: newYear })).toMatchObject([
      { pointer: '#/logGroupNamePrefix', detail: expect.stringContaining('No log group begins') },
    ]);
  });

  test('warns that a prefix has more log groups than an archive', () => {
    const partial = { ...none, found: [{ logGroupName: '/app/a' }], isPartial: true };

    expect(
      warningsOfPlan(ofPrefix, partial, { load, isShared: false, now: newYear }),
    ).toMatchObject([
      { pointer: '#/logGroupNamePrefix', detail: expect.stringContaining('More than 10,000') },
    ]);
  });

  test('warns of shared prefixes only if another archive has them', () => {
    const found = { ...none, found: [{ logGroupName: '/app' }] };
    const warn = (isShared: boolean) =>
      warningsOfPlan(definition, found, { load, isShared, now: newYear });

    expect(warn(false)).toEqual([]);
    expect(warn(true)).toMatchObject([{ pointer: '#/destinationPrefix' }]);
  });

  test.each([
    [['/b'], 'the name /b now'],
    [['/b', '/c'], 'the name /b and 1 other now'],
    [['/b', '/c', '/d'], 'the name /b and 2 others now'],
  ])('names the first missing log group of %j', (missing, expected) => {
    expect(
      warningsOfPlan(definition, { ...none, missing }, { load, isShared: false, now: newYear }),
    ).toMatchObject([{ pointer: '#/logGroupNames', detail: expect.stringContaining(expected) }]);
  });

  test.each([
    ['log-groups', 'exports of these log groups'],
    ['target', 'exports of the target'],
    ['assumed', 'an assumption'],
  ] as const)('says from what a heavy load is known: %s', (basis, expected) => {
    const heavy = { ...load, basis, targetShare: 0.8 };

    expect(
      warningsOfPlan(definition, none, { load: heavy, isShared: false, now: newYear }),
    ).toMatchObject([{ pointer: '#/partitionBy', detail: expect.stringContaining(expected) }]);
  });
});

describe('the count of a backfill', () => {
  const window = { fromAt: newYear, toAt: newYear + 10 * dayMs };
  const logGroup = {
    archiveId: 'one',
    logGroupName: '/app',
    incarnation: 1,
    createdAt: newYear,
    seenAt: newYear,
    goneAt: null,
    retentionDays: null,
    formerRetentionDays: null,
    formerSeenAt: null,
    retentionFoundAt: null,
    doubtfulUntilAt: null,
    doneUntilAt: null,
    covered: 0,
    empty: 0,
    lost: 0,
    waived: 0,
  };
  const day = (index: number, days = 1) => ({
    fromAt: newYear + index * dayMs,
    toAt: newYear + (index + days) * dayMs,
  });
  const facts = { isEmpty: 0, again: null, cause: null } as const;
  const ranges = [
    { ...day(0, 3), ...facts, state: 'covered' as const },
    { ...day(3), ...facts, state: 'lost' as const },
  ];
  const work = (index: number) => ({
    ...day(index),
    state: 'missing' as const,
    jobId: null,
    isRunning: false,
    problem: null,
    retryAt: null,
  });
  const part = { logGroup, window, ranges, work: [work(4), work(20)] };
  const count = (reprocess: 'missing' | 'failed' | 'all', changed: Partial<typeof part> = {}) => {
    const backfill = { ...window, logGroupNames: null, reprocess, order: 'oldest' as const };
    return countBackfill({ ...part, ...changed }, definition, backfill, newYear + 10 * dayMs);
  };

  test('omits what is covered, lost or failed, as the request says', () => {
    expect([count('missing'), count('failed'), count('all')]).toEqual([5, 6, 9]);
  });

  test('counts no unit before the creation, after the deletion or outside the retention of a log group', () => {
    const changed = (values: object) => count('all', { logGroup: { ...logGroup, ...values } });

    expect(changed({ goneAt: newYear + dayMs })).toBe(0);
    expect(changed({ retentionDays: 2 })).toBe(2);
    expect(changed({ createdAt: newYear + 8 * dayMs + 1 })).toBe(2);
  });
});
