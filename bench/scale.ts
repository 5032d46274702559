import type { Child } from './child.ts';

/** How much is measured. */
export interface Scale {
  /** Rounds of each variant, in turn. */
  rounds: number;
  /** Calls of each variant before those, until V8 has optimised what it will. */
  warmUpCalls: number;
  roundSeconds: number;
  /** Starts of the gateway. */
  starts: number;
  /** Requests after which memory is read again. */
  requests: number;
}

/** The processes around whoever is measured. */
export interface World {
  aws: Child;
  awsUrl: string;
  callers: Child;
}
