import { describe, expect, test } from 'vitest';

import { inUtcText, readDuration, readTime } from '#cli/arguments/read-time.ts';

const now = Date.parse('2024-05-10T14:37:22.500Z');
const read = (text: string, timeZone = 'UTC') =>
  inUtcText(readTime('from', text, { now, timeZone }));

describe('a time', () => {
  test.each([
    ['now', '2024-05-10T14:37:22Z'],
    ['today', '2024-05-10T00:00:00Z'],
    ['yesterday', '2024-05-09T00:00:00Z'],
    ['-0d', '2024-05-10T00:00:00Z'],
    ['-7d', '2024-05-03T00:00:00Z'],
    ['-2w', '2024-04-26T00:00:00Z'],
    ['-12h', '2024-05-10T02:00:00Z'],
    ['-30m', '2024-05-10T14:07:00Z'],
    ['2024-05-01', '2024-05-01T00:00:00Z'],
    ['2024-05-01T08:15', '2024-05-01T08:15:00Z'],
    ['2024-05-01 08:15:30', '2024-05-01T08:15:30Z'],
    ['2024-05-01T08:15:30.25Z', '2024-05-01T08:15:30.250Z'],
    ['2024-05-01T08:15+02:00', '2024-05-01T06:15:00Z'],
    ['1714521600000', '2024-05-01T00:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
  ])('%s is %s', (text, instant) => {
    expect(read(text)).toBe(instant);
  });

  test.each([
    ['today', 'Europe/Berlin', '2024-05-09T22:00:00Z'],
    ['yesterday', 'America/New_York', '2024-05-09T04:00:00Z'],
    ['-7d', 'Asia/Kolkata', '2024-05-02T18:30:00Z'],
    ['2024-03-31', 'Europe/Berlin', '2024-03-30T23:00:00Z'],
    ['2024-03-31T12:00', 'Europe/Berlin', '2024-03-31T10:00:00Z'],
    ['2024-04-01', 'Europe/Berlin', '2024-03-31T22:00:00Z'],
    ['2024-10-28', 'Europe/Berlin', '2024-10-27T23:00:00Z'],
    ['2024-05-01T08:00Z', 'Europe/Berlin', '2024-05-01T08:00:00Z'],
    ['now', 'Asia/Tokyo', '2024-05-10T14:37:22Z'],
  ])('%s in %s is %s', (text, timeZone, instant) => {
    expect(read(text, timeZone)).toBe(instant);
  });

  test.each([
    // Skipped, west and east of UTC.
    ['2024-09-08', 'America/Santiago', '2024-09-08T04:00:00Z'],
    ['2024-03-10', 'America/Havana', '2024-03-10T05:00:00Z'],
    ['2024-04-26', 'Africa/Cairo', '2024-04-25T22:00:00Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
    // Repeated, east and west of UTC.
    ['2021-10-29', 'Asia/Amman', '2021-10-28T21:00:00Z'],
    ['2024-11-03', 'America/Havana', '2024-11-03T04:00:00Z'],
    ['2010-11-07', 'America/St_Johns', '2010-11-07T02:30:00Z'],
  ])(
    '%s in %s begins when the clock shows that day for the first time',
    (text, timeZone, instant) => {
      expect(read(text, timeZone)).toBe(instant);
      const dayLater = Date.parse(`${text}T12:00:00Z`) + 86_400_000;
      expect(inUtcText(readTime('from', 'yesterday', { now: dayLater, timeZone }))).toBe(instant);
    },
  );

  test.each([
    ['2024-03-10T02:30', 'America/New_York', '2024-03-10T07:30:00Z'],
    ['2024-03-31T02:30:00.5', 'Europe/Berlin', '2024-03-31T01:30:00.500Z'],
    ['2024-10-27T02:30:00.5', 'Europe/Berlin', '2024-10-27T00:30:00.500Z'],
    ['2024-11-03T01:30', 'America/New_York', '2024-11-03T05:30:00Z'],
  ])('%s in %s, when the clocks change, is %s', (text, timeZone, instant) => {
    expect(read(text, timeZone)).toBe(instant);
  });

  test.each([
    '',
    'tomorrow',
    '7d',
    '-7',
    '-7y',
    '2024-02-30',
    '2024-13-01',
    '2024-05-01T25:00',
    '2024-05-01T08',
    '1714521600',
    '05/01/2024',
  ])('is not "%s"', (text) => {
    expect(() => read(text)).toThrow(`--from "${text}" is not a time.`);
  });

  test('is not read in an unknown time zone', () => {
    expect(() => read('today', 'Mars/Base')).toThrow('"Mars/Base" is not a time zone.');
  });
});

describe('a duration', () => {
  test.each([
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('%s is %i ms', (text, ms) => {
    expect(readDuration('timeout', text)).toBe(ms);
  });

  test.each(['', '10', '1w', '-5m', '1.5h'])('is not "%s"', (text) => {
    expect(() => readDuration('timeout', text)).toThrow('is not a duration');
  });
});
