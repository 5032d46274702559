import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from '../options/settings.ts';
import type { Answer, Call, Delivery } from '../wire/exchange.ts';
import type { Agenda } from './clock.ts';
import type { Fault } from './faults.ts';

/** What a request met: how its answer travels, and what was done, if it was. */
export interface Played {
  delivery: Delivery;
  performed?: Answer;
}

/**
 * Performs a call as the fault it met wants it, or plainly. `onLate` hears of effects that come
 * later.
 */
export async function play(
  call: Call,
  fault: Fault | undefined,
  {
    clock,
    settings,
    onLate,
  }: { clock: Agenda; settings: Settings; onLate: (late: Answer) => void },
): Promise<Played> {
  switch (fault?.kind) {
    case 'reset-before':
      return { delivery: { how: 'reset' } };
    case 'reset-after':
      return { delivery: { how: 'reset' }, performed: call.perform() };
    case 'silence-before':
      return { delivery: { how: 'silence' } };
    case 'silence-after':
      return { delivery: { how: 'silence' }, performed: call.perform() };
    case 'late-effect':
      clock.at(clock.now() + fault.delayMs, () => onLate(call.perform()));
      return { delivery: { how: fault.meanwhile ?? 'reset' } };
    case 'error': {
      const answer = makeError(call, fault, settings);
      const delivery = { how: 'answer', answer } as const;
      return fault.afterEffect ? { delivery, performed: call.perform() } : { delivery };
    }
    case 'cut-body':
    case 'stall-body': {
      const performed = call.perform();
      const how = fault.kind === 'cut-body' ? 'cut' : 'stall';
      return { delivery: { how, answer: performed }, performed };
    }
    case 'replace-body': {
      const performed = call.perform();
      const { body, contentType } = fault;
      const headers = contentType ? { 'content-type': contentType } : performed.headers;
      return { delivery: { how: 'answer', answer: { status: 200, headers, body } }, performed };
    }
    case 'delay':
      await pause(fault.ms);
      // Time has passed: what fell due meanwhile happened before this call.
      clock.settle();
      break;
  }
  const performed = call.perform(fault);
  return { delivery: { how: 'answer', answer: performed }, performed };
}

function makeError(
  call: Call,
  fault: Extract<Fault, { kind: 'error' }>,
  { serviceUnavailableStatus }: Settings,
): Answer {
  const { code = 'InternalFailure', message = '', headers, rawBody } = fault;
  const usual = { InternalFailure: 500, ServiceUnavailableException: serviceUnavailableStatus }[
    code
  ];
  const answer = call.refuse({ status: fault.status ?? usual ?? 400, code, message });
  return { ...answer, headers: { ...answer.headers, ...headers }, body: rawBody ?? answer.body };
}
