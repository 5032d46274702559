import { openChannel } from './channel.ts';

/** The service and the operation of a call to AWS. */
export type AwsMethod = `CloudWatchLogs/${string}` | `STS/${string}`;

/** A call to AWS that has ended, with all its retries. */
interface EndedAwsCall {
  method: AwsMethod;
  durationMs: number;
  /**
   * Why it failed; undefined if it did not. It is a known error code of AWS, `timeout`, `not_sent`, or
   * `_OTHER`.
   */
  errorType: string | undefined;
}

/** Calls to CloudWatch Logs and STS that have ended. */
export const awsCalls = openChannel<EndedAwsCall>('aws-call');
