import type { CallerRequest } from '#auth/authorization/authorizer.ts';

/** A caller's queue at a priority. */
export interface CallerQueueName {
  priority: number;
  caller: string;
}

/** What of export jobs may be told beside their own operations: each job is asked about itself. */
export interface JobVisibility {
  /** Of these jobs those that are there and that the caller may not read. */
  findHiddenJobs(request: CallerRequest, jobIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * The queues of a target of which the caller may read every job, so that their callers may be named.
   * It looks at the first jobs that wait and no further: a long queue may have more.
   */
  findReadableQueues(request: CallerRequest, target: string): Promise<CallerQueueName[]>;
}
