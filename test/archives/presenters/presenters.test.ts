import { describe, expect, test } from 'vitest';

import { showRun } from '#archives/presenters/run-view.ts';
import { currentStateOf, showArchive } from '#archives/presenters/show-archive.ts';
import { showArchivePlan } from '#archives/presenters/show-archive-plan.ts';
import { findArchive } from '#archives/store/reads/read-archives.ts';
import { examplePreflight } from '#targets/preflight/check.ts';
import { openStore } from '../../export-jobs/storage-backends.ts';
import { archiveRow, archiveStart, archiveSummary } from '../archive-rows.ts';
import { planOfArchive } from '../archives-of-callers.ts';

const dayMs = 86_400_000;
const target = { name: 'default', accountId: '111122223333', region: 'eu-west-1' };

describe('the plan of an archive', () => {
  const now = Date.UTC(2024, 0, 11, 13); // ten days are due
  const due = (definition: object, ...logGroups: object[]) => {
    const plan = {
      ...planOfArchive(definition),
      logGroups: logGroups.map((each) => ({ logGroupName: '/app', ...each })),
    };
    const options = { target, caller: 'me', now, preflight: examplePreflight };
    return showArchivePlan(plan, options).duePartitions;
  };

  test('counts due partitions up to the end and from the last days to catch up with', () => {
    expect(due({}, {})).toBe(10);
    expect(due({}, {}, {})).toBe(20);
    expect(due({ toAt: Date.UTC(2024, 0, 4) }, {})).toBe(3);
    expect(due({ catchUpDays: 4 }, {})).toBeLessThan(6);
    expect(due({ fromAt: Date.UTC(2025, 0, 1) }, {})).toBe(0);
  });

  test('counts no partition from before a log group or before its retention', () => {
    expect(due({}, { creationTime: Date.UTC(2024, 0, 9) })).toBe(2);
    expect(due({}, { retentionInDays: 3 })).toBeLessThan(5);
  });
});

describe('a shown archive', () => {
  const show = async (row: object, found: object = {}) => {
    await using database = await openStore(async () => ({}));
    await database.queries
      .insertInto('archives')
      .values({ ...archiveRow({ id: 'one' }, found), ...row })
      .execute();
    const archive = await findArchive(database.queries, 'one');
    if (!archive) throw new Error('The archive was just inserted.');
    return showArchive(archive, '/gateway');
  };

  test('has a pause with empty texts when nothing is known of it, and none after the end', async () => {
    const paused = await show({ pausedAt: archiveStart });
    const ended = await show({ pausedAt: archiveStart, endedAt: archiveStart + dayMs });

    expect(paused).toMatchObject({
      state: 'paused',
      pause: { at: '2024-05-01T00:00:00.000Z', caller: '', reason: '' },
    });
    expect(ended).toMatchObject({ state: 'ended', endedAt: '2024-05-02T00:00:00.000Z' });
    expect(ended).not.toHaveProperty('pause');
  });

  test('has progress only after a look, with what the look has found', async () => {
    const before = await show({});
    const bare = { watermarkAt: null, nextExpiryAt: null, nextExpiryOf: null };
    const first = await show({ lookedAt: archiveStart }, bare);
    const later = await show({ lookedAt: archiveStart });

    expect(before).not.toHaveProperty('progress');
    expect(first.progress).not.toHaveProperty('watermark');
    expect(first.progress).not.toHaveProperty('nextExpiry');
    expect(later.progress).toMatchObject({
      watermark: '2024-05-01T00:00:00.000Z',
      nextExpiry: { at: '2024-05-31T00:00:00.000Z' },
    });
    expect(await show({ summary: null, lookedAt: archiveStart })).not.toHaveProperty('progress');
  });

  test('has the state behind until the keeper has looked at it once', () => {
    const running = { endedAt: null, pausedAt: null };

    expect(currentStateOf({ ...running, summary: null })).toBe('behind');
    expect(currentStateOf({ ...running, summary: archiveSummary() })).toBe('current');
  });
});

describe('a shown run', () => {
  const run = {
    logGroupName: '/app',
    incarnation: 1,
    fromAt: archiveStart,
    toAt: archiveStart + 2 * dayMs,
  };
  const waiver = {
    number: 7,
    logGroupName: '/app',
    from: '2024-05-01T00:00:00.000Z',
    to: '2024-05-03T00:00:00.000Z',
    reason: 'not in use',
    caller: 'me',
    at: '2024-05-04T00:00:00.000Z',
  };
  const options = {
    partitionBy: 'day' as const,
    waivers: new Map([['7', waiver]]),
    basePath: '',
  };

  test('has the waiver of waived partitions if it is known', () => {
    const waived = { ...run, state: 'waived' as const };

    expect(showRun({ ...waived, cause: '7' }, options)).toMatchObject({ partitions: 2, waiver });
    expect(showRun({ ...waived, cause: '8' }, options)).not.toHaveProperty('waiver');
    expect(showRun(waived, options)).not.toHaveProperty('waiver');
  });

  test('has the cause of lost partitions, and when failed ones are tried again', () => {
    expect(showRun({ ...run, state: 'lost', cause: 'retention' }, options)).toMatchObject({
      state: 'lost',
      cause: 'retention',
    });
    expect(
      showRun({ ...run, state: 'missing', jobId: 'a', retryAt: archiveStart }, options),
    ).toMatchObject({ jobId: 'a', retryAt: '2024-05-01T00:00:00.000Z' });
  });
});
