import type { CallOptions } from '../call-options.ts';
import type { CloudWatchLogs } from '../cloudwatch-logs.ts';
import type { DescribeExportTasks, ExportTaskPage } from '../export-task.ts';
import type { CallBudget } from './call-budget.ts';

// AWS accepts five describes a second per account and Region, from all clients together. Shorter:
// callers who poll use them up. Longer: answers are noticeably out of date.
const freshForMs = 1_000;

/** The budget and the clock of shared reads. */
export interface SharedReadsOptions {
  budget: Pick<CallBudget, 'take'>;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

interface Entry {
  query: DescribeExportTasks;
  /** What waits in the queues of the budget, one for each caller and lane. */
  claims: Map<string, Claim>;
  /** Present once the call has been sent. */
  answer?: Promise<ExportTaskPage>;
  /** When the answer arrived. */
  answeredAt?: number;
}

interface Claim {
  /** Resolves when the budget allows the call. */
  granted: Promise<void>;
  /** The number of requests that wait for it. */
  requests: number;
  withdrawal: AbortController;
}

/**
 * Wraps CloudWatch Logs so that identical describes are one call, whose answer is shared for up to a
 * second. Failures are shared too: otherwise two hundred polling callers would make two hundred calls
 * just when AWS throttles. A create or a cancel through the wrapper ends the sharing at once.
 *
 * A call is sent when the budget allows it for any of its callers, so no caller waits in the queue of
 * another. When the budget refuses it, only the callers in that queue receive the refusal.
 */
export function shareReads(
  logs: CloudWatchLogs,
  { budget, elapsed }: SharedReadsOptions,
): CloudWatchLogs {
  const entries = new Map<string, Entry>();

  /** Too old to share; or never sent, because the budget refused it to every caller. */
  const isStale = ({ answer, answeredAt, claims }: Entry) =>
    answer ? answeredAt !== undefined && elapsed() - answeredAt > freshForMs : claims.size === 0;

  function invalidate(hasChanged: (query: DescribeExportTasks) => boolean): void {
    for (const [key, { query }] of entries) if (hasChanged(query)) entries.delete(key);
  }

  function send(entry: Entry, options: CallOptions): void {
    if (entry.answer) return;
    const markAnswered = () => {
      entry.answeredAt = elapsed();
    };
    entry.answer = logs.describeExportTasks(entry.query, options);
    entry.answer.then(markAnswered, markAnswered);
    for (const { withdrawal } of entry.claims.values()) withdrawal.abort();
    entry.claims.clear();
  }

  /** Queues for the call once per caller and lane. Returns `undefined` when it is sent at once. */
  function claimOf(entry: Entry, options: CallOptions): Claim | undefined {
    const { lane = 'read', caller } = options;
    const name = JSON.stringify([lane, caller]);
    const known = entry.claims.get(name);
    if (known) return known;
    const withdrawal = new AbortController();
    const granted = budget.take({ lane, caller, signal: withdrawal.signal });
    if (!granted) return void send(entry, options);
    const claim = { granted: granted.then(() => send(entry, options)), requests: 0, withdrawal };
    const removeClaim = () => {
      if (entry.claims.get(name) === claim) entry.claims.delete(name);
    };
    withdrawal.signal.addEventListener('abort', removeClaim);
    claim.granted.catch(removeClaim);
    entry.claims.set(name, claim);
    return claim;
  }

  async function waitUntilSent(entry: Entry, options: CallOptions): Promise<void> {
    const claim = claimOf(entry, options);
    if (!claim) return;
    claim.requests += 1;
    const withdraw = () => {
      claim.requests -= 1;
      if (claim.requests === 0) claim.withdrawal.abort(); // no request waits for it any more
    };
    options.signal?.addEventListener('abort', withdraw);
    try {
      await claim.granted;
    } catch (refusal) {
      if (!entry.answer) throw refusal; // otherwise the call was sent for another caller
    } finally {
      options.signal?.removeEventListener('abort', withdraw);
    }
  }

  /** The entry of a query: a recent one, or a new one that is not sent yet. */
  function entryOf(query: DescribeExportTasks, isFresh: boolean): Entry {
    const { taskId, statusCode, nextToken, limit } = query;
    const key = JSON.stringify({ taskId, statusCode, nextToken, limit });
    const known = entries.get(key);
    if (known && !isStale(known) && !(isFresh && known.answer)) return known;
    // Entries are in order of creation, so the stale ones come first.
    for (const [oldKey, old] of entries) {
      if (!isStale(old)) break;
      entries.delete(oldKey);
    }
    const entry: Entry = { query, claims: new Map() };
    entries.delete(key);
    entries.set(key, entry);
    return entry;
  }

  return {
    ...logs,

    async describeExportTasks(query, { isFresh = false, ...options } = {}) {
      const entry = entryOf(query, isFresh);
      const ageMs = entry.answeredAt === undefined ? 0 : elapsed() - entry.answeredAt;
      if (!entry.answer) await waitUntilSent(entry, options);
      const page = await (entry.answer as Promise<ExportTaskPage>);
      return { ...page, ageSeconds: Math.ceil(ageMs / 1_000) };
    },

    async createExportTask(task, options) {
      const outcome = await logs.createExportTask(task, options);
      if (outcome.outcome === 'accepted' || outcome.outcome === 'unknown') {
        invalidate((query) => query.taskId === undefined);
      }
      return outcome;
    },

    async cancelExportTask(taskId, options) {
      try {
        return await logs.cancelExportTask(taskId, options);
      } finally {
        invalidate((query) => query.taskId === undefined || query.taskId === taskId);
      }
    },
  };
}
