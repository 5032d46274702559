import { setTimeout as delay } from 'node:timers/promises';

import { startAws } from '../../aws.ts';
import { startGateway } from '../../gateway.ts';
import { organisationTargets, writeTargetsFile } from '../../organisation.ts';
import type { Scale, World } from '../../scale.ts';
import { storageBackends } from '../jobs/storage-backends.ts';
import { callsPerSecondAndSlot, formatHandOffs, whenHandedOff } from './hand-offs.ts';
import { keepTargetsBusy } from './keep-busy.ts';

// Whole tasks in the window, for each slot. More: the figure takes longer.
const measuredTasks = 2;
// Longer than the figure takes: no queue is empty before its end.
const jobSeconds = 600;

/** Many slots in one process: the pause between two tasks, and what it costs. */
export async function measureBusyTargets(world: World, scale: Scale): Promise<string[]> {
  const { busy, taskSeconds } = scale.targets;
  const lines: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    const targets = organisationTargets(busy);
    await using aws = await startAws({ pendingMs: 0, runningMs: taskSeconds * 1_000 }, busy);
    await using gateway = await startGateway(aws.url, {
      ...(await openStorage(world)),
      env: { TARGETS_FILE: writeTargetsFile(targets), AWS_CALLS_PER_SECOND: '4' },
    });
    const hours = Math.ceil(jobSeconds / taskSeconds);
    await keepTargetsBusy([gateway], targets, { hours, overSeconds: taskSeconds });
    await delay(1.5 * taskSeconds * 1_000); // every slot has ended a task, so its duration is known

    const from = Date.now();
    const cpuMsBefore = gateway.cpuMs();
    await delay(measuredTasks * taskSeconds * 1_000);
    const record = await whenHandedOff(aws, from, busy);
    const until = Date.now();
    const cpuShare = (gateway.cpuMs() - cpuMsBefore) / (until - from);
    const label = `busy, ${name}`.padEnd(20);
    lines.push(
      `${label} ${busy} targets: ${formatHandOffs(record, from, until)}`,
      `  calls to AWS       ${callsPerSecondAndSlot(record, from, until).toFixed(2)} a second per slot (goal ≤ 1)`,
      `  CPU time           ${(100 * cpuShare).toFixed(0)} % of a core (goal ≤ 60)`,
    );
  }
  return lines;
}
