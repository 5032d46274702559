import { openChannel } from './channel.ts';

/** The service and the operation of a call to AWS. */
export type AwsMethod =
  `${'CloudWatchLogs' | 'STS' | 'S3' | 'KMS' | 'SNS' | 'EventBridge'}/${string}`;

/** A call to AWS that begins. */
export interface StartedAwsCall {
  method: AwsMethod;
  region: string;
}

/** A call to AWS that has ended, with all its retries. */
interface EndedAwsCall {
  /** The message of its start. */
  start: StartedAwsCall;
  durationMs: number;
  /**
   * Why it failed; undefined if it did not. It is a known error code of AWS, `timeout`, `not_sent`, or
   * `_OTHER`.
   */
  errorType: string | undefined;
  /** The id of the request at AWS; undefined if AWS did not answer. */
  awsRequestId: string | undefined;
}

/** Calls to AWS. `run` contains the call. */
export const awsCallStarts = openChannel<StartedAwsCall>('aws-call-start');

/** Calls to AWS that have ended. */
export const awsCalls = openChannel<EndedAwsCall>('aws-call');
