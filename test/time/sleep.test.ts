import { describe, expect, test } from 'vitest';

import { sleepUntilAborted } from '#time/sleep.ts';

const aDayMs = 86_400_000;

describe('sleepUntilAborted', () => {
  test('ends without an error when the signal aborts', async () => {
    const controller = new AbortController();

    const slept = sleepUntilAborted(aDayMs, controller.signal);
    controller.abort();

    await expect(slept).resolves.toBeUndefined();
  });

  test('ends at once when the signal has aborted before', async () => {
    await expect(sleepUntilAborted(aDayMs, AbortSignal.abort())).resolves.toBeUndefined();
  });

  test('ends after the time when nothing aborts it', async () => {
    await expect(sleepUntilAborted(1, new AbortController().signal)).resolves.toBeUndefined();
  });
});
