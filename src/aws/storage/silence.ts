import { finished, Readable } from 'node:stream';

import { timeoutError } from '../creates/http-connection.ts';

/**
 * Reads a stream that fails if its source sends nothing for this long. The time in which the reader takes
 * nothing does not count. Errors are translated. The source is destroyed with the stream.
 */
export function limitSilence(
  source: Readable,
  { maxSilenceMs, translate }: { maxSilenceMs: number; translate: (error: unknown) => Error },
): Readable {
  let timer: NodeJS.Timeout | undefined;
  const stopTimer = () => {
    clearTimeout(timer);
    timer = undefined;
  };

  const stream = new Readable({
    read() {
      timer ??= setTimeout(() => source.destroy(timeoutError('body')), maxSilenceMs);
      source.resume();
    },
    destroy(error, done) {
      stopTimer();
      source.destroy();
      done(error);
    },
  });
  source.pause().on('data', (chunk) => {
    stopTimer();
    if (!stream.push(chunk)) source.pause();
  });
  finished(source, (error) => {
    stopTimer();
    if (error) stream.destroy(translate(error));
    else stream.push(null);
  });
  return stream;
}
