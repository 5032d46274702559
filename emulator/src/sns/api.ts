import type { AuthFailure, Caller } from '../sts/sessions.ts';
import type { Call, WireRequest } from '../wire/exchange.ts';
import { type QueryOperation, readQueryCall } from '../wire/xml/query.ts';
import { publish, type SnsContext } from './publish.ts';

const operations = new Map<string, QueryOperation<SnsContext>>([['Publish', publish]]);

/** Reads a request to SNS. */
export function readSnsCall(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: Omit<SnsContext, 'caller'>,
  requestId: string,
): Call {
  const service = {
    service: 'sns',
    namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    operations,
    admit: (known: Caller) => ({ ...world, caller: known }),
  } as const;
  return readQueryCall<SnsContext>(request, caller, service, requestId);
}
