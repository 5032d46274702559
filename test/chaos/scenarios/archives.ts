import { setTimeout as delay } from 'node:timers/promises';

import { readArchiveEvidence, waitUntilAtRest } from '../archive-ledger.ts';
import { openArchiveLoad } from '../archive-load.ts';
import { checkArchives } from '../check-archives.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { targetsInRegions } from '../cluster-targets.ts';
import { makeCreateInjector } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import { killReplicas } from '../kill-replicas.ts';
import { pick, type ScenarioReport } from '../scenario.ts';
import { pauseMs } from '../shortened-limits.ts';
import type { RandomKillsOptions } from './random-kills.ts';

// The others come mostly during looks of the keeper.
const injectedShare = 0.3;
// Shorter: the replicas start all the time, and the archives make no progress.
const maxWorkMs = 6_000;

/**
 * Kills and freezes replicas while archives catch up with hours of the past, are paused, and export hours again. Creates
 * fail and lose their answers, and tasks fail. Then everything must be covered exactly once.
 */
export async function killWithArchives(options: RandomKillsOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, replicas = 3 } = options;
  const injector = makeCreateInjector(random);
  await using cluster = await openCluster({
    serverUrl,
    signal,
    replicas,
    targets: targetsInRegions(3),
    isServing: true,
    hasArchives: true,
    atCreate: injector.atCreate,
  });
  const load = openArchiveLoad(cluster, options);
  const freezes = freezeReplicas(cluster, options);
  const killed = await killReplicas(cluster, {
    ...options,
    injector,
    injectedShare,
    maxWorkMs,
  });
  injector.stop();
  await freezes.stop();
  await load.stop();
  await waitUntilAtRest(cluster, load.wanted, signal);
  const evaluation = await evaluate(cluster, signal);
  const evidence = await readArchiveEvidence(cluster, load.wanted);
  const violations = [...evaluation.violations, ...checkArchives(evidence)];
  if (violations.length > 0) cluster.keepLog();
  const { coverage, backfills, slices } = evidence;
  const split = slices.filter(({ state }) => state === 'split').length;
  return {
    ...evaluation,
    trials: count,
    ...killed,
    violations,
    ...(violations.length > 0 && { logPath: cluster.logPath }),
    notes: [
      `${load.wanted.length} archives, ${coverage.length} covered slices, ${backfills.length} backfills, ${split} split slices`,
    ],
  };
}

/** Freezes one replica after the other for longer than the lease of a look, until it is stopped. */
function freezeReplicas(
  { replicas }: Cluster,
  { random, signal }: Pick<RandomKillsOptions, 'random' | 'signal'>,
): { stop(): Promise<void> } {
  let isStopped = false;
  const freezing = (async () => {
    while (!isStopped && !signal.aborted) {
      await delay(random() * maxWorkMs);
      const frozen = pick(replicas, random).process();
      frozen.signal('SIGSTOP');
      await delay(pauseMs);
      frozen.signal('SIGCONT');
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await freezing;
    },
  };
}
