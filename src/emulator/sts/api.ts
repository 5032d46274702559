import type { Agenda } from '../control/clock.ts';
import type { Settings } from '../options.ts';
import { type AwsError, awsError, isAwsError } from '../wire/aws-error.ts';
import type { Answer, Call, Effect, Refusal, WireRequest } from '../wire/exchange.ts';
import { writeXml, type XmlNode } from '../wire/xml.ts';
import { assumeRole } from './assume-role.ts';
import type { AuthFailure, Caller, Sessions } from './sessions.ts';

/** Everything an operation of STS may look at. */
export interface StsContext {
  caller: Caller;
  sessions: Sessions;
  clock: Agenda;
  settings: Settings;
}

/** What an operation of STS gives: the content of its result element. */
export interface StsOutcome {
  result: XmlNode;
  effect?: Effect;
}

type StsOperation = (form: Record<string, string>, context: StsContext) => StsOutcome;

const operations: Partial<Record<string, StsOperation>> = {
  AssumeRole: assumeRole,
  GetCallerIdentity: (_form, { caller }) => ({
    result: { UserId: caller.userId, Account: caller.accountId, Arn: caller.arn },
  }),
};

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

const authErrors: Record<AuthFailure, AwsError> = {
  missing: awsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403),
  expired: awsError('ExpiredToken', 'The security token included in the request is expired', 403),
  unknown: awsError(
    'InvalidClientTokenId',
    'The security token included in the request is invalid.',
    403,
  ),
};

/** Understands a request of the query protocol: a form in, XML out. */
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
      try {
        if (typeof caller === 'string') throw authErrors[caller];
        const perform = operations[operation];
        if (!perform) throw awsError('InvalidAction', `Could not find operation ${operation}`);
        const { result, effect } = perform(input, { ...world, caller });
        const content = {
          [`${operation}Result`]: result,
          ResponseMetadata: { RequestId: requestId },
        };
        return { ...xml(200, writeXml(`${operation}Response`, content, namespace)), effect };
      } catch (error) {
        if (!isAwsError(error)) throw error;
        return refuse({ status: error.status, code: error.awsCode, message: error.message });
      }
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
