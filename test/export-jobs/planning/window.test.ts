import { describe, expect, test } from 'vitest';

import { readWindow, toInclusive } from '#export-jobs/planning/window.ts';

const hourMs = 3_600_000;
const now = Date.UTC(2024, 4, 2, 12);
const settled = { now, isUnsettledAllowed: false };
const unsettled = { now, isUnsettledAllowed: true };
const day = { from: '2024-05-01T00:00:00Z', to: '2024-05-02T00:00:00Z' };
const at = (pointer: string, detail: unknown) => ({ in: 'body', pointer, detail });

describe('the window of a job', () => {
  test('is read from text, from integers, and from one of each', () => {
    const read = { fromAt: 1_714_521_600_000, toAt: 1_714_608_000_000 };

    expect(readWindow(day, settled)).toEqual(read);
    expect(readWindow({ from: 1_714_521_600_000, to: 1_714_608_000_000n }, settled)).toEqual(read);
    expect(readWindow({ ...day, from: 1_714_521_600_000 }, settled)).toEqual(read);
  });

  test('can begin at 1970-01-01', () => {
    expect(readWindow({ ...day, from: 0 }, settled)).toEqual({
      fromAt: 0,
      toAt: 1_714_608_000_000,
    });
  });

  test('returns all violations at once', () => {
    expect(readWindow({ from: 1_714_521_600, to: '2024-05-02' }, settled)).toEqual([
      at('#/from', 'looks like seconds; in milliseconds it is 1714521600000'),
      at('#/to', 'must be RFC 3339 with an offset; for UTC, write "2024-05-02T00:00:00Z"'),
    ]);
    expect(readWindow({ from: now + 3 * hourMs, to: now + 2 * hourMs }, settled)).toEqual([
      at('#/to', expect.stringContaining('must not be in the future')),
      at('#/from', expect.stringContaining('must be before to')),
    ]);
  });

  test('is rejected if it is empty', () => {
    expect(readWindow({ from: now, to: now }, settled)).toEqual([
      at(
        '#/from',
        `must be before to, because to is exclusive; to export this one millisecond, set to to ${now + 1}`,
      ),
    ]);
  });

  test('is rejected if it ends before its start', () => {
    expect(readWindow({ from: day.to, to: day.from }, settled)).toEqual([
      at(
        '#/from',
        'must be before to; the values may be swapped: from 1714521600000, to 1714608000000',
      ),
    ]);
  });

  test('ends now at the latest, with one minute of tolerance', () => {
    expect(readWindow({ ...day, to: now + 60_000 }, settled)).toMatchObject({ toAt: now + 60_000 });
    expect(readWindow({ ...day, to: now + 60_001 }, settled)).toEqual([
      at(
        '#/to',
        `must not be in the future: now is ${now} (2024-05-02T12:00:00.000Z); to export up to now and miss log events that arrive later, set allowUnsettled to true`,
      ),
    ]);
  });

  test('can end up to 25 hours ahead if unsettled log events are allowed', () => {
    expect(readWindow({ ...day, to: now + 25 * hourMs }, unsettled)).toHaveProperty('toAt');
    expect(readWindow({ ...day, to: now + 25 * hourMs + 1 }, unsettled)).toEqual([
      at(
        '#/to',
        `must not be more than 25 hours in the future; the latest value is ${now + 25 * hourMs}`,
      ),
    ]);
  });

  test('gets the latest value in the form in which `to` was sent', () => {
    const to = new Date(now + 26 * hourMs).toISOString();

    expect(readWindow({ ...day, to }, unsettled)).toEqual([
      at(
        '#/to',
        'must not be more than 25 hours in the future; the latest value is 2024-05-03T13:00:00.000Z',
      ),
    ]);
  });
});

test('converts a window to AWS’s form, which ends with the last millisecond', () => {
  expect(toInclusive({ fromAt: 1_000, toAt: 2_000 })).toEqual({ from: 1_000n, to: 1_999n });
});
