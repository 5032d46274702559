import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import type { Audit } from '#audit/audit.ts';
import type { AwsTimeouts } from '#aws/client/timeouts.ts';
import { checkRegions } from '#config/check-aws-settings.ts';
import type { Config } from '#config/read-config.ts';
import { checkTargets, readTargets } from '#config/targets-file.ts';
import { readFile } from '#files/read-file.ts';
import type { PollSleep } from '#files/reload-signal.ts';
import { openReloadedValue } from '#files/reloaded-value.ts';
import { openTargets } from '#targets/open-targets.ts';
import type { TargetSettings, Targets } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { readNamedFile } from '#validation/settings.ts';

/** What the targets need besides their configuration. */
export interface ConfiguredTargetsOptions {
  audit: Audit;
  timeouts: AwsTimeouts;
  log: Log;
  elapsed: () => number;
  sleep: AbortableSleep;
  /** No account is checked before. Default: at once. */
  checkWhen?: Promise<void> | undefined;
  /** Sleeps between two looks at the file. */
  sleepUntilReload: PollSleep;
}

/** Opens the targets, and takes over TARGETS_FILE when it changes. An invalid file changes nothing. */
export async function openConfiguredTargets(
  config: Config,
  { audit, timeouts, log, elapsed, sleep, checkWhen, sleepUntilReload }: ConfiguredTargetsOptions,
): Promise<Targets> {
  const { isSessionScoped, proxyEnv, targetsFile } = config;
  const isSlotExclusive = config.jobs !== undefined;
  const targets = openTargets({
    settings: config.targets,
    isSessionScoped,
    isSlotExclusive,
    timeouts,
    proxyEnv,
    callsPerSecond: config.awsCallsPerSecond,
    sessionName: `log-export-gateway-${randomUUID().slice(0, 8)}`,
    now: Date.now,
    random: Math.random,
    audit,
    elapsed,
    sleep,
    checkWhen,
    log,
  });
  if (!targetsFile) return targets;

  const variable = targetsFile;
  const regions = new Set(config.targets.map(({ region }) => region));
  async function load(text: string): Promise<TargetSettings[]> {
    const settings = readTargets(variable, () => text);
    checkTargets(settings, { isSessionScoped, isSlotExclusive });
    await checkRegions(settings, log, regions);
    for (const { region } of settings) regions.add(region);
    targets.configure(settings);
    return settings;
  }
  const file = await openReloadedValue({
    what: 'targets',
    read: () => readNamedFile(variable, async (path) => (await readFile(path)).toString()),
    load,
    compare: countChanges,
    sleep: sleepUntilReload,
    log,
  }).catch(async (error) => {
    await targets[Symbol.asyncDispose]();
    throw error;
  });
  return {
    ...targets,
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]();
      await targets[Symbol.asyncDispose]();
    },
  };
}

/** Counts the targets that a reload has added, removed and changed. */
function countChanges(before: readonly TargetSettings[], after: readonly TargetSettings[]) {
  const old = new Map(before.map((target) => [target.name, target]));
  const common = after.filter(({ name }) => old.has(name));
  return {
    added: after.length - common.length,
    removed: before.length - common.length,
    changed: common.filter((target) => !isDeepStrictEqual(target, old.get(target.name))).length,
  };
}
