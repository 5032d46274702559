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
const countOf = (text: string) => countLines(Readable.from([gzipSync(text)]));

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
  ])('of %j are counted', async (text, count) => {
    expect(await countOf(text)).toEqual(count);
  });

  test('are counted in several gzip members', async () => {
    const bytes = Buffer.concat([gzipSync(record('one')), gzipSync(record('two'))]);

    expect(await countLines(Readable.from([bytes]))).toEqual({ lines: 2, records: 2 });
  });

  test('do not depend on how the bytes arrive', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ maxLength: 5 }).map((text) => record(text).trimEnd()),
    );
    const property = fc.property(fc.array(line), fc.array(fc.nat(30)), (lines, cuts) => {
      const bytes = Buffer.from(lines.join('\n'));
      const whole = makeLineCounter();
      whole.add(bytes);
      const split = makeLineCounter();
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
    await expect(countLines(Readable.from([bytes]))).rejects.toMatchObject({ name: brokenGzip });
  });

  test('are not counted if the object cannot be read', async () => {
    const failing = new Readable({
      read() {
        this.destroy(new Error('lost'));
      },
    });

    await expect(countLines(failing)).rejects.toThrow('lost');
  });
});

function corrupted(): Buffer {
  const bytes = gzipSync(record('one'));
  bytes[bytes.length - 6] = (bytes.at(-6) ?? 0) ^ 1;
  return bytes;
}
