import { setTimeout as delay } from 'node:timers/promises';
import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';

import { openCluster } from '../cluster.ts';
import { targetsInAccounts } from '../cluster-targets.ts';
import { evaluate } from '../evaluate.ts';
import { makeOrganisation } from '../organisation.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';

/** The size of an organisation. It needs no server of its own. */
export interface OrganisationOptions extends Omit<ScenarioOptions, 'ownServer'> {
  targets?: number;
  replicas?: number;
  emulator?: EmulatorOptions;
}

// Longer: nothing happens between most events. Shorter: replicas are killed before they work.
const maxPauseMs = 800;
// These are in the configuration from the start. The others are added later.
const configuredShare = 0.8;

/**
 * Kills replicas while roles are revoked and restored, and while targets are added, removed, brought back
 * and given other roles. At times the file with the targets is invalid.
 */
export async function runOrganisation(options: OrganisationOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress, replicas = 4 } = options;
  const targets = targetsInAccounts(options.targets ?? 50);
  const configured = targets.slice(0, Math.ceil(configuredShare * targets.length));
  await using cluster = await openCluster({
    serverUrl,
    signal,
    replicas,
    targets,
    configured,
    // Shorter: two cores cannot carry this many tasks.
    emulator: options.emulator ?? { pendingMs: 100, runningMs: [3_000, 12_000] },
  });
  const organisation = makeOrganisation(cluster, configured);
  const work = cluster.keepBusy();
  let kills = 0;
  let hitsInStarting = 0;

  async function kill(): Promise<void> {
    const replica = pick(cluster.replicas, random);
    await replica.process().ready;
    if (await replica.kill()) hitsInStarting += 1;
    kills += 1;
    replica.start();
  }

  const anyTarget = () => pick(targets, random);
  const events = [
    kill,
    () => organisation.revokeRole(anyTarget()),
    () => organisation.remove(anyTarget()),
    kill,
    () => organisation.changeRole(anyTarget()),
    () => organisation.restoreRoles(),
    () => organisation.add(anyTarget()),
    () => organisation.spoilFile(signal),
  ];
  for (let done = 0; done < count && !signal.aborted; done += 1) {
    // In order at first, so that even a short run has each of them.
    await (events[done] ?? pick(events, random))();
    onProgress(done + 1);
    await delay(random() * maxPauseMs);
  }
  await organisation.settle(signal);
  await work.stop();
  const evaluation = await evaluate(cluster, signal);
  const violations = [...evaluation.violations, ...organisation.violations];
  return { trials: count, kills, hitsInStarting, ...evaluation, violations };
}
