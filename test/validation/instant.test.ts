import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readInstant } from '#validation/instant.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

describe('an instant', () => {
  test.for([
    [1_714_521_600_000, 1_714_521_600_000],
    [0, 0],
    [94_694_400_000, 94_694_400_000],
    [7_258_118_400_000n, 7_258_118_400_000],
    ['2024-05-01T00:00:00Z', 1_714_521_600_000],
    ['2024-05-01t00:00:00z', 1_714_521_600_000],
    ['2024-05-01T02:00:00+02:00', 1_714_521_600_000],
    ['2024-04-30T19:30:00-04:30', 1_714_521_600_000],
    ['2024-05-01T00:00:00-00:00', 1_714_521_600_000],
    ['2024-05-01T00:00:00.069Z', 1_714_521_600_069],
    ['2024-05-01T00:00:00.5Z', 1_714_521_600_500],
    ['2024-04-30T23:59:59.999000Z', 1_714_521_599_999],
    ['2024-04-30T23:59:59.999999Z', 1_714_521_600_000],
    ['2024-05-01T00:00:00.0000001Z', 1_714_521_600_001],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['1970-01-01T00:00:00Z', 0],
  ] as const)('is read: %s is %i', ([value, at]) => {
    expect(readInstant(value)).toEqual({ at });
  });

  test.for([
    [1_714_521_600, 'looks like seconds; in milliseconds it is 1714521600000'],
    [1_714_521_600_000_000, 'looks like microseconds; in milliseconds it is 1714521600000'],
    [1_714_521_600_000_000_000n, 'looks like nanoseconds; in milliseconds it is 1714521600000'],
    ['1714521600000', 'must be without quotes: 1714521600000'],
    [
      '1714521600',
      'must be without quotes, and looks like seconds; in milliseconds it is 1714521600000',
    ],
    ['2024-05-01', 'must be RFC 3339 with an offset; for UTC, write "2024-05-01T00:00:00Z"'],
    ['2024-05-01T10:00', 'must be RFC 3339 with an offset; for UTC, write "2024-05-01T10:00:00Z"'],
    [
      '2024-05-01 10:00:00',
      'must be RFC 3339 with an offset; for UTC, write "2024-05-01T10:00:00Z"',
    ],
    ['2019-02-22T10:00:00+0000', 'must be RFC 3339; write "2019-02-22T10:00:00+00:00"'],
    ['2019-02-22T10:00:00-07', 'must be RFC 3339; write "2019-02-22T10:00:00-07:00"'],
    ['20190222T100000Z', 'must be RFC 3339; write "2019-02-22T10:00:00Z"'],
    ['2019-02-22 10:00:00,5 +0530', 'must be RFC 3339; write "2019-02-22T10:00:00.5+05:30"'],
    ['22-02-2019', 'must be RFC 3339 with an offset; for UTC, write "2019-02-22T00:00:00Z"'],
    ['2/22/2019 10:30', 'must be RFC 3339 with an offset; for UTC, write "2019-02-22T10:30:00Z"'],
    [
      '03.02.2019',
      'must be RFC 3339 with an offset; for UTC, write "2019-02-03T00:00:00Z" or "2019-03-02T00:00:00Z"',
    ],
    [
      '2016-12-31T23:59:60Z',
      'is in a leap second, which milliseconds since 1970 cannot express; the next second is "2017-01-01T00:00:00.000Z"',
    ],
    [
      '2024-04-30T24:00:00Z',
      'has the hour 24, which RFC 3339 does not allow; write "2024-05-01T00:00:00.000Z" instead',
    ],
    ['2024-02-30T00:00:00Z', 'must have an existing date, but 2024-02-30 does not exist'],
    ['2023-02-29T00:00:00Z', 'must have an existing date, but 2023-02-29 does not exist'],
    ['2024-13-01T00:00:00Z', 'must have an existing date, but 2024-13-01 does not exist'],
    ['2024-05-01T24:00:01Z', 'must have a time of day from 00:00:00 to 23:59:59'],
    ['2024-05-01T10:60:00Z', 'must have a time of day from 00:00:00 to 23:59:59'],
    [
      '1969-12-31T23:59:59Z',
      'must not be before 1970-01-01T00:00:00Z, the earliest time in CloudWatch Logs',
    ],
    [
      '1969-12-30T24:00:00Z',
      'must not be before 1970-01-01T00:00:00Z, the earliest time in CloudWatch Logs',
    ],
    [
      '1970-01-01T00:00:00+02:00',
      'must not be before 1970-01-01T00:00:00Z, the earliest time in CloudWatch Logs',
    ],
    [-1, 'must not be before 1970-01-01T00:00:00Z, the earliest time in CloudWatch Logs'],
  ] as const)('is rejected: %s %s', ([value, detail]) => {
    expect(readInstant(value)).toEqual({ detail });
  });

  test.for([
    5,
    2n ** 70n,
    10_000_000_000,
    'yesterday',
    '',
    '2024-05-01T10:00:00+24:00',
    '2024-02-30',
    '2024-05-01Tnoon',
    '22-22-2019',
    `2024-05-01T00:00:00.${'0'.repeat(10_000)}+0000`,
    '٢٠٢٤-05-01T00:00:00Z',
    '9'.repeat(10_000),
  ])('is rejected with a description of valid instants: %s', (value) => {
    expect(readInstant(value)).toEqual({
      detail: expect.stringMatching(/^must be RFC 3339 with an offset .{1,300}$/),
    });
  });

  test(`reads any text that Date writes as that Date, at any offset (seed ${seed})`, () => {
    const offsetMinutes = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    const instant = fc.date({
      min: new Date('1970-01-02'),
      max: new Date('9999-12-30'),
      noInvalidDate: true,
    });

    fc.assert(
      fc.property(instant, offsetMinutes, (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const digits = (value: number) => String(value).padStart(2, '0');
        const text = `${local}${minutes < 0 ? '-' : '+'}${digits(hours)}:${digits(rest)}`;

        expect(readInstant(text)).toEqual({ at: date.getTime() });
      }),
      { seed },
    );
  });

  test(`that is refused with another value is accepted with that one (seed ${seed})`, () => {
    const value = fc.oneof(
      fc.bigInt(0n, 2n ** 64n),
      fc
        .integer({ min: 0, max: 6 })
        .chain((digits) =>
          fc.bigInt(
            94_694_400n * 10n ** BigInt(2 * digits),
            7_258_118_400n * 10n ** BigInt(2 * digits),
          ),
        ),
      fc.stringMatching(
        /^(19[789]|20[0-9])\d-[01]\d-[0-3]\d([T ][0-2]\d:[0-6]\d(:[0-6]\d(\.\d{1,6})?)?)?Z?$/,
      ),
    );
    let corrected = 0;

    fc.assert(
      fc.property(value, (wrong) => {
        const reading = readInstant(wrong);
        if ('at' in reading) return;
        const [, number, text] =
          /(?:it is|quotes:) (\d+)$|(?:after it is|instant is|write) "([^"]+)"$/.exec(
            reading.detail,
          ) ?? [];
        if (number ?? text) {
          corrected += 1;
          expect(readInstant(number ? BigInt(number) : (text ?? ''))).toHaveProperty('at');
        }
      }),
      { seed, numRuns: 2_000 },
    );
    expect(corrected).toBeGreaterThan(100);
  });
});
