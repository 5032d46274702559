import { describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { checkQueue, checkSlot } from '#targets/preflight/checks/slot-checks.ts';
import type { RedactedSlotStatus } from '#targets/slot/redact-slot-status.ts';
import type { Slot } from '#targets/slot/slot.ts';

const since = '2024-05-01T00:00:00.000Z';
const away = async () => {
  throw new Problem('aws-unavailable', 'AWS answered 503.');
};

describe('the check of the slot', () => {
  const check = (slot: Partial<Slot> | undefined) =>
    checkSlot(async () => ({ slot }) as RedactedSlotStatus);

  test.each([
    [{ state: 'free' }, 'The slot is free.'],
    [{ state: 'ours', jobId: 'job-1', since }, `Export job job-1 holds the slot since ${since}.`],
    [{ state: 'ours' }, 'An export job holds the slot.'],
    [
      { state: 'foreign', taskId: 'task-1', since },
      `Export task task-1 that no export job created holds the slot since ${since}.`,
    ],
    [{ state: 'foreign' }, 'An export task that no export job created holds the slot.'],
  ] as const)('passes with %o', async (slot, detail) => {
    expect(await check(slot)).toEqual({ name: 'slot', verdict: 'pass', detail });
  });

  test('is unknown without a slot, and while AWS is away', async () => {
    expect(await check(undefined)).toMatchObject({ verdict: 'unknown' });
    expect(await checkSlot(away)).toMatchObject({ name: 'slot', verdict: 'unknown' });
  });
});

describe('the check of the queue', () => {
  test.each([
    [{ slicesAhead: 1 }, '1 slice would start before the first slice. There is no recent export'],
    [{ slicesAhead: 2, estimatedStartAt: 0 }, 'There is no recent export'],
    [
      { slicesAhead: 0, estimatedStartAt: 0, estimatedEndAt: 60_000 },
      'It would start at about 1970-01-01T00:00:00.000Z, and the last slice would end at about 1970-01-01T00:01:00.000Z.',
    ],
  ])('passes with %o', async (forecast, detail) => {
    const check = await checkQueue(async () => forecast);

    expect(check).toMatchObject({ name: 'queue', verdict: 'pass' });
    expect(check.detail).toContain(detail);
  });

  test('is unknown while the database is away', async () => {
    expect(await checkQueue(away)).toMatchObject({ name: 'queue', verdict: 'unknown' });
  });
});
