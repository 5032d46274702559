import { setTimeout as delay } from 'node:timers/promises';

import { startAws } from '../../aws.ts';
import { openBalancer } from '../../balancer.ts';
import { type GatewayProcess, startGateway } from '../../gateway.ts';
import { bothCores } from '../../machine.ts';
import { formatFailures, startPacedLoad } from '../../paced.ts';
import { createBody } from '../../requests.ts';
import type { Scale, World } from '../../scale.ts';

const replicas = 2;
const maxPerSecond = 200;
// Longer than two probes of the balancer.
const joinMs = 600;

/** Replaces one gateway after another under load, as a deployment does, and counts failed requests. */
export async function measureRolls(
  { databases }: World,
  { rolls, requestsPerSecond }: Scale,
): Promise<string[]> {
  const perSecond = Math.min(maxPerSecond, requestsPerSecond);
  await using aws = await startAws();
  const databaseUrl = await databases.create();
  const start = () => startGateway(aws.url, { databaseUrl, core: bothCores });
  await using stack = new AsyncDisposableStack();
  const balancer = stack.use(await openBalancer());
  const running: GatewayProcess[] = [];
  const join = async () => {
    const gateway = stack.use(await start());
    running.push(gateway);
    balancer.add(gateway.url);
    await delay(joinMs);
  };
  for (let count = 0; count < replicas; count++) await join();

  const load = stack.use(
    startPacedLoad(balancer.url, {
      perSecond,
      requests: [
        { method: 'POST', path: '/export-tasks', body: JSON.stringify(createBody) },
        { method: 'GET', path: '/export-jobs' },
        { method: 'GET', path: '/targets' },
        { method: 'GET', path: '/export-tasks' },
      ],
    }),
  );
  let slowestMs = 0;
  let unclean = 0;
  for (let roll = 0; roll < rolls; roll++) {
    await join();
    const oldest = running.shift() as GatewayProcess;
    const endedAt = performance.now();
    await oldest.end();
    slowestMs = Math.max(slowestMs, performance.now() - endedAt);
    if (oldest.exitCode() !== 0) unclean += 1;
    balancer.remove(oldest.url);
  }
  await load.stop();
  return [
    `rolls                ${rolls} at ${perSecond} requests/s over kept connections: ${formatFailures(load.report)} (goal 0)`,
    `  exit               after ${(slowestMs / 1_000).toFixed(1)} s at most, ${unclean} not with 0 (goal 0)`,
  ];
}
