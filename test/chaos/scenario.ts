import type { Postgres } from '../postgres.ts';
import type { Evaluation } from './evaluate.ts';

/** The options of every scenario. */
export interface ScenarioOptions {
  /** The URL of a PostgreSQL server. */
  serverUrl: string;
  /** A PostgreSQL server of its own that it may stop. */
  ownServer: Postgres;
  /** The number of faults. */
  count: number;
  /** Random numbers from 0 to 1, determined by the seed. */
  random: () => number;
  /** The earlier version of the project, for scenarios that need one. Default: see `openOldVersion`. */
  oldRevision?: string | undefined;
  signal: AbortSignal;
  /** Receives the progress. */
  onProgress: (done: number) => void;
}

/** The report of a scenario. */
export interface ScenarioReport extends Evaluation {
  trials: number;
  kills: number;
  /** Kills or pauses that hit a process while a slice that it was sending was in `starting`. */
  hitsInStarting: number;
  /** Measurements, one per line. */
  notes?: string[];
}

/** A kind of fault. */
export interface Scenario {
  /** The name on the command line. Several scenarios may share one. */
  name: string;
  /** Distinguishes scenarios with the same name. */
  variant?: string;
  /** The number of faults in a full run. */
  count: number;
  run(options: ScenarioOptions): Promise<ScenarioReport>;
}

/** Picks a random item. */
export function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)] as Item;
}
