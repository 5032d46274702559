import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from '../options/settings.ts';
import type { Answer, Call, Delivery } from '../wire/exchange.ts';
import type { Scheduler } from './clock.ts';
import type { Fault } from './faults/fault.ts';

/** How the answer is delivered, and the answer of the operation if it was performed. */
export interface PerformedCall {
  delivery: Delivery;
  performed?: Answer;
}

/** Performs a call, changed by its fault if there is one. `onLate` receives effects that come later. */
export async function performCall(
  call: Call,
  fault: Fault | undefined,
  {
    clock,
    settings,
    onLate,
  }: { clock: Scheduler; settings: Settings; onLate: (late: Answer) => void },
): Promise<PerformedCall> {
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
    case 'delay': {
      const performed = fault.afterEffect ? call.perform() : undefined;
      await pause(fault.ms);
      if (performed) return { delivery: { how: 'answer', answer: performed }, performed };
      // Actions that became due during the wait come before this call.
      clock.runDue();
      break;
    }
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
  const usualStatus = {
    InternalFailure: 500,
    ServiceUnavailableException: serviceUnavailableStatus,
  }[code];
  const answer = call.refuse({ status: fault.status ?? usualStatus ?? 400, code, message });
  return { ...answer, headers: { ...answer.headers, ...headers }, body: rawBody ?? answer.body };
}
