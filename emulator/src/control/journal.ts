import type { Call, Effect } from '../wire/exchange.ts';
import type { Fault } from './faults/fault.ts';

/** One request and its outcome, or the late effect of a request whose answer was lost. */
export interface JournalEntry {
  at: number;
  service: Call['service'];
  operation: string;
  accountId: string | undefined;
  region: string | undefined;
  accessKeyId: string | undefined;
  /** RoleSessionName of AssumeRole. Present, like `sourceIdentity`, for a session. */
  sessionName: string | undefined;
  sourceIdentity: string | undefined;
  requestId: string;
  /** The header `amz-sdk-invocation-id`: the same for every attempt of one SDK call. */
  invocationId: string | undefined;
  /** The header `amz-sdk-request`, such as `attempt=1; max=3`. */
  attempt: string | undefined;
  /** The parsed input. Long integers are bigint; `logEvents` is the number of events. */
  input: unknown;
  /**
   * The status of the answer, or what the client got instead. 'late': an effect after a lost
   * answer.
   */
  status: number | 'reset' | 'silence' | 'late';
  errorCode?: string | undefined;
  effect?: Effect | undefined;
  fault?: Fault | undefined;
}

/** All requests to the emulator, oldest first. */
export interface Journal {
  entries(): JournalEntry[];
  clear(): void;
}

/** Makes a journal of the latest `limit` entries. It stores up to a tenth more. */
export function makeJournal(limit: number): Journal & { write(entry: JournalEntry): void } {
  let entries: JournalEntry[] = [];
  return {
    entries: () => entries.slice(-limit),
    clear: () => {
      entries = [];
    },
    write(entry) {
      entries.push(entry);
      // Trimming at every write would copy the whole journal each time.
      if (entries.length > limit * 1.1) entries = entries.slice(-limit);
    },
  };
}
