import type { Log } from '#telemetry/log.ts';
import {
  alarmAfterMs,
  makeOutageLog,
  type OutageClocks,
  type OutageLog,
} from '#telemetry/outage-log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { TargetEntry } from './target-entry.ts';

// In each window, the first `maxLines` lines are about one target each. The others share one line, with up to
// `maxNames` names. Fewer lines: an operator misses which targets broke. More: an outage of STS with a
// thousand targets fills the log.
const windowMs = 10_000;
const maxLines = 20;
const maxNames = 10;

/** Logs each change of a state, and at growing intervals that a target is still unusable. */
export type StateLog = (entry: TargetEntry) => void;

/** Makes the log of states. It has at most 21 lines in ten seconds, however many targets change. */
export function makeStateLog(options: {
  log: Log;
  clocks: OutageClocks;
  sleep: AbortableSleep;
  stop: AbortSignal;
}): StateLog {
  const { log, clocks, sleep, stop } = options;
  const outages = new WeakMap<TargetEntry, OutageLog>();
  let lines = 0;
  let further: TargetEntry[] = [];

  async function closeWindow(): Promise<void> {
    await sleep(windowMs, stop);
    const changed = further;
    [lines, further] = [0, []];
    if (changed.length === 0) return;
    const unusable = changed.filter(({ state }) => state === 'unusable');
    const facts = {
      ready: changed.length - unusable.length,
      unusable: unusable.length,
      targets: (unusable.length > 0 ? unusable : changed)
        .slice(0, maxNames)
        .map(({ settings }) => settings.name),
    };
    log[levelOf(changed)](facts, 'further targets are unusable, or ready again');
  }

  function logOf(entry: TargetEntry): Log {
    const write = (level: keyof Log) => (facts: object, text: string) => {
      lines += 1;
      if (lines === 1) void closeWindow();
      if (lines > maxLines) further.push(entry);
      else log[level](facts, text);
    };
    return { info: write('info'), warn: write('warn'), error: write('error') };
  }

  return (entry) => {
    if (entry.state === 'unchecked') return;
    const { settings, problem, confirmedId } = entry;
    const { name: target, region } = settings;
    let outage = outages.get(entry);
    if (!problem) {
      const facts = { target, region, accountId: confirmedId };
      if (outage) outage.worked(facts, 'target ready');
      else logOf(entry).info(facts, 'target ready');
      outages.delete(entry);
      return;
    }
    outage ??= makeOutageLog({ log: logOf(entry), ...clocks });
    outages.set(entry, outage);
    const { slug, detail, cause: err } = problem;
    const isMistake = slug === 'target-misconfigured';
    outage.failed({ target, problem: slug, detail, err }, 'target unusable, checking it again', {
      alarmAfterMs: isMistake ? 0 : alarmAfterMs,
      kind: detail,
    });
  };
}

function levelOf(entries: readonly TargetEntry[]): 'info' | 'warn' | 'error' {
  if (entries.some(({ problem }) => problem?.slug === 'target-misconfigured')) return 'error';
  return entries.some(({ problem }) => problem) ? 'warn' : 'info';
}
