import type { AuthFailure, Caller } from '../../sts/sessions.ts';
import { answerErrors, awsError } from '../aws-error.ts';
import type { Answer, Call, Effect, Refusal, WireRequest } from '../exchange.ts';
import { writeXml, type XmlNode } from './xml.ts';

/** The fields of a form, by name. */
export type Form = Record<string, string>;

/** The outcome of an operation. `result` is the content of the result element. */
export interface QueryOutcome {
  result: XmlNode;
  effect?: Effect;
}

/**
 * An operation: takes the fields of the form and returns the outcome.
 * @throws the error that AWS would answer
 */
export type QueryOperation<Context> = (form: Form, context: Context) => QueryOutcome;

/** A service of the query protocol. */
export interface QueryService<Context> {
  service: Call['service'];
  namespace: string;
  operations: ReadonlyMap<string, QueryOperation<Context>>;
  /** Makes the state for a call. */
  admit(caller: Caller): Context;
}

const invalidToken = awsError(
  'InvalidClientTokenId',
  'The security token included in the request is invalid.',
  403,
);

const authErrors: Record<AuthFailure, Refusal> = {
  missing: awsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403),
  expired: awsError('ExpiredToken', 'The security token included in the request is expired', 403),
  unknown: invalidToken,
  token: invalidToken,
};

/** Reads a request of the query protocol: a form, answered in XML. */
export function readQueryCall<Context>(
  request: WireRequest,
  caller: Caller | AuthFailure,
  { service, namespace, operations, admit }: QueryService<Context>,
  requestId: string,
): Call {
  const form = Object.fromEntries(new URLSearchParams(request.body.toString()));
  const { Action: operation = 'unknown', Version: _, ...input } = form;
  const refuse = (refusal: Refusal) => refuseInXml(refusal, namespace, requestId);

  return {
    service,
    operation,
    input,
    refuse,
    perform() {
      return answerErrors(() => {
        if (typeof caller === 'string') throw authErrors[caller];
        const perform = operations.get(operation);
        if (!perform) throw awsError('InvalidAction', `Could not find operation ${operation}`);
        const { result, effect } = perform(input, admit(caller));
        const content = {
          [`${operation}Result`]: result,
          ResponseMetadata: { RequestId: requestId },
        };
        return { ...xml(200, writeXml(`${operation}Response`, content, namespace)), effect };
      }, refuse);
    },
  };
}

function refuseInXml(
  { status, code, message }: Refusal,
  namespace: string,
  requestId: string,
): Answer {
  const Type = status < 500 ? 'Sender' : 'Receiver';
  const content = { Error: { Type, Code: code, Message: message }, RequestId: requestId };
  return { ...xml(status, writeXml('ErrorResponse', content, namespace)), errorCode: code };
}

function xml(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
