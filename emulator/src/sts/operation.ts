import type { Agenda } from '../control/clock.ts';
import type { Settings } from '../options/settings.ts';
import type { Effect } from '../wire/exchange.ts';
import type { XmlNode } from '../wire/xml.ts';
import type { Caller, Sessions } from './sessions.ts';

/** Everything an operation of STS may look at. */
export interface StsContext {
  caller: Caller;
  sessions: Sessions;
  clock: Agenda;
  settings: Settings;
}

/** `result` is the content of the result element. */
export interface StsOutcome {
  result: XmlNode;
  effect?: Effect;
}

/** One operation: the form's fields in, outcome out; throws what AWS would answer. */
export type StsOperation = (form: Record<string, string>, context: StsContext) => StsOutcome;
