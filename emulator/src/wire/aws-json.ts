import type { AuthFailure, Caller } from '../sts/sessions.ts';
import { answerErrors, awsError } from './aws-error.ts';
import { validationMessage } from './constraints.ts';
import { readExactJson, writeExactJson } from './exact-json.ts';
import type { Answer, Call, Effect, Refusal, WireRequest } from './exchange.ts';
import { type Shape, type StructureValue, structure } from './json-input.ts';
import { writeXml } from './xml/xml.ts';

/** The outcome of an operation. `output` is the body of the answer; without it the body is empty. */
export interface Outcome {
  output?: object;
  effect?: Effect;
}

/** An operation: takes JSON and returns the outcome. @throws the error that AWS would answer */
export type JsonOperation<Context> = (json: unknown, context: Context) => Outcome;

/** Makes an operation from the members of its input. `run` gets the input only if it is valid. */
export function makeJsonOperation<M extends Record<string, Shape<unknown>>, Context>(
  validationCode: string,
  members: M,
  run: (input: StructureValue<M>, context: Context) => Outcome,
): JsonOperation<Context> {
  const shape = structure(members);
  return (json, context) => {
    const input = shape.read(json);
    const violations = shape.violations(input, '');
    if (violations.length > 0) throw awsError(validationCode, validationMessage(violations));
    return run(input, context);
  };
}

const contentType = 'application/x-amz-json-1.1';

const invalidToken = awsError(
  'UnrecognizedClientException',
  'The security token included in the request is invalid.',
);

/** CloudWatch Logs answers 400 in every recorded 4xx case, also for wrong credentials. */
const authErrors: Record<AuthFailure, Refusal> = {
  missing: awsError('MissingAuthenticationTokenException', 'Missing Authentication Token'),
  expired: awsError(
    'ExpiredTokenException',
    'The security token included in the request is expired',
  ),
  unknown: invalidToken,
  token: invalidToken,
};

/** A service of the protocol awsJson1_1. */
export interface JsonService<Context> {
  service: Call['service'];
  /** The part of the target before the name of the operation, with its dot. */
  targetPrefix: string;
  operations: ReadonlyMap<string, JsonOperation<Context>>;
  /** Shortens the input for the journal. */
  summarize?(input: object): object;
  /** Makes the state for a call. @throws the error for a call above its quota */
  admit(name: string, caller: Caller, fault: Parameters<Call['perform']>[0]): Context;
  /** @throws the error for a call that the policies of the caller do not allow */
  authorize?(name: string, input: object, caller: Caller): void;
}

/**
 * Reads a request in the protocol awsJson1_1. Order of the checks: content type, target, credentials,
 * quota, JSON, permissions, then those of the operation. The order is partly recorded, partly assumed.
 */
export function readJsonCall<Context>(
  { headers, body }: WireRequest,
  caller: Caller | AuthFailure,
  { service, targetPrefix, operations, summarize, admit, authorize }: JsonService<Context>,
): Call {
  const target = headers['x-amz-target']?.toString() ?? '';
  const name = target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : target;
  const isAwsJson = headers['content-type']?.split(';')[0]?.trim() === contentType;
  const input = readInput(body);

  return {
    service,
    operation: name || 'unknown',
    input: input && (summarize?.(input) ?? input),
    refuse: refuseInJson,
    perform(fault) {
      if (!isAwsJson) return unknownProtocol;
      const operation = target.startsWith(targetPrefix) ? operations.get(name) : undefined;
      return answerErrors(() => {
        if (!operation) throw awsError('UnknownOperationException');
        if (typeof caller === 'string') throw authErrors[caller];
        const context = admit(name, caller, fault);
        if (input === undefined) throw awsError('SerializationException');
        authorize?.(name, input, caller);
        const { output, effect } = operation(input, context);
        return { ...json(200, output), effect };
      }, refuseInJson);
    },
  };
}

const unknownProtocol: Answer = {
  status: 404,
  headers: { 'content-type': 'application/xml' },
  body: writeXml('UnknownOperationException', undefined),
  errorCode: 'UnknownOperationException',
};

/** Returns undefined for everything except a JSON object or array. */
function readInput(body: Buffer): object | undefined {
  try {
    const input = readExactJson(body.toString());
    return typeof input === 'object' && input !== null ? input : undefined;
  } catch {
    return undefined;
  }
}

function refuseInJson({ status, code, message }: Refusal): Answer {
  return { ...json(status, { __type: code, message: message || undefined }), errorCode: code };
}

function json(status: number, output?: object): Answer {
  const body = output === undefined ? '' : writeExactJson(output);
  return { status, headers: { 'content-type': contentType }, body };
}
