import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  brokenGzip,
  countLines,
  makeLineCounter,
} from '#export-jobs/verification/count/count-lines.ts';

const record = (message: string) => `2024-05-01T00:00:00.000Z ${message}\n`;
const day = { fromAt: Date.UTC(2024, 4, 1), toAt: Date.UTC(2024, 4, 2) };
const countOf = (text: string) => countLines(Readable.from([gzipSync(text)]), day);

describe('the lines of an object', () => {
  test.each([
    ['', { lines: 0, records: 0 }],
    [record('one'), { lines: 1, records: 1 }],
    [record('one').trimEnd(), { lines: 1, records: 1 }],
    [record('') + record('two'), { lines: 2, records: 2 }],
    [record('one\n  at two\n'), { lines: 3, records: 1 }],
    ['\n\n', { lines: 2, records: 0 }],
    ['2024-05-01T00:00:00.000Z', { lines: 1, records: 0 }],
    ['2024-05-01 00:00:00 text\n', { lines: 1, records: 0 }],
    [record('2024-05-01T00:00:00.000Z again'), { lines: 1, records: 1 }],
    [record('über 🙂'), { lines: 1, records: 1 }],
    ['2024-04-30T23:59:59.999Z before\n', { lines: 1, records: 0 }],
    ['2024-05-01T23:59:59.999Z last\n', { lines: 1, records: 1 }],
    ['2024-05-02T00:00:00.000Z after\n', { lines: 1, records: 0 }],
    ['2024-05-01T12:00:00Z   no milliseconds\n', { lines: 1, records: 0 }],
  ])('of %j are counted', async (text, count) => {
    expect(await countOf(text)).toEqual(count);
  });

  test('are counted in several gzip members', async () => {
    const bytes = Buffer.concat([gzipSync(record('one')), gzipSync(record('two'))]);

    expect(await countLines(Readable.from([bytes]), day)).toEqual({ lines: 2, records: 2 });
  });

  test('do not depend on how the bytes arrive', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ maxLength: 5 }).map((text) => record(text).trimEnd()),
    );
    const property = fc.property(fc.array(line), fc.array(fc.nat(30)), (lines, cuts) => {
      const bytes = Buffer.from(lines.join('\n'));
      const whole = makeLineCounter(day);
      whole.add(bytes);
      const split = makeLineCounter(day);
      let from = 0;
      for (const length of cuts) {
        split.add(bytes.subarray(from, from + length));
        from += length;
      }
      split.add(bytes.subarray(from));
      expect(split.end()).toEqual(whole.end());
    });

    fc.assert(property);
  });

  test.each([
    ['half of a file', gzipSync(record('one')).subarray(0, 20)],
    ['text', Buffer.from('text')],
    ['a file whose checksum is wrong', corrupted()],
  ])('of %s are not counted', async (_name, bytes) => {
    await expect(countLines(Readable.from([bytes]), day)).rejects.toMatchObject({
      name: brokenGzip,
    });
  });

  test('are not counted if the object cannot be read', async () => {
    const failing = new Readable({
      read() {
        this.destroy(new Error('lost'));
      },
    });

    await expect(countLines(failing, day)).rejects.toThrow('lost');
  });
});

function corrupted(): Buffer {
  const bytes = gzipSync(record('one'));
  bytes[bytes.length - 6] = (bytes.at(-6) ?? 0) ^ 1;
  return bytes;
}
