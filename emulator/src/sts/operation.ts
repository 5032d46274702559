import type { Scheduler } from '../control/clock.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller, Sessions } from './sessions.ts';

/** The state that an operation of STS may read or change. */
export interface StsContext {
  caller: Caller;
  sessions: Sessions;
  clock: Scheduler;
  settings: Settings;
}
