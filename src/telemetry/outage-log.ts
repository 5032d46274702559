import type { Log } from './log.ts';

/** The log lines about one thing that can fail for some time. */
export interface OutageLog {
  /**
   * Notes a failure. The first one is logged at once. Repeats are logged at growing intervals, with the
   * number of failures with this text since its last line as `repeated`. Lines are warnings, and errors from
   * `alarmAfterMs` on. All have the begin of the outage as `since`.
   */
  failed(facts: object, text: string, options?: FailureOptions): void;
  /** Notes a success. The end of an outage is logged once, with `lastedMs`, when it has lasted `calmMs`. */
  worked(facts: object, text: string): void;
  /** Logs the end when it has lasted `calmMs`, or at once if `isLast`: nothing more is expected to happen. */
  settle(isLast?: boolean): void;
  /** Ends an outage without a line. */
  forget(): void;
}

/** How a failure is logged. */
interface FailureOptions {
  /** The length of an outage from which on its lines are errors. Default: 15 minutes. */
  alarmAfterMs?: number;
  /** The kind of the failure. The first one of each kind is logged at once. Default: its text and problem. */
  kind?: string;
  /** Whether it is logged in any case. Default: false. */
  isDue?: boolean;
}

/** The clocks of an outage log, in milliseconds. */
export interface OutageClocks {
  /** The time of day, as epoch ms: for `since` alone. */
  now: () => number;
  /** A clock that only goes forward. One that is set back would delay lines. */
  elapsed: () => number;
}

/** Where lines go, and when. Times in milliseconds. Default of the clocks: real time. */
type OutageLogOptions = (OutageClocks | { now?: undefined; elapsed?: undefined }) & {
  log: Log | undefined;
  /** How long no line is logged. Default: 0. */
  quietMs?: number;
  /** How long it must work until the outage is over. Default: 0. */
  calmMs?: number;
};

const realClocks: OutageClocks = { now: Date.now, elapsed: () => performance.now() };

// Shorter: every hiccup of AWS wakes an operator. Longer: a queue stands still unnoticed.
export const alarmAfterMs = 15 * 60_000;
// Between the first line and the second. Shorter: a short outage has many lines. Longer: an operator who
// has just looked does not see that it continues.
const firstPauseMs = 60_000;
// Shorter: an outage of a weekend fills the log. Longer: the log of the last hour does not show it.
const maxPauseMs = 60 * 60_000;
// Fewer: a second cause is seen late. More: an outage with a cause of its own for each job fills the log.
const maxKinds = 20;

/** Instants are by `elapsed`. */
interface Outage {
  /** The time of day of its begin, for the lines. */
  since: string;
  beganAt: number;
  dueAt: number;
  pauseMs: number;
  /** The failures since the last line, by text. */
  repeated: Map<string, number>;
  isLogged: boolean;
  kinds: Set<string>;
  /** The first success since the last failure. */
  success: { at: number; facts: object; text: string } | undefined;
}

/** Makes the log of something that works. */
export function makeOutageLog(options: OutageLogOptions): OutageLog {
  const { log, quietMs = 0, calmMs = 0 } = options;
  const { now, elapsed } = options.elapsed ? options : realClocks;
  let outage: Outage | undefined;

  function end(): void {
    if (!outage?.success) return;
    const { beganAt, repeated, isLogged, success } = outage;
    outage = undefined;
    const { at, facts, text } = success;
    if (!isLogged) return;
    const total = [...repeated.values()].reduce((sum, count) => sum + count, 0);
    log?.info({ ...facts, lastedMs: Math.round(at - beganAt), ...countOf(total) }, text);
  }

  function endIfCalm(): void {
    if (outage?.success && elapsed() - outage.success.at >= calmMs) end();
  }

  return {
    failed(facts, text, { alarmAfterMs: alarmMs = alarmAfterMs, kind, isDue } = {}) {
      endIfCalm();
      const at = elapsed();
      outage ??= startOutage(new Date(now()).toISOString(), at, quietMs);
      outage.success = undefined;
      const { since, beganAt, repeated, kinds } = outage;
      const name = kind ?? `${text} ${'problem' in facts && facts.problem}`;
      const isNew = at - beganAt >= quietMs && kinds.size < maxKinds && !kinds.has(name);
      if (at < outage.dueAt && !isNew && !isDue) {
        repeated.set(text, (repeated.get(text) ?? 0) + 1);
        return;
      }
      kinds.add(name);
      outage.isLogged = true;
      while (outage.dueAt <= at) {
        outage.dueAt += outage.pauseMs;
        outage.pauseMs = Math.min(maxPauseMs, 2 * outage.pauseMs);
      }
      const line = { ...facts, since, ...countOf(repeated.get(text)) };
      repeated.delete(text);
      log?.[at - beganAt >= alarmMs ? 'error' : 'warn'](line, text);
    },
    worked(facts, text) {
      if (!outage) return;
      outage.success ??= { at: elapsed(), facts, text };
      endIfCalm();
    },
    settle: (isLast = false) => (isLast ? end() : endIfCalm()),
    forget() {
      outage = undefined;
    },
  };
}

function startOutage(since: string, beganAt: number, quietMs: number): Outage {
  return {
    since,
    beganAt,
    dueAt: beganAt + quietMs,
    pauseMs: Math.max(quietMs, firstPauseMs),
    repeated: new Map(),
    isLogged: false,
    kinds: new Set(),
    success: undefined,
  };
}

const countOf = (repeated = 0) => (repeated > 0 ? { repeated } : {});
