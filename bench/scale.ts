import type { Child } from './child.ts';
import type { Databases } from './postgres.ts';

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
  /** How long ten times too much is sent. */
  floodSeconds: number;
  /** How long to wait until everything is as before the flood. */
  recoverySeconds: number;
  /** How long a line is watched in real time. */
  queueSeconds: number;
  /** Log groups and days that are exported in turned time, a task for each of each. */
  logGroups: number;
  days: number;
  /** Jobs of 10,000 slices that are accepted. */
  acceptances: number;
  /** Slices waiting in the longer of two lines; in the shorter it is a thousand. */
  waiting: number;
  /** Picks out of each line, and decisions by each number of policies, in a round. */
  picks: number;
  /** Callers who follow one job. */
  watchers: number;
  /** Jobs of somebody else that are asked for on every route, and as many that are not there. */
  strangers: number;
  /** Whether a killed owner's lease is waited for; else it is cut short. */
  isLeaseAwaited: boolean;
}

/** The processes around whoever is measured. */
export interface World {
  aws: Child;
  awsUrl: string;
  callers: Child;
  databases: Databases;
}
