import { setTimeout as delay } from 'node:timers/promises';

import { openBalancer } from '../../balancer.ts';
import { makeBundle } from '../../bundle.ts';
import { type GatewayProcess, startGateway } from '../../gateway.ts';
import { bothCores } from '../../machine.ts';
import { formatFailures, startPacedLoad } from '../../paced.ts';
import { createBody } from '../../requests.ts';
import type { Scale, World } from '../../scale.ts';

const replicas = 2;
const maxPerSecond = 200;
// Longer than two probes of the balancer.
const joinMs = 600;

/**
 * Replaces one gateway after another under load, as a deployment does, and counts failed requests. The gateways run the
 * bundle, as in the image.
 */
export async function measureRolls(
  { awsUrl, databases, openGateway }: World,
  { rolls, requestsPerSecond, isBundleMade }: Scale,
): Promise<string[]> {
  const perSecond = Math.min(maxPerSecond, requestsPerSecond);
  if (isBundleMade) await makeBundle(awsUrl);
  const options = {
    databaseUrl: await databases.create(),
    core: bothCores,
    isBundle: isBundleMade,
  };
  await using stack = new AsyncDisposableStack();
  const balancer = stack.use(await openBalancer());
  const replaced: GatewayProcess[] = [];
  const startReplaced = async () => {
    const gateway = await startGateway(awsUrl, options);
    replaced.push(gateway);
    return gateway;
  };
  const openLasting = (number: number) => openGateway({ ...options, name: `replica ${number}` });
  let joined = 0;
  const join = async () => {
    joined += 1;
    const { url } = stack.use(await (joined <= rolls ? startReplaced() : openLasting(joined)));
    balancer.add(url);
    await delay(joinMs);
  };
  while (joined < replicas) await join();

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
    const oldest = replaced.shift() as GatewayProcess;
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
