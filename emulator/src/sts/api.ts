import type { Call, WireRequest } from '../wire/exchange.ts';
import { type QueryOperation, readQueryCall } from '../wire/xml/query.ts';
import { assumeRole } from './assume-role.ts';
import { getCallerIdentity } from './get-caller-identity.ts';
import type { StsContext } from './operation.ts';
import type { AuthFailure, Caller } from './sessions.ts';

const operations = new Map<string, QueryOperation<StsContext>>([
  ['AssumeRole', assumeRole],
  ['GetCallerIdentity', getCallerIdentity],
]);

/** Reads a request to STS. */
export function readStsCall(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: Omit<StsContext, 'caller'>,
  requestId: string,
): Call {
  const service = {
    service: 'sts',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations,
    admit: (known: Caller) => ({ ...world, caller: known }),
  } as const;
  return readQueryCall<StsContext>(request, caller, service, requestId);
}
