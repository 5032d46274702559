import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { limitSilence } from '#aws/storage/silence.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const translated = new Error('translated');

function open() {
  const source = new PassThrough();
  const causes: unknown[] = [];
  const translate = (cause: unknown) => {
    causes.push(cause);
    return translated;
  };
  const stream = limitSilence(source, { maxSilenceMs: 1_000, translate });
  return { source, stream, causes };
}

const turn = () => new Promise(setImmediate);

describe('a stream with a limit of silence', () => {
  test('passes on each chunk of its source, also over a long time', async () => {
    const { source, stream } = open();
    const received = text(stream);

    for (const part of ['a', 'b', 'c', 'd']) {
      source.write(part);
      await turn();
      await vi.advanceTimersByTimeAsync(900);
    }
    source.end();

    expect(await received).toBe('abcd');
  });

  test('fails with the translated timeout when its source sends nothing', async () => {
    const { source, stream, causes } = open();
    const failed = text(stream).catch((error) => error);
    source.write('a');
    await turn();

    await vi.advanceTimersByTimeAsync(1_000);

    expect(await failed).toBe(translated);
    expect(causes).toMatchObject([{ name: 'TimeoutError' }]);
    expect(source.destroyed).toBe(true);
  });

  test('does not count the time in which its reader takes nothing', async () => {
    const { source, stream } = open();
    source.end('all of it');
    await turn();

    await vi.advanceTimersByTimeAsync(60_000);

    expect(await text(stream)).toBe('all of it');
  });

  test('fails with the translated error of its source', async () => {
    const { source, stream, causes } = open();
    const failed = text(stream).catch((error) => error);
    await turn();

    source.destroy(new Error('reset'));

    expect(await failed).toBe(translated);
    expect(causes).toMatchObject([{ message: 'reset' }]);
  });

  test('destroys its source when the reader stops', async () => {
    const { source, stream } = open();
    source.write('a');
    for await (const _chunk of stream) break;
    await turn();

    expect(source.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
