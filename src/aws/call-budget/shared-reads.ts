import type { CallOptions, CloudWatchLogs } from '../cloudwatch-logs.ts';
import type { DescribeExportTasks, ExportTaskPage } from '../export-task.ts';
import type { CallBudget } from './call-budget.ts';

// AWS takes five describes a second per account and Region, from everybody together. Younger, and
// pollers use them up; older, and an answer feels stale.
const freshForMs = 1_000;

/** What sharing goes by. */
export interface SharedReadsOptions {
  budget: Pick<CallBudget, 'take'>;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

interface Entry {
  query: DescribeExportTasks;
  /** The places in the queues of the budget, one for each caller that asks. */
  claims: Map<string, Claim>;
  /** Once it has been sent. */
  answer?: Promise<ExportTaskPage>;
  /** When the answer arrived. */
  answeredAt?: number;
}

interface Claim {
  turn: Promise<void>;
  /** How many requests wait for it. */
  requests: number;
  withdrawal: AbortController;
}

/**
 * Puts shared reads in front of a port: identical describes are one call, and an answer serves for up
 * to a second. Failures too, so that two hundred pollers do not become two hundred calls just when
 * AWS is throttling. What is created or cancelled through the port is fresh at once.
 *
 * A call is sent as soon as it is the turn of any of the callers that ask for it, so nobody waits in
 * the queue of another one; and only the callers in that queue get the refusal of the budget.
 */
export function shareReads(
  logs: CloudWatchLogs,
  { budget, elapsed }: SharedReadsOptions,
): CloudWatchLogs {
  const entries = new Map<string, Entry>();

  /** Too old to serve; or refused by the budget to everybody who asked, and so never sent. */
  const isStale = ({ answer, answeredAt, claims }: Entry) =>
    answer ? answeredAt !== undefined && elapsed() - answeredAt > freshForMs : claims.size === 0;

  function forget(hasChanged: (query: DescribeExportTasks) => boolean): void {
    for (const [key, { query }] of entries) if (hasChanged(query)) entries.delete(key);
  }

  function send(entry: Entry, how: CallOptions): void {
    if (entry.answer) return;
    const markAnswered = () => {
      entry.answeredAt = elapsed();
    };
    entry.answer = logs.describeExportTasks(entry.query, how);
    entry.answer.then(markAnswered, markAnswered);
    for (const { withdrawal } of entry.claims.values()) withdrawal.abort();
    entry.claims.clear();
  }

  /** Queues for the call, once for each caller; `undefined` when it is sent at once. */
  function claimOf(entry: Entry, how: CallOptions): Claim | undefined {
    const { lane = 'read', caller } = how;
    const name = JSON.stringify([lane, caller]);
    const known = entry.claims.get(name);
    if (known) return known;
    const withdrawal = new AbortController();
    const turn = budget.take({ lane, caller, signal: withdrawal.signal });
    if (!turn) return void send(entry, how);
    const claim = { turn: turn.then(() => send(entry, how)), requests: 0, withdrawal };
    const forgetClaim = () => {
      if (entry.claims.get(name) === claim) entry.claims.delete(name);
    };
    withdrawal.signal.addEventListener('abort', forgetClaim);
    claim.turn.catch(forgetClaim);
    entry.claims.set(name, claim);
    return claim;
  }

  async function waitUntilSent(entry: Entry, how: CallOptions): Promise<void> {
    const claim = claimOf(entry, how);
    if (!claim) return;
    claim.requests += 1;
    how.signal?.addEventListener('abort', () => {
      claim.requests -= 1;
      if (claim.requests === 0) claim.withdrawal.abort(); // its callers have gone
    });
    try {
      await claim.turn;
    } catch (refusal) {
      if (!entry.answer) throw refusal; // else it was the turn of another caller
    }
  }

  /** The entry that answers the question: a recent one, or a new one that is still to be sent. */
  function entryOf(query: DescribeExportTasks, isFresh: boolean): Entry {
    const { taskId, statusCode, nextToken, limit } = query;
    const key = JSON.stringify({ taskId, statusCode, nextToken, limit });
    const known = entries.get(key);
    if (known && !isStale(known) && !(isFresh && known.answer)) return known;
    // Entries stand in the order they were made, so the stale ones are in front.
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

    async describeExportTasks(query, { isFresh = false, ...how } = {}) {
      const entry = entryOf(query, isFresh);
      const ageMs = entry.answeredAt === undefined ? 0 : elapsed() - entry.answeredAt;
      if (!entry.answer) await waitUntilSent(entry, how);
      const page = await (entry.answer as Promise<ExportTaskPage>);
      return { ...page, ageSeconds: Math.ceil(ageMs / 1_000) };
    },

    async createExportTask(task, how) {
      const outcome = await logs.createExportTask(task, how);
      if (outcome.outcome === 'accepted' || outcome.outcome === 'unknown') {
        forget((query) => query.taskId === undefined);
      }
      return outcome;
    },

    async cancelExportTask(taskId, how) {
      try {
        return await logs.cancelExportTask(taskId, how);
      } finally {
        forget((query) => query.taskId === undefined || query.taskId === taskId);
      }
    },
  };
}
