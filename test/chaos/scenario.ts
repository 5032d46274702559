import type { Postgres } from '../postgres.ts';
import type { Verdict } from './verdict.ts';

/** What every scenario is given. */
export interface ScenarioOptions {
  /** Of a PostgreSQL server. */
  serverUrl: string;
  /** A server nobody else uses, so that it may be stopped. */
  ownServer: Postgres;
  /** How often something goes wrong. */
  count: number;
  /** From 0 to 1, all of it following from the seed. */
  random: () => number;
  signal: AbortSignal;
  /** Told how far it is. */
  onProgress: (done: number) => void;
}

/** What a scenario did, and what came of it. */
export interface ScenarioReport extends Verdict {
  trials: number;
  kills: number;
  /** Kills, or pauses, that hit a process while a slice it had begun to send was in `starting`. */
  hitsInStarting: number;
  /** What was measured, a line each. */
  notes?: string[];
}

/** A way for things to go wrong. */
export interface Scenario {
  /** By which it is chosen; several may share one. */
  name: string;
  /** What distinguishes it from the others of its name. */
  variant?: string;
  /** How often in a whole run. */
  count: number;
  run(options: ScenarioOptions): Promise<ScenarioReport>;
}

/** One of several. */
export function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)] as Item;
}
