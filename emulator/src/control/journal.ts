import type { Effect } from '../wire/exchange.ts';
import type { Fault } from './faults.ts';

/** One request with what became of it, or one effect that came after its request was lost. */
export interface JournalEntry {
  at: number;
  service: 'logs' | 'sts' | 's3';
  operation: string;
  accountId: string | undefined;
  region: string | undefined;
  accessKeyId: string | undefined;
  /** Of a session of AssumeRole: its RoleSessionName and SourceIdentity. */
  sessionName: string | undefined;
  sourceIdentity: string | undefined;
  requestId: string;
  /** `amz-sdk-invocation-id`: equal on every attempt of one SDK call. */
  invocationId: string | undefined;
  /** `amz-sdk-request`, as in `attempt=1; max=3`. */
  attempt: string | undefined;
  /** The input as parsed; long integers are bigint, log events only their number. */
  input: unknown;
  /** The status answered, or what was done instead; 'late' marks an effect without a request. */
  status: number | 'reset' | 'silence' | 'late';
  errorCode?: string | undefined;
  effect?: Effect | undefined;
  fault?: Fault | undefined;
}

/** Everything that was asked of the emulator, oldest first. */
export interface Journal {
  entries(): JournalEntry[];
  clear(): void;
}

/** Makes a journal of the latest `limit` entries, give or take a tenth. */
export function makeJournal(limit: number): Journal & { write(entry: JournalEntry): void } {
  let entries: JournalEntry[] = [];
  return {
    entries: () => entries.slice(-limit),
    clear: () => {
      entries = [];
    },
    write(entry) {
      entries.push(entry);
      // Cutting at every write past the limit would copy the whole journal each time.
      if (entries.length > limit * 1.1) entries = entries.slice(-limit);
    },
  };
}
