import type { Scheduler } from '../control/clock.ts';
import type { Settings } from '../options/settings.ts';
import type { Effect } from '../wire/exchange.ts';
import type { XmlNode } from '../wire/xml.ts';
import type { Caller, Sessions } from './sessions.ts';

/** The state that an operation of STS may read or change. */
export interface StsContext {
  caller: Caller;
  sessions: Sessions;
  clock: Scheduler;
  settings: Settings;
}

/** The outcome of an operation. `result` is the content of the result element. */
export interface StsOutcome {
  result: XmlNode;
  effect?: Effect;
}

/**
 * An operation: takes the fields of the form and returns the outcome.
 * @throws the error that AWS would answer
 */
export type StsOperation = (form: Record<string, string>, context: StsContext) => StsOutcome;
