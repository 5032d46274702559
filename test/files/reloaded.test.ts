import { describe, expect, test } from 'vitest';

import { openReloaded } from '#files/reloaded.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { makeTime } from '../auth/time.ts';
import type { LogLine } from '../world.ts';

/** A number in a file, kept up to date. */
async function openNumber(text: string) {
  const time = makeTime(1);
  const file = { text, reads: 0 };
  const log: LogLine[] = [];
  const reloaded = await openReloaded({
    what: 'the numbers',
    async read() {
      file.reads += 1;
      if (file.text === 'gone') throw new Error('ENOENT');
      return file.text;
    },
    load(found) {
      if (Number.isNaN(Number(found))) throw new Error(`${found} is no number`);
      return { number: Number(found) };
    },
    sleep: time.sleep,
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
  });
  return {
    ...{ file, log, time, reloaded },
    [Symbol.asyncDispose]: () => reloaded[Symbol.asyncDispose](),
  };
}

const complaint = 'the numbers have changed but are not good: THE OLD ONES STAY IN FORCE';

describe('something made of a file', () => {
  test('is made anew within two seconds of a change, and only then', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;
    const first = reloaded.current();

    await time.turn(60_000);
    const unchanged = reloaded.current();
    file.text = '2';
    await time.turn(2_000);

    expect(unchanged).toBe(first);
    expect(reloaded.current()).toEqual({ number: 2 });
    expect(log.map(({ level, msg }) => [level, msg])).toEqual([
      ['info', 'the numbers have changed and are in force'],
    ]);
  });

  test.for([
    ['not good', 'two', 'two is no number'],
    ['not there', 'gone', 'ENOENT'],
  ] as const)('stays as it was while the file is %s', async ([, text, message]) => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = text;
    await time.turn(10_000);

    expect(reloaded.current()).toEqual({ number: 1 });
    expect(log).toEqual([
      expect.objectContaining({
        level: 'error',
        err: expect.objectContaining({ message }),
        msg: complaint,
      }),
    ]);
  });

  test('is complained of once a minute, until it is mended', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = 'two';
    await time.turn(125_000);
    const complaints = log.length;
    file.text = '3';
    await time.turn(2_000);
    file.text = 'four';
    await time.turn(2_000);

    expect(complaints).toBe(3);
    expect(log.map(({ level }) => level)).toEqual(['error', 'error', 'error', 'info', 'error']);
    expect(reloaded.current()).toEqual({ number: 3 });
  });

  test('is good again when the old content is back', async () => {
    await using opened = await openNumber('1');
    const { file, log, time, reloaded } = opened;

    file.text = 'two';
    await time.turn(2_000);
    file.text = '1';
    await time.turn(60_000);

    expect(reloaded.current()).toEqual({ number: 1 });
    expect(log).toHaveLength(1);
  });

  test('is not opened of a file that is not good', async () => {
    await expect(openNumber('one')).rejects.toThrow('one is no number');
    await expect(openNumber('gone')).rejects.toThrow('ENOENT');
  });

  test('is not looked at any more when it is closed', async () => {
    const { file, time, reloaded } = await openNumber('1');
    await time.turn(2_000);

    await reloaded[Symbol.asyncDispose]();

    expect(file.reads).toBe(2);
  });
});
