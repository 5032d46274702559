import type { Scheduler } from '../control/clock.ts';
import type { Fault } from '../control/faults.ts';
import type { Settings } from '../options/settings.ts';
import type { Buckets } from '../s3/buckets.ts';
import type { Caller } from '../sts/sessions.ts';
import { awsError } from '../wire/aws-error.ts';
import { validationMessage } from '../wire/constraints.ts';
import type { Effect } from '../wire/exchange.ts';
import { type Shape, structure } from '../wire/json-input.ts';
import type { LogsRegion } from './regions.ts';

/** The state that an operation may read or change. */
export interface LogsContext {
  caller: Caller;
  logs: LogsRegion;
  buckets: Buckets;
  clock: Scheduler;
  settings: Settings;
  /** Set for a fault in the operation itself, not only in its answer. */
  fault: Fault | undefined;
}

/** The outcome of an operation. `output` is the body of the answer; without it the body is empty. */
export interface Outcome {
  output?: object;
  effect?: Effect;
}

/** An operation: takes JSON and returns the outcome. @throws the error that AWS would answer */
export type Operation = (json: unknown, context: LogsContext) => Outcome;

/** Makes an operation from the members of its input. `run` gets the input only if it is valid. */
export function makeOperation<M extends Record<string, Shape<unknown>>>(
  members: M,
  run: (
    input: ReturnType<ReturnType<typeof structure<M>>['read']>,
    context: LogsContext,
  ) => Outcome,
): Operation {
  const shape = structure(members);
  return (json, context) => {
    const input = shape.read(json);
    const violations = shape.violations(input, '');
    if (violations.length > 0) {
      throw awsError('InvalidParameterException', validationMessage(violations));
    }
    return run(input, context);
  };
}
