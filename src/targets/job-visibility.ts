import type { Asker } from '#auth/authorization/authorizer.ts';

/** A caller's line at a priority. */
export interface LineName {
  priority: number;
  caller: string;
}

/** What of export jobs may be told beside their own operations: each job is asked about itself. */
export interface JobSight {
  /** Of these jobs those that are there and that the asker may not read. */
  hiddenOf(asker: Asker, jobIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * The lines of a target of which the asker may read every job, so that their callers may be named.
   * It looks at the first jobs that wait and no further: a long line may have more.
   */
  readableLines(asker: Asker, target: string): Promise<LineName[]>;
}
