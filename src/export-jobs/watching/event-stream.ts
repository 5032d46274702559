import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { toDateTime } from '#time/date-time.ts';
import { hasEnded, type JobState, jobStateOf } from '../slice.ts';
import type { JobEvent } from '../store/reads/read-events.ts';
import type { JobProgress } from '../store/reads/read-progress.ts';
import type { JobWatch } from './job-watch.ts';

/** What a stream is written from. */
export interface EventStreamOptions {
  jobId: string;
  /** The version of the last event the reader has. */
  after: number;
  readEvents: (jobId: string, afterVersion: number) => Promise<JobEvent[]>;
  readState: (jobId: string) => Promise<VersionedState>;
  watch: Pick<JobWatch, 'waitForChange'>;
  /** Aborted when the reader is gone, or is to go. */
  signal: AbortSignal;
  log: Pick<Log, 'info' | 'warn'>;
}

/** The state of a job at one of its versions. */
export interface VersionedState {
  version: number;
  state: JobState;
}

// Proxies cut a silent connection after 30 to 60 s; and a reader that is gone is noticed by writing.
export const heartbeatMs = 15_000;
// How long a browser waits before it connects again. Longer, and a rolling deployment is felt.
const reconnectMs = 1_000;

/** The state of a job, from how far its slices are. */
export function toVersionedState(progress: JobProgress): VersionedState {
  const { version, counts, isCancelRequested } = progress;
  return { version, state: jobStateOf(counts, isCancelRequested) };
}

/**
 * Writes the events of a job as text/event-stream: those there are, then each as it happens, and
 * once the job has ended its state. Reads no further ahead than its reader does. When the database
 * fails or the caller may no longer read the job, the stream ends; its reader connects again where it was.
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
      log.info({ jobId, problem: err.slug }, 'event stream ended: no longer permitted');
    else log.warn({ err, jobId }, 'event stream ended: failed to read its job');
  }
}

// Each turn of the loop gives its reader something or waits; it ends with the signal, which also ends the wait.
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
    // Something may have happened between the two readings: then the wait below is a short one.
    if (now.version <= version && hasEnded(now.state)) {
      yield toMessage(version, 'job-ended', { jobId, at, state: now.state });
      return;
    }
    if (hasWaited) yield ':\n\n'; // a comment, for whoever counts silence
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

// JSON has no queue breaks, so a message is one data queue.
function toMessage(id: number, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
