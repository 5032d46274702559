import type { Agenda } from '../control/clock.ts';
import type { Caller } from '../sts/sessions.ts';
import type { WireRequest } from '../wire/exchange.ts';
import type { Buckets } from './buckets.ts';

/** Everything an operation of S3 may look at or change; `key` is empty where none is meant. */
export interface S3Context {
  caller: Caller;
  bucketName: string;
  key: string;
  request: WireRequest;
  buckets: Buckets;
  clock: Agenda;
}
