import type { Child } from './child.ts';

/** How much is measured. */
export interface Scale {
  /** Rounds of each variant, in turn. */
  rounds: number;
  /** Rounds before those, until the code is compiled. */
  warmUps: number;
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
