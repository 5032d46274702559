/** How long AWS may take, in milliseconds. */
export interface AwsTimeouts {
  connectMs: number;
  createMs: number;
  readMs: number;
}

/**
 * Shorter, and a slow but healthy create becomes a look-up; longer, and a caller behind a proxy of
 * 30 s hears nothing. A read is tried three times, so the deadline below is what ends it.
 */
export const awsTimeouts: AwsTimeouts = { connectMs: 2_000, createMs: 10_000, readMs: 5_000 };
