import type { Scheduler } from '../control/clock.ts';
import type { Fault } from '../control/faults/fault.ts';
import type { Keys } from '../kms/keys.ts';
import type { Settings } from '../options/settings.ts';
import type { Buckets } from '../s3/buckets.ts';
import type { Caller } from '../sts/sessions.ts';
import { type JsonOperation, makeJsonOperation, type Outcome } from '../wire/aws-json.ts';
import type { Shape, StructureValue } from '../wire/json-input.ts';
import type { LogsRegion } from './regions.ts';

/** The state that an operation may read or change. */
export interface LogsContext {
  caller: Caller;
  logs: LogsRegion;
  buckets: Buckets;
  keys: Keys;
  clock: Scheduler;
  settings: Settings;
  /** Set for a fault in the operation itself, not only in its answer. */
  fault: Fault | undefined;
}

/** An operation of CloudWatch Logs. */
export type Operation = JsonOperation<LogsContext>;

/** Makes an operation. A violated constraint is an InvalidParameterException (recorded). */
export function makeOperation<M extends Record<string, Shape<unknown>>>(
  members: M,
  run: (input: StructureValue<M>, context: LogsContext) => Outcome,
): Operation {
  return makeJsonOperation('InvalidParameterException', members, run);
}
