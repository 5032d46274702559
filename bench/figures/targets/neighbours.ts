import { setTimeout as delay } from 'node:timers/promises';

import { isShort } from '../../form.ts';
import type { RunningGateway } from '../../gateway.ts';
import {
  jobBodyAt,
  type OrganisationTarget,
  organisationTargets,
  writeTargetsFile,
} from '../../organisation.ts';
import { isShed } from '../../requests.ts';
import { median, quantile } from '../../round.ts';
import type { Scale, World } from '../../scale.ts';

// A round takes ten seconds here, so there are fewer than of other figures.
const roundsShare = 5;
const perSecond = 100;
/** Every how many requests there is one for the broken targets. */
const brokenEvery = 5;

/** The targets of this figure. Two Regions in each account: the last two accounts are broken in one gateway, and healthy in the other. */
export function neighboursOf({ targets }: Scale): OrganisationTarget[] {
  return organisationTargets(targets.neighbours + 8);
}

/** The latency of requests for healthy targets beside an account whose STS hangs and one that is throttled. */
export async function measureNeighbours(
  { awsUrl, openGateway }: World,
  scale: Scale,
): Promise<string[]> {
  const { neighbours, neighbourRequests: requests } = scale.targets;
  const targets = neighboursOf(scale);
  const healthy = targets.slice(0, neighbours);
  const [others, broken] = [targets.slice(neighbours, -4), targets.slice(-4)];
  await breakAccounts(awsUrl, broken[0]?.accountId ?? '', broken[2]?.accountId ?? '');
  const start = (all: OrganisationTarget[]) =>
    openGateway({
      env: { TARGETS_FILE: writeTargetsFile(all), AWS_CALLS_PER_SECOND: '4' },
    });
  await using beside = await start([...healthy, ...broken]);
  await using without = await start([...healthy, ...others]);

  const rounds: { beside: number; without: number }[] = [];
  for (let round = 0; round <= Math.ceil(scale.rounds / roundsShare); round++) {
    const measured = {
      beside: await measureP99(beside, healthy, broken, requests),
      without: await measureP99(without, healthy, others, requests),
    };
    if (round > 0) rounds.push(measured); // the first one warms V8 up
  }
  const p99 = (of: 'beside' | 'without') => median(rounds.map((round) => round[of])).toFixed(0);
  const ratio = median(rounds.map((round) => round.beside / round.without));
  return [
    `broken neighbours    p99 ${p99('beside')} ms beside an account whose STS hangs and a throttled one, ${p99('without')} ms without, ratio ${ratio.toFixed(2)} (goal 1)`,
  ];
}

/** STS never answers for the role of one account, and CloudWatch Logs throttles the other. */
async function breakAccounts(awsUrl: string, hanging: string, throttled: string): Promise<void> {
  const always = 1_000_000;
  const throttling = { kind: 'error', code: 'ThrottlingException', accountId: throttled };
  for (const fault of [
    { operation: 'AssumeRole', kind: 'silence-before', accountId: hanging },
    { operation: 'DescribeExportTasks', ...throttling },
    { operation: 'CreateExportTask', ...throttling },
  ]) {
    const body = JSON.stringify({ ...fault, count: always });
    const response = await fetch(`${awsUrl}/_emulator/faults`, { method: 'POST', body });
    if (!response.ok) throw new Error(await response.text());
  }
}

/**
 * Sends requests at a constant rate, reads and creates, until at least one for a healthy target was measured. Returns
 * the p99 of those for healthy targets, in ms.
 */
async function measureP99(
  { url }: RunningGateway,
  healthy: readonly OrganisationTarget[],
  others: readonly OrganisationTarget[],
  requests: number,
): Promise<number> {
  const tookMs: number[] = [];
  while (tookMs.length === 0) await sendAll();
  return quantile(tookMs, 0.99);

  async function sendAll(): Promise<void> {
    const beganAt = performance.now();
    const sent: Promise<void>[] = [];
    for (let index = 0; index < requests; index++) {
      const dueMs = beganAt + (1_000 * index) / perSecond - performance.now();
      if (dueMs > 0) await delay(dueMs);
      sent.push(sendOne(index));
    }
    await Promise.all(sent);
  }

  async function sendOne(index: number): Promise<void> {
    const isOther = index % brokenEvery === 0;
    const among = isOther ? others : healthy;
    const target = among[index % among.length] as OrganisationTarget;
    const dueAt = performance.now();
    const response = await request(url, target, index % 2 === 0);
    const text = await response.text();
    // In the short form, AWS is in this process: on a busy machine it answers too late.
    const isLate = isShort && response.status >= 503;
    if (isOther || isShed(text) || isLate) return;
    if (!response.ok) throw new Error(`${response.status} for a healthy target`);
    tookMs.push(performance.now() - dueAt);
  }
}

function request(url: string, target: OrganisationTarget, isRead: boolean): Promise<Response> {
  const path = `${url}/export-tasks?target=${target.name}`;
  if (isRead) return fetch(`${path}&limit=10`);
  const { logGroupNames, from, to, destination } = jobBodyAt(target, 1);
  const body = JSON.stringify({ logGroupName: logGroupNames[0], from, to, destination });
  return fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}
