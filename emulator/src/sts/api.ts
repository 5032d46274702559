import { answerErrors, awsError } from '../wire/aws-error.ts';
import type { Answer, Call, Refusal, WireRequest } from '../wire/exchange.ts';
import { writeXml } from '../wire/xml.ts';
import { assumeRole } from './assume-role.ts';
import { getCallerIdentity } from './get-caller-identity.ts';
import type { StsContext, StsOperation } from './operation.ts';
import type { AuthFailure, Caller } from './sessions.ts';

const operations = new Map<string, StsOperation>([
  ['AssumeRole', assumeRole],
  ['GetCallerIdentity', getCallerIdentity],
]);

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

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
export function readStsCall(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: Omit<StsContext, 'caller'>,
  requestId: string,
): Call {
  const form = Object.fromEntries(new URLSearchParams(request.body.toString()));
  const { Action: operation = 'unknown', Version: _, ...input } = form;
  const refuse = (refusal: Refusal) => refuseInXml(refusal, requestId);

  return {
    service: 'sts',
    operation,
    input,
    refuse,
    perform() {
      return answerErrors(() => {
        if (typeof caller === 'string') throw authErrors[caller];
        const perform = operations.get(operation);
        if (!perform) throw awsError('InvalidAction', `Could not find operation ${operation}`);
        const { result, effect } = perform(input, { ...world, caller });
        const content = {
          [`${operation}Result`]: result,
          ResponseMetadata: { RequestId: requestId },
        };
        return { ...xml(200, writeXml(`${operation}Response`, content, namespace)), effect };
      }, refuse);
    },
  };
}

function refuseInXml({ status, code, message }: Refusal, requestId: string): Answer {
  const Type = status < 500 ? 'Sender' : 'Receiver';
  const content = { Error: { Type, Code: code, Message: message }, RequestId: requestId };
  return { ...xml(status, writeXml('ErrorResponse', content, namespace)), errorCode: code };
}

function xml(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
