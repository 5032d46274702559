import type { Scheduler } from '../control/clock.ts';
import type { Keys } from '../kms/keys.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import type { WireRequest } from '../wire/exchange.ts';
import type { Buckets } from './buckets.ts';

/** The state that an operation of S3 may read or change. `key` is empty for operations on a bucket. */
export interface S3Context {
  caller: Caller;
  bucketName: string;
  key: string;
  request: WireRequest;
  buckets: Buckets;
  keys: Keys;
  settings: Settings;
  clock: Scheduler;
  /** Whether the caller may list the bucket. */
  mayList(): boolean;
  /** Returns the message of the error if the caller may not perform the operation on a key. */
  obstacleAt(key: string): string | undefined;
}
