/** Timeouts of calls to AWS, in milliseconds. */
export interface AwsTimeouts {
  connectMs: number;
  createMs: number;
  readMs: number;
}

/**
 * Shorter: a slow but successful create has to be looked up. Longer: a caller behind a proxy with a
 * timeout of 30 s gets no answer. A read has up to three attempts; its deadline covers them all.
 */
export const awsTimeouts: AwsTimeouts = { connectMs: 2_000, createMs: 10_000, readMs: 5_000 };

/** The time for all attempts of a read together: below the 8 s of the HTTP handler. */
export const readDeadlineMs = ({ readMs }: AwsTimeouts): number => readMs * 1.4;
