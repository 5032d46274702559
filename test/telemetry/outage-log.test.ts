import { expect, test } from 'vitest';

import { makeOutageLog } from '#telemetry/outage-log.ts';
import type { LogLine } from '../world.ts';

const minute = 60_000;
const startAt = Date.UTC(2026, 10, 26, 3);

/** A log of outages whose clocks the test turns: one of them can be set back. */
function openOutage(options: { quietMs?: number; calmMs?: number } = {}) {
  const clock = { at: startAt, setBackMs: 0 };
  const lines: LogLine[] = [];
  const write = (level: string) => (facts: object, text: string) =>
    void lines.push({ level, minute: (clock.at - startAt) / minute, ...facts, text });
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const now = () => clock.at - clock.setBackMs;
  const elapsed = () => clock.at - startAt;
  const outage = makeOutageLog({ log, now, elapsed, ...options });
  /** Fails every ten seconds, for some minutes. */
  function failFor(minutes: number, facts: object = {}, text = 'AWS is away'): void {
    for (let turn = 0; turn < 6 * minutes; turn += 1) {
      outage.failed(facts, text);
      clock.at += 10_000;
    }
  }
  return { clock, lines, outage, failFor };
}

test('logs the first failure at once, repeats at growing intervals with a count, and the end', () => {
  const { lines, outage, failFor } = openOutage();

  failFor(40, { target: 'payments', problem: 'aws-unavailable' });
  outage.worked({ target: 'payments' }, 'AWS answers again');

  const facts = { target: 'payments', problem: 'aws-unavailable', text: 'AWS is away' };
  const since = '2026-11-26T03:00:00.000Z';
  expect(lines).toEqual([
    { level: 'warn', minute: 0, ...facts, since },
    { level: 'warn', minute: 1, ...facts, since, repeated: 5 },
    { level: 'warn', minute: 3, ...facts, since, repeated: 11 },
    { level: 'warn', minute: 7, ...facts, since, repeated: 23 },
    { level: 'error', minute: 15, ...facts, since, repeated: 47 },
    { level: 'error', minute: 31, ...facts, since, repeated: 95 },
    {
      level: 'info',
      minute: 40,
      target: 'payments',
      lastedMs: 40 * minute,
      repeated: 53,
      text: 'AWS answers again',
    },
  ]);
});

test('has the same lines when the clock of the machine is set back during an outage', () => {
  const { clock, lines, outage, failFor } = openOutage({ calmMs: minute });
  failFor(2);

  clock.setBackMs = 60 * minute;
  failFor(20);
  outage.worked({}, 'AWS answers again');
  clock.at += minute;
  outage.settle();

  expect(lines.map(({ level, minute: at, lastedMs }) => [level, at, lastedMs])).toEqual([
    ['warn', 0, undefined],
    ['warn', 1, undefined],
    ['warn', 3, undefined],
    ['warn', 7, undefined],
    ['error', 15, undefined],
    ['info', 23, 22 * minute],
  ]);
  expect(new Set(lines.slice(0, -1).map(({ since }) => since))).toEqual(
    new Set(['2026-11-26T03:00:00.000Z']),
  );
});

test('logs at least once an hour', () => {
  const { lines, failFor } = openOutage();

  failFor(8 * 60);

  expect(lines.map((line) => line.minute)).toEqual([
    0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363, 423,
  ]);
});

test('logs another problem at once, but at most 20 of them', () => {
  const { lines, outage } = openOutage();

  for (let turn = 0; turn < 100; turn += 1) {
    outage.failed({ problem: `problem-${turn % 40}` }, 'AWS is away');
  }

  expect(lines.map(({ problem }) => problem)).toEqual(
    Array.from({ length: 20 }, (_, index) => `problem-${index}`),
  );
});

test('counts the failures with one text apart from those with another', () => {
  const { clock, lines, outage } = openOutage();

  for (let turn = 0; turn < 10; turn += 1) {
    outage.failed({}, turn === 0 ? 'create refused' : 'slot held');
    clock.at += 10_000;
  }
  clock.at += 3 * minute;
  outage.failed({}, 'create refused');
  outage.worked({}, 'AWS answers again');

  expect(lines.map(({ text, repeated }) => [text, repeated])).toEqual([
    ['create refused', undefined],
    ['slot held', undefined],
    ['slot held', 4],
    ['create refused', undefined],
    ['AWS answers again', 3],
  ]);
});

test('counts what fails every other time as one outage, until it has worked for the calm time', () => {
  const { clock, lines, outage } = openOutage({ calmMs: minute });

  for (let turn = 0; turn < 12; turn += 1) {
    outage.failed({}, 'AWS is away');
    clock.at += 10_000;
    outage.worked({}, 'AWS answers again');
    clock.at += 10_000;
  }
  clock.at += minute;
  outage.worked({}, 'AWS answers again');

  expect(lines.map(({ level, minute: at, lastedMs }) => [level, at, lastedMs])).toEqual([
    ['warn', 0, undefined],
    ['warn', 1, undefined],
    ['warn', 3, undefined],
    ['info', 5, 230_000],
  ]);
});

test('logs the end before the next outage, if no success came after the calm time', () => {
  const { clock, lines, outage } = openOutage({ calmMs: minute });
  outage.failed({}, 'AWS is away');
  clock.at += minute / 2;
  outage.worked({}, 'AWS answers again');

  clock.at += 60 * minute;
  outage.failed({}, 'AWS is away');

  expect(lines.map(({ level, since, lastedMs }) => [level, since, lastedMs])).toEqual([
    ['warn', '2026-11-26T03:00:00.000Z', undefined],
    ['info', undefined, minute / 2],
    ['warn', '2026-11-26T04:00:30.000Z', undefined],
  ]);
});

test('logs the end at once when nothing more is expected to happen', () => {
  const { lines, outage } = openOutage({ calmMs: minute });
  outage.settle(true);
  outage.failed({}, 'AWS is away');
  outage.settle(true);
  outage.worked({}, 'AWS answers again');

  outage.settle();
  const early = lines.length;
  outage.settle(true);
  outage.settle(true);

  expect(early).toBe(1);
  expect(lines.map(({ text }) => text)).toEqual(['AWS is away', 'AWS answers again']);
});

test('logs nothing about an outage that is shorter than the quiet time', () => {
  const { lines, outage, failFor } = openOutage({ quietMs: 15 * minute });
  failFor(14);
  outage.worked({}, 'AWS answers again');

  failFor(40);

  expect(lines.map(({ level, minute: at }) => [level, at])).toEqual([
    ['error', 29],
    ['error', 44],
  ]);
});

test('logs an error at once if it is configured, and a line in any case if it is due', () => {
  const { lines, outage } = openOutage();

  outage.failed({}, 'invalid file', { alarmAfterMs: 0 });
  outage.failed({}, 'invalid file', { alarmAfterMs: 0 });
  outage.failed({}, 'invalid file', { alarmAfterMs: 0, isDue: true });

  expect(lines.map(({ level, repeated }) => [level, repeated])).toEqual([
    ['error', undefined],
    ['error', 1],
  ]);
});

test('begins a new outage after it was forgotten', () => {
  const { clock, lines, outage } = openOutage();
  outage.failed({}, 'AWS is away');
  outage.forget();
  clock.at += 1_000;

  outage.worked({}, 'AWS answers again');
  outage.failed({}, 'AWS is away');

  expect(lines.map(({ since }) => since)).toEqual([
    '2026-11-26T03:00:00.000Z',
    '2026-11-26T03:00:01.000Z',
  ]);
});
