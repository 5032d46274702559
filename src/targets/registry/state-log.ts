import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { TargetEntry } from './target-entry.ts';

// In each window, the first `maxLines` changes get a line each. The others share one line, with up to
// `maxNames` names. Fewer lines: an operator misses which targets broke. More: an outage of STS with a
// thousand targets fills the log.
const windowMs = 10_000;
const maxLines = 20;
const maxNames = 10;

/** Logs each change of a state once. */
export type StateLog = (entry: TargetEntry) => void;

/** Makes the log of states. It has at most 21 lines in ten seconds, however many targets change. */
export function makeStateLog(options: {
  log: Pick<Log, 'info' | 'warn' | 'error'>;
  sleep: AbortableSleep;
  stop: AbortSignal;
}): StateLog {
  const { log, sleep, stop } = options;
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
    log[levelOf(changed)](facts, 'further targets changed their state');
  }

  return (entry) => {
    if (entry.state === 'unchecked') return;
    lines += 1;
    if (lines === 1) void closeWindow();
    if (lines > maxLines) return void further.push(entry);
    const { settings, problem, confirmedId } = entry;
    const { name: target, region } = settings;
    if (!problem) {
      log.info({ target, region, accountId: confirmedId }, 'target ready');
      return;
    }
    const facts = { target, problem: problem.slug, detail: problem.detail, err: problem.cause };
    log[levelOf([entry])](facts, 'target unusable, checking it again');
  };
}

function levelOf(entries: readonly TargetEntry[]): 'info' | 'warn' | 'error' {
  if (entries.some(({ problem }) => problem?.slug === 'target-misconfigured')) return 'error';
  return entries.some(({ problem }) => problem) ? 'warn' : 'info';
}
