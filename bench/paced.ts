import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** A request of a paced load. */
export interface PacedRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
}

/** What became of a load. */
export interface PacedReport {
  sent: number;
  /** Requests without an answer, or with a 5xx, by what they got. */
  failures: Map<string, number>;
  durationsMs: number[];
}

/** A load that runs until it is stopped. */
export interface PacedLoad extends AsyncDisposable {
  report: PacedReport;
  /** Sends no further request, and waits for the answers. */
  stop(): Promise<void>;
}

// Shorter: the timer itself costs more than the requests. Longer: they come in bursts.
const tickMs = 20;

/** Sends requests at a fixed rate over kept connections, without waiting for the answers to earlier ones. */
export function startPacedLoad(
  url: string,
  { perSecond, requests }: { perSecond: number; requests: readonly PacedRequest[] },
): PacedLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const report: PacedReport = { sent: 0, failures: new Map(), durationsMs: [] };
  const pending = new Set<Promise<void>>();
  const stopping = new AbortController();
  const beganAt = performance.now();
  const ended = send();

  async function send(): Promise<void> {
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - beganAt) / 1_000) * perSecond;
      while (report.sent < due) {
        const next = requests[report.sent % requests.length] as PacedRequest;
        report.sent += 1;
        const answered = sendOne(next);
        pending.add(answered);
        void answered.finally(() => pending.delete(answered));
      }
      await delay(tickMs);
    }
    await Promise.all(pending);
    agent.destroy();
  }

  function sendOne({ method, path, body }: PacedRequest): Promise<void> {
    const sentAt = performance.now();
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve) => {
      const note = (failure: string | undefined) => {
        report.durationsMs.push(performance.now() - sentAt);
        if (failure !== undefined) {
          report.failures.set(failure, (report.failures.get(failure) ?? 0) + 1);
        }
        resolve();
      };
      const outgoing = request(new URL(path, url), { method, headers, agent }, (answer) => {
        const { statusCode = 0 } = answer;
        answer.resume();
        answer.on('end', () =>
          note(statusCode >= 500 ? `${method} ${path} ${statusCode}` : undefined),
        );
        answer.on('error', ({ message }) => note(message));
      });
      outgoing.on('error', ({ message }) => note(message));
      outgoing.end(body);
    });
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await ended;
  }

  return { report, stop, [Symbol.asyncDispose]: stop };
}

/** The number of failures, with what they got. */
export function formatFailures({ sent, failures }: PacedReport): string {
  const count = [...failures.values()].reduce((sum, each) => sum + each, 0);
  const kinds = [...failures].map(([what, times]) => `${times} × ${what}`).join(', ');
  return `${count} of ${sent} requests failed${count > 0 ? ` (${kinds})` : ''}`;
}
