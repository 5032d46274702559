import { describe, expect, test } from 'vitest';

import { makeReloadSignal } from '#files/reload-signal.ts';
import { openReloadedValue } from '#files/reloaded-value.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { makeTime } from '../auth/time.ts';
import type { LogLine } from '../world.ts';

/** Opens a number that is loaded from a file. */
async function openNumber(text: string) {
  const time = makeTime(1);
  const signal = makeReloadSignal(time.sleep);
  const file = { text, reads: 0, resume: (_text: string) => {} };
  const log: LogLine[] = [];
  const reloaded = await openReloadedValue({
    what: 'numbers',
    async read() {
      file.reads += 1;
      if (file.text === 'hanging') return new Promise<string>((resolve) => (file.resume = resolve));
      if (file.text === 'gone') throw new Error('ENOENT');
      return file.text;
    },
    load(found) {
      if (found === 'other words') throw new Error(`read ${file.reads}: not a number`);
      if (Number.isNaN(Number(found))) throw new Error(`${found} is not a number`);
      return { number: Number(found) };
    },
    clocks: time,
    sleep: signal.sleep,
    sleepUntilLate: time.sleep,
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
  });
  return {
    file,
    log,
    time,
    signal,
    reloaded,
    [Symbol.asyncDispose]: () => reloaded[Symbol.asyncDispose](),
  };
}

const failure = 'failed to reload changed files; the previous version stays active';

describe('a value loaded from a file', () => {
  test('is loaded again within two seconds of a change, and only then', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;
    const first = reloaded.current();

    await time.advance(60_000);
    const unchanged = reloaded.current();
    file.text = '2';
    await time.advance(2_000);

    expect(unchanged).toBe(first);
    expect(reloaded.current()).toEqual({ number: 2 });
    expect(log).toEqual([
      expect.objectContaining({ level: 'info', what: 'numbers', msg: 'reloaded changed files' }),
    ]);
  });

  test.for([
    ['invalid', 'two', 'two is not a number'],
    ['missing', 'gone', 'ENOENT'],
  ] as const)('keeps its previous version while the file is %s', async ([, text, message]) => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = text;
    await time.advance(10_000);

    expect(reloaded.current()).toEqual({ number: 1 });
    expect(log).toEqual([
      expect.objectContaining({
        level: 'error',
        what: 'numbers',
        err: expect.objectContaining({ message }),
        msg: failure,
      }),
    ]);
  });

  test('logs an error at growing intervals until the file is fixed, and its duration', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = 'two';
    await time.advance(125_000);
    const errors = log.map(({ repeated }) => repeated);
    await time.advance(60_000);
    file.text = '3';
    await time.advance(2_000);
    file.text = 'four';
    await time.advance(2_000);

    expect(errors).toEqual([undefined, 29]);
    expect(log.map(({ level }) => level)).toEqual(['error', 'error', 'error', 'info', 'error']);
    expect(log[3]).toMatchObject({ msg: 'reloaded changed files', lastedMs: 184_000 });
    expect(reloaded.current()).toEqual({ number: 3 });
  });

  test('logs a mistake once if its error has other words at each read', async () => {
    await using opened = await openNumber('1');
    const { file, log, time } = opened;

    file.text = 'other words';
    await time.advance(10_000);

    expect(log).toHaveLength(1);
  });

  test('logs a different mistake at once', async () => {
    await using opened = await openNumber('1');
    const { file, log, time } = opened;

    file.text = 'two';
    await time.advance(4_000);
    file.text = 'three';
    await time.advance(4_000);

    expect(log.map(({ err }) => (err as Error).message)).toEqual([
      'two is not a number',
      'three is not a number',
    ]);
  });

  test('logs the result of a reload that was asked for', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, signal } = opened;

    await time.advance(0);
    signal.reload();
    await time.advance(0);
    file.text = 'two';
    signal.reload();
    await time.advance(0);
    signal.reload();
    await time.advance(0);

    expect(log.map(({ msg }) => msg)).toEqual(['files are unchanged', failure, failure]);
  });

  test('logs an error when a read does not end, and begins no other one', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = 'hanging';
    await time.advance(30_000);
    const { reads } = file;
    file.text = '2';
    file.resume('2');
    await time.advance(10_000);

    expect(reads).toBe(2);
    expect(log.map(({ msg }) => msg)).toEqual([failure, 'reloaded changed files']);
    expect(log[0]?.err).toMatchObject({
      message:
        'Reading the files of the numbers takes longer than 30 seconds; check the file system that they are on.',
    });
    expect(reloaded.current()).toEqual({ number: 2 });
  });

  test('closes while a read hangs', async () => {
    const { file, time, log, reloaded } = await openNumber('1');
    file.text = 'hanging';
    await time.advance(2_000);

    await reloaded[Symbol.asyncDispose]();

    expect(log).toEqual([]);
  });

  test('logs that the error is over when the old content is back', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = 'two';
    await time.advance(2_000);
    file.text = '1';
    await time.advance(60_000);

    expect(reloaded.current()).toEqual({ number: 1 });
    expect(log.map(({ msg }) => msg)).toEqual([
      failure,
      'files are valid again; the active version is unchanged',
    ]);
  });

  test('rejects an invalid file at the start', async () => {
    await expect(openNumber('one')).rejects.toThrow('one is not a number');
    await expect(openNumber('gone')).rejects.toThrow('ENOENT');
  });

  test('reads the file no more when it is closed', async () => {
    const { file, time, reloaded } = await openNumber('1');
    await time.advance(2_000);

    await reloaded[Symbol.asyncDispose]();

    expect(file.reads).toBe(2);
  });
});
