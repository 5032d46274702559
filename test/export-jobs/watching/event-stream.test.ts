import { describe, expect, test } from 'vitest';
import type { JobState } from '#export-jobs/job-state.ts';
import type { JobEvent } from '#export-jobs/store/reads/read-events.ts';
import { writeEventStream } from '#export-jobs/watching/event-stream.ts';

/** A stream of a simulated job; `reads` are the versions after which events were read. */
function openStream({ events = 0, state = 'running' as JobState } = {}) {
  const reads: number[] = [];
  const waits: number[] = [];
  const stop = new AbortController();
  const eventOf = (version: number): JobEvent => ({ version, at: 0, type: 'some-event', data: {} });
  const job = { version: events, state, pageSize: 2 };
  const stream = writeEventStream({
    jobId: 'the-job',
    after: 0,
    readEvents: async (_jobId, after) => {
      reads.push(after);
      const count = Math.min(job.pageSize, job.version - after);
      return Array.from({ length: Math.max(0, count) }, (_, index) => eventOf(after + 1 + index));
    },
    readState: async () => job,
    watch: {
      waitForChange: async (_jobId, version) => {
        waits.push(version);
        if (waits.length === 3) stop.abort();
      },
    },
    signal: stop.signal,
    log: { info() {}, warn() {} },
  });
  const next = async () => (await stream.next()).value;
  return { stream, next, reads, waits, stop, job };
}

describe('an event stream', () => {
  test('reads a page only after its reader has taken the one before', async () => {
    const { next, reads } = openStream({ events: 6 });

    await next(); // how soon to connect again
    expect(reads).toEqual([]);
    expect(await next()).toContain('id: 2\n');
    await new Promise(setImmediate);

    expect(reads).toEqual([0]);
    expect(await next()).toContain('id: 4\n');
    expect(reads).toEqual([0, 2]);
  });

  test('sends a comment after each wait without an event', async () => {
    const { next, waits } = openStream({ events: 1 });
    await next();
    await next();

    const silence = [await next(), await next(), await next()];

    expect(silence).toEqual([':\n\n', ':\n\n', undefined]);
    expect(waits).toEqual([1, 1, 1]);
  });

  test('does not end before the last event is sent', async () => {
    const { next, job } = openStream({ events: 1 });
    await next();
    await next();
    // The read of events sees the old job; the read of its state sees the new one.
    let readings = 0;
    Object.defineProperty(job, 'version', { get: () => (readings++ === 0 ? 1 : 2) });
    job.state = 'completed';

    expect(await next()).toContain('id: 2\nevent: some-event\n');
    expect(await next()).toContain('id: 2\nevent: job-ended\n');
    expect(await next()).toBeUndefined();
  });

  test('waits if the job is ahead of its events, without reading in a loop', async () => {
    const { next, job, reads, waits } = openStream({ events: 1 });
    await next();
    await next();
    Object.defineProperty(job, 'pageSize', { value: 0 }); // the event of a later version is missing
    job.version = 2;

    const silence = [await next(), await next(), await next()];

    expect(silence).toEqual([':\n\n', ':\n\n', undefined]);
    expect(waits).toEqual([1, 1, 1]);
    expect(reads).toHaveLength(4);
  });
});
