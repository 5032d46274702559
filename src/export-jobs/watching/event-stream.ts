import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { toDateTime } from '#time/date-time.ts';
import { hasEnded, type JobState, jobStateOf } from '../job-state.ts';
import type { JobEvent } from '../store/reads/read-events.ts';
import type { JobProgress } from '../store/reads/read-progress.ts';
import type { ChangeWatch } from './change-watch.ts';

/** What an event stream needs. */
export interface EventStreamOptions {
  jobId: string;
  /** The version of the last event the reader has. */
  after: number;
  readEvents: (jobId: string, afterVersion: number) => Promise<JobEvent[]>;
  readState: (jobId: string) => Promise<VersionedState>;
  watch: Pick<ChangeWatch, 'waitForChange'>;
  /** Aborts when the reader has left, or must leave. */
  signal: AbortSignal;
  log: Pick<Log, 'info' | 'warn'>;
}

/** The state of a job at one of its versions. */
export interface VersionedState {
  version: number;
  state: JobState;
}

// Longer: proxies cut a silent connection after 30 to 60 s, and a reader that has left is noticed late.
export const heartbeatMs = 15_000;
// How long a browser waits before it connects again. Shorter: a restart is hit by all readers at once.
// Longer: a rolling deployment delays events.
const reconnectMs = 1_000;

/** Derives the state of a job from its progress. */
export function toVersionedState(progress: JobProgress): VersionedState {
  const { version, counts, isCancelRequested } = progress;
  return { version, state: jobStateOf(counts, isCancelRequested) };
}

/**
 * Writes the events of a job as text/event-stream: the past events, then each new one, and at the end
 * the state of the job. It reads only what its reader takes. If the database fails, or the caller may
 * no longer read the job, or it was deleted, the stream ends, and its reader connects again where it was.
 */
export async function* writeEventStream(options: EventStreamOptions): AsyncGenerator<string> {
  const { jobId, signal, log } = options;
  yield `retry: ${reconnectMs}\n\n`;
  try {
    yield* writeMessages(options);
  } catch (err) {
    if (signal.aborted) return;
    const isRefused = err instanceof Problem && err.kind.status < 500;
    if (isRefused)
      log.info({ jobId, problem: err.slug }, 'event stream ended: job no longer readable');
    else log.warn({ err, jobId }, 'event stream ended: failed to read its job');
  }
}

// Each iteration writes something or waits. The signal ends the wait and the loop.
async function* writeMessages(options: EventStreamOptions): AsyncGenerator<string> {
  const { jobId, readEvents, readState, watch, signal } = options;
  let { after: version } = options;
  let at: string | undefined;
  let hasWaited = false;
  while (!signal.aborted) {
    const events = await readEvents(jobId, version);
    const last = events.at(-1);
    if (signal.aborted) return;
    if (last) {
      version = last.version;
      at = toDateTime(last.at);
      hasWaited = false;
      yield events.map((event) => toText(jobId, event)).join('');
      continue;
    }
    const now = await readState(jobId);
    // If an event happened between the two readings, the wait below ends at once.
    if (now.version <= version && hasEnded(now.state)) {
      yield toMessage(version, 'job-ended', { jobId, at, state: now.state });
      return;
    }
    if (hasWaited) yield ':\n\n'; // a comment keeps the connection open
    await watch.waitForChange(jobId, version, { ms: heartbeatMs, signal });
    hasWaited = true;
  }
}

function toText(jobId: string, { version, at, type, data }: JobEvent): string {
  const { readyInMs, ...rest } = data;
  return toMessage(version, type, {
    jobId,
    at: toDateTime(at),
    ...rest,
    ...(typeof readyInMs === 'number' && { readyAt: toDateTime(at + readyInMs) }),
  });
}

// JSON has no line breaks, so a message has one data line.
function toMessage(id: number, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
