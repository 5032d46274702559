import type { Agenda } from '../control/clock.ts';
import type { Fault } from '../control/faults.ts';
import type { Settings } from '../options/settings.ts';
import type { Buckets } from '../s3/buckets.ts';
import type { Caller } from '../sts/sessions.ts';
import { awsError } from '../wire/aws-error.ts';
import { validationMessage } from '../wire/constraints.ts';
import type { Effect } from '../wire/exchange.ts';
import { type Shape, structure } from '../wire/json-input.ts';
import type { LogsRegion } from './regions.ts';

/** Everything an operation may look at or change. */
export interface LogsContext {
  caller: Caller;
  logs: LogsRegion;
  buckets: Buckets;
  clock: Agenda;
  settings: Settings;
  /** Set when the operation itself has to go wrong, not only its answer. */
  fault: Fault | undefined;
}

/** `output` is the body of the answer; without one the body is empty. */
export interface Outcome {
  output?: object;
  effect?: Effect;
}

/** One operation: JSON in, outcome out; throws what AWS would answer. */
export type Operation = (json: unknown, context: LogsContext) => Outcome;

/** Makes an operation of its input's members and what it does with them once they are valid. */
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
