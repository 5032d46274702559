import { asDispatcher } from '#aws/call-budget/budgeted-calls.ts';
import type { AwsConnectionOptions } from '#aws/client/connections.ts';
import { openAws } from '#aws/regions/open-aws.ts';
import type { SinkKind } from '#aws/sinks/sink-calls.ts';
import { makeStorage } from '#aws/storage/make-storage.ts';
import { configError } from '#problems/config-error.ts';
import type { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { otherAccount, sharedSlot, toAccountProblem } from './account/account-problem.ts';
import { type Account, type AccountOptions, openAccount } from './account/open-account.ts';
import { type CheckResult, makeCheckSchedule } from './checks/check-schedule.ts';
import { makeTargetReadiness } from './checks/readiness.ts';
import { gateCalls } from './registry/gate-calls.ts';
import { makeStateLog } from './registry/state-log.ts';
import {
  closedBecause,
  type TargetEntry,
  targetMoves,
  targetNotFound,
  targetRemoved,
  toKnown,
} from './registry/target-entry.ts';
import { makeTargetRegistry } from './registry/target-registry.ts';
import { configuredAccount, type OpenTarget, type TargetSettings, type Targets } from './target.ts';

// How often a ready target is checked because STS refused a call. Shorter: a refusal that concerns scoped
// sessions alone costs many calls. Longer: callers wait for STS although the role is gone.
const suspectEveryMs = 60_000;

/** The configuration of the targets, and their clocks. */
export interface TargetsOptions extends AwsConnectionOptions, Omit<AccountOptions, 'aws'> {
  settings: readonly TargetSettings[];
  /** Whether only one target may use the slot of an account and Region, because export jobs are on. */
  isSlotExclusive: boolean;
  /** The time of day, as epoch ms. */
  now: () => number;
  random: () => number;
  /** No account is checked before. Default: at once. */
  checkWhen?: Promise<void> | undefined;
  log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/**
 * Opens the targets and starts to check with STS that their accounts are the configured ones. A target
 * that is not checked, or whose check failed, sends nothing: a wrong role must not export anything.
 */
export function openTargets(options: TargetsOptions): Targets {
  const { isSlotExclusive, timeouts, proxyEnv, now, elapsed, sleep, random, log } = options;
  const aws = openAws({ timeouts, proxyEnv, now, elapsed });
  const beginWhen = options.checkWhen ?? Promise.resolve();
  const stop = new AbortController();
  const sleeping = { sleep, stop: stop.signal };
  const logState = makeStateLog({ log, clocks: { now, elapsed }, ...sleeping });
  const schedule = makeCheckSchedule({ check, elapsed, random, beginWhen, ...sleeping });
  const registry = makeTargetRegistry({
    now,
    onState(entry) {
      logState(entry);
      readiness.update();
    },
    onStillUnusable: logState,
    onDue: ({ settings }) => schedule.add(settings.name, settings.region),
    onRemoved: schedule.remove,
  });
  const readiness = makeTargetReadiness({ count: registry.count, ...sleeping });

  /** Checks the account of a target. */
  async function check(name: string): Promise<CheckResult> {
    const entry = registry.find(name);
    if (!entry) return 'done';
    const { settings } = entry;
    // A new one does not wait until the pause after a refusal is over. A ready one knows of the refusal.
    const usable = entry.state === 'ready' ? entry.account : undefined;
    const account = usable ?? openAccount(settings, { ...options, aws });
    const found = await account.readId().then(
      (id) => ({ id }),
      (error) => toAccountProblem(error),
    );
    const isCurrent = registry.find(name) === entry && entry.settings === settings;
    if (!isCurrent || stop.signal.aborted) return 'done';
    if ('isOutage' in found && found.isOutage) {
      // Its sessions stay valid during an outage of STS.
      if (entry.state === 'ready') return 'done';
      registry.setState(entry, 'unusable', found.problem);
      return 'unanswered';
    }
    const problem = 'id' in found ? problemOf(entry, found.id) : found.problem;
    if (problem) {
      registry.setState(entry, 'unusable', problem);
      return 'refused';
    }
    admit(entry, account);
    return 'done';
  }

  /** Why a target may not use the account that its credentials belong to. */
  function problemOf(entry: TargetEntry, id: string): Problem | undefined {
    const { name } = entry.settings;
    const expected = configuredAccount(entry.settings) ?? entry.confirmedId ?? id;
    if (id !== expected) {
      const isAlone = registry.all().drop(1).next().done && registry.find(undefined) === entry;
      if (isAlone) readiness.fail(toConfigError(name, expected, id));
      return otherAccount(expected, id);
    }
    entry.confirmedId = id;
    const other = isSlotExclusive ? registry.inSlotOf(entry) : undefined;
    return other && other.index < entry.index ? sharedSlot(other.settings.name) : undefined;
  }

  function admit(entry: TargetEntry, account: Account): void {
    const before = entry.account;
    entry.account = account;
    const later = isSlotExclusive ? registry.inSlotOf(entry) : undefined;
    if (later && later !== entry) {
      registry.setState(later, 'unusable', sharedSlot(entry.settings.name));
      schedule.add(later.settings.name, later.settings.region);
    }
    registry.setState(entry, 'ready');
    if (before !== account) before?.[Symbol.dispose]();
  }

  /** Opens a target for calls. They follow changes of its role. */
  function open(entry: TargetEntry): OpenTarget {
    const { name, region } = entry.settings;
    const { logs, storage, sinks } = gateCalls({
      enter() {
        const problem = closedBecause(entry);
        if (problem) throw problem;
        return entry.account as Account;
      },
      onRefused() {
        const sinceMs = elapsed() - entry.suspectedAt;
        if (sinceMs < suspectEveryMs || entry.isDraining || entry.state !== 'ready') return;
        entry.suspectedAt = elapsed();
        schedule.add(name, region);
        schedule.hurry(name);
      },
    });
    const accountId = entry.confirmedId as string;
    return {
      name,
      region,
      accountId,
      get roleArn() {
        return entry.settings.roleArn;
      },
      get isDefault() {
        return entry.index === 0;
      },
      logs,
      storage: makeStorage(storage, { accountId, region }),
      sinks,
      get sinkArns() {
        return entry.sinkArns;
      },
      isDraining: () => entry.isDraining,
    };
  }

  function openForDispatcher(entry: TargetEntry): OpenTarget {
    if (!entry.forDispatcher) {
      const target = open(entry);
      entry.forDispatcher = { ...target, logs: asDispatcher(target.logs) };
    }
    return entry.forDispatcher;
  }

  registry.configure(options.settings);
  return {
    whenReady: readiness.whenReady,
    whyNotReady: readiness.whyNot,
    find(name) {
      const entry = registry.find(name);
      if (!entry) throw targetNotFound();
      const problem = closedBecause(entry);
      if (problem) {
        schedule.hurry(entry.settings.name);
        throw problem;
      }
      entry.forCallers ??= open(entry);
      return entry.forCallers;
    },
    look(name) {
      const entry = registry.find(name);
      return entry && toKnown(entry);
    },
    whyClosed(name) {
      const entry = registry.find(name);
      if (!entry) return targetRemoved();
      return registry.findDraining(name) ? targetMoves() : closedBecause(entry);
    },
    listSinks: () =>
      [...registry.all()].flatMap(({ settings, sinkArns }) => {
        const kinds = Object.keys(sinkArns) as SinkKind[];
        return kinds.length > 0 ? [{ target: settings.name, kinds }] : [];
      }),
    list: (from = 0) => registry.all().drop(from).map(toKnown),
    forDispatcher(name) {
      const entry = registry.findDraining(name) ?? registry.find(name);
      if (entry?.state !== 'ready') {
        schedule.hurry(name);
        return undefined;
      }
      return openForDispatcher(entry);
    },
    listDraining: () => registry.allDraining().map(openForDispatcher).toArray(),
    onChange: registry.onChange,
    release: registry.release,
    configure(settings) {
      registry.configure(settings);
      readiness.update();
    },
    recheck: schedule.endPauses,
    async [Symbol.asyncDispose]() {
      registry.close(); // before stop ends the pauses of waiting calls
      stop.abort();
      aws[Symbol.dispose]();
    },
  };
}

function toConfigError(name: string, expected: string, found: string): Error {
  return configError(
    `Target "${name}" is configured for account ${expected}, but its credentials belong to account ${found}.`,
  );
}
