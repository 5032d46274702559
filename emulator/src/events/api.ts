import type { AuthFailure, Caller } from '../sts/sessions.ts';
import { readJsonCall } from '../wire/aws-json.ts';
import type { Call, WireRequest } from '../wire/exchange.ts';
import { type EventsContext, putEvents } from './put-events.ts';

const operations = new Map([['PutEvents', putEvents]]);

/** Reads a request to EventBridge. */
export function readEventsCall(
  request: WireRequest,
  caller: Caller | AuthFailure,
  { settings }: Pick<EventsContext, 'settings'>,
): Call {
  return readJsonCall<EventsContext>(request, caller, {
    service: 'events',
    targetPrefix: 'AWSEvents.',
    operations,
    admit: (_name, known, fault) => ({ settings, caller: known, fault }),
  });
}
