import { setTimeout as delay } from 'node:timers/promises';

import { type AwsProcess, startAws } from '../../aws.ts';
import { type GatewayOptions, type GatewayProcess, startGateway } from '../../gateway.ts';
import { organisationTargets, writeTargetsFile } from '../../organisation.ts';
import { isShed } from '../../requests.ts';
import { median } from '../../round.ts';
import type { Scale, World } from '../../scale.ts';
import { storageBackends } from '../jobs/storage-backends.ts';

// After the last check. Shorter: the memory of the checks counts as that of idle targets.
const settleSeconds = 10;
const reads = 20;

/** The start with many targets, and what they cost while nothing happens. */
export async function measureIdleTargets(world: World, scale: Scale): Promise<string[]> {
  const { idle, moreIdle, idleSeconds } = scale.targets;
  const lines: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    const few = await measureIdle(idle, idleSeconds, await openStorage(world));
    const more = await measureIdle(moreIdle, idleSeconds, await openStorage(world));
    const growthKib = (1_024 * (more.residentMib - few.residentMib)) / (moreIdle - idle);
    const label = `targets, ${name}`.padEnd(20);
    lines.push(
      `${label} ${idle}: listening after ${few.listening} s (goal ≤ 1), ready ${few.ready} s (goal ≤ 10), all checked ${few.checked} s`,
      `  memory             ${few.memory} (goal ≤ 200)`,
      `  CPU time           ${few.cpu} % of a core (goal ≤ 2)`,
      `  calls to AWS       ${few.calls} a minute (goal 0)`,
      `  statements         ${few.statements} a second (goal ≤ 2)`,
      `  GET /targets       ${few.page} ms`,
      `${label} ${moreIdle}: listening after ${more.listening} s, ready ${more.ready} s, all checked ${more.checked} s`,
      `  memory             ${more.memory}, ${growthKib.toFixed(1)} KiB more for each target (goal ≤ 15)`,
      `  CPU time           ${more.cpu} % of a core`,
      `  calls to AWS       ${more.calls} a minute`,
      `  statements         ${more.statements} a second`,
      `  GET /targets       ${more.page} ms`,
    );
  }
  return lines;
}

async function measureIdle(count: number, idleSeconds: number, storage: GatewayOptions) {
  await using aws = await startAws({ rateLimits: 'off' });
  await using gateway = await startGateway(aws.url, {
    ...storage,
    env: { TARGETS_FILE: writeTargetsFile(organisationTargets(count)) },
    preload: 'bench/processes/statement-counter.ts',
  });
  const checkedMs = await whenAllChecked(aws, count);
  await delay(Math.min(settleSeconds, 10 * idleSeconds) * 1_000);

  const statementsBefore = await countStatements(gateway);
  const cpuMsBefore = gateway.cpuMs();
  const beganAt = Date.now();
  await delay(idleSeconds * 1_000);
  const seconds = (Date.now() - beganAt) / 1_000;
  const cpuMs = gateway.cpuMs() - cpuMsBefore;
  const statements = (await countStatements(gateway)) - statementsBefore;
  const residentMib = gateway.residentMib();
  const memory = `${residentMib.toFixed(0)} MiB resident, ${gateway.anonymousMib().toFixed(0)} MiB of it anonymous`;
  const { calls } = await aws.read();

  return {
    listening: (gateway.listeningMs / 1_000).toFixed(1),
    ready: (gateway.startMs / 1_000).toFixed(1),
    checked: ((checkedMs - gateway.spawnedAt) / 1_000).toFixed(1),
    residentMib,
    memory,
    cpu: (cpuMs / seconds / 10).toFixed(1),
    calls: ((60 * calls.filter(({ at }) => at >= beganAt).length) / seconds).toFixed(0),
    statements: (statements / seconds).toFixed(1),
    page: (await readTargets(gateway)).toFixed(1),
  };
}

/** Waits until STS has confirmed every account. Returns the time of the last answer. */
async function whenAllChecked(aws: AwsProcess, count: number): Promise<number> {
  const isCheck = ({ operation }: { operation: string }) => operation === 'GetCallerIdentity';
  const { calls } = await aws.readUntil(
    `the checks of ${count} targets`,
    (record) => record.calls.filter(isCheck).length >= count,
    { pauseMs: 500, describe: (record) => `${record.calls.filter(isCheck).length} checks` },
  );
  return calls.findLast(isCheck)?.at ?? Number.NaN;
}

async function countStatements(gateway: GatewayProcess): Promise<number> {
  return (await gateway.call<{ statements: number }>({})).statements;
}

/** The time to read a page of targets, in milliseconds. */
async function readTargets({ url }: GatewayProcess): Promise<number> {
  const tookMs: number[] = [];
  while (tookMs.length < reads) {
    const beganAt = performance.now();
    const response = await fetch(`${url}/targets`);
    const text = await response.text();
    if (isShed(text)) continue;
    if (response.status !== 200) throw new Error(text);
    tookMs.push(performance.now() - beganAt);
  }
  return median(tookMs);
}
