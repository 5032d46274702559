import { describe, expect, test } from 'vitest';

import { openReloadedValue } from '#files/reloaded-value.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { makeTime } from '../auth/time.ts';
import type { LogLine } from '../world.ts';

/** Opens a number that is loaded from a file. */
async function openNumber(text: string) {
  const time = makeTime(1);
  const file = { text, reads: 0 };
  const log: LogLine[] = [];
  const reloaded = await openReloadedValue({
    what: 'numbers',
    async read() {
      file.reads += 1;
      if (file.text === 'gone') throw new Error('ENOENT');
      return file.text;
    },
    load(found) {
      if (Number.isNaN(Number(found))) throw new Error(`${found} is not a number`);
      return { number: Number(found) };
    },
    sleep: time.sleep,
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
  });
  return {
    file,
    log,
    time,
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

  test('logs an error once a minute until the file is fixed', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = 'two';
    await time.advance(125_000);
    const errors = log.length;
    file.text = '3';
    await time.advance(2_000);
    file.text = 'four';
    await time.advance(2_000);

    expect(errors).toBe(3);
    expect(log.map(({ level }) => level)).toEqual(['error', 'error', 'error', 'info', 'error']);
    expect(reloaded.current()).toEqual({ number: 3 });
  });

  test('logs no further error when the old content is back', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = 'two';
    await time.advance(2_000);
    file.text = '1';
    await time.advance(60_000);

    expect(reloaded.current()).toEqual({ number: 1 });
    expect(log).toHaveLength(1);
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
