import { setTimeout as delay } from 'node:timers/promises';

import { jobStateOf } from '#export-jobs/job-state.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { approvalOf } from '../../export-jobs/caller-requests.ts';
import { insertHourlyJob } from '../../export-jobs/insert-hourly-job.ts';
import type { Violation } from '../checker.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { bucketOf } from '../cluster-targets.ts';
import { makeCreateInjector } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import { killReplicas } from '../kill-replicas.ts';
import { pick, type ScenarioReport } from '../scenario.ts';
import { openWebhookReceiver, type WebhookReceiver } from '../webhook-receiver.ts';
import type { RandomKillsOptions } from './random-kills.ts';

// The others come mostly while events are recorded and delivered.
const injectedShare = 0.2;
// Shorter: the replicas start all the time, and deliver little.
const maxWorkMs = 3_000;
// Between two jobs that are accepted and cancelled. Exports alone would end few jobs between two kills.
const cancelEveryMs = 150;

/**
 * Kills replicas while jobs end, and while their events are delivered to a receiver that fails at random. Then each job
 * must have told its end, and the event with the highest version must be the end that is stored.
 */
export async function killWithWebhooks(options: RandomKillsOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, replicas = 3 } = options;
  const injector = makeCreateInjector(random);
  await using receiver = await openWebhookReceiver(random);
  await using cluster = await openCluster({
    serverUrl,
    signal,
    replicas,
    webhookOrigin: receiver.origin,
    atCreate: injector.atCreate,
  });
  await addEndpoint(cluster, receiver);
  const work = cluster.keepBusy();
  const cancels = cancelJobs(cluster, options);
  const killed = await killReplicas(cluster, {
    ...options,
    injector,
    injectedShare,
    maxWorkMs,
  });
  injector.stop();
  await cancels.stop();
  await work.stop();
  await untilDelivered(cluster, signal);
  const evaluation = await evaluate(cluster, signal);
  const violations = [...evaluation.violations, ...(await checkEvents(cluster, receiver))];
  if (violations.length > 0) cluster.keepLog();
  const { accepted, counts } = receiver;
  const distinct = new Set(accepted.map(({ id }) => id)).size;
  return {
    ...evaluation,
    trials: count,
    ...killed,
    violations,
    ...(violations.length > 0 && { logPath: cluster.logPath }),
    notes: [
      `${cluster.accepted.length} jobs, ${distinct} events, ${accepted.length - distinct} arrived again, ${counts.refused} refused, ${counts.unanswered} without an answer`,
    ],
  };
}

/** Accepts jobs and cancels them at once, until it is stopped. */
function cancelJobs(
  { database, targets, accepted, cancelled }: Cluster,
  { random, signal }: Pick<RandomKillsOptions, 'random' | 'signal'>,
): { stop(): Promise<void> } {
  let isStopped = false;
  const cancelling = (async () => {
    while (!isStopped && !signal.aborted) {
      const target = pick(targets, random);
      const job = { target: target.name, slices: 1, destination: bucketOf(target) };
      const jobId = await insertHourlyJob(database, { ...job, verification: 'objects' });
      accepted.push(jobId);
      cancelled.add(jobId);
      await cancelJob(database, jobId, approvalOf('anonymous'));
      await delay(cancelEveryMs);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await cancelling;
    },
  };
}

async function addEndpoint({ database }: Cluster, { origin, secret }: WebhookReceiver) {
  await database.queries
    .insertInto('webhookEndpoints')
    .values({
      id: 'the-receiver',
      caller: 'anonymous',
      principal: '{}',
      url: `${origin}/events`,
      description: null,
      eventTypes: null,
      secret,
      previousSecret: null,
      previousSecretUntil: null,
      createdAt: database.now(),
      disabledAt: null,
      disabledReason: null,
      failingSince: null,
      idempotencyKey: null,
      digest: null,
    })
    .execute();
}

/** Waits until all jobs have ended and no event waits. A run in which that never happens is stuck. */
async function untilDelivered({ database }: Cluster, signal: AbortSignal): Promise<void> {
  const until = performance.now() + 180_000;
  while (performance.now() < until && !signal.aborted) {
    const { queries } = database;
    const open = await queries
      .selectFrom('jobs')
      .select('id')
      .where('endedAt', 'is', null)
      .executeTakeFirst();
    const waiting =
      (await queries.selectFrom('notificationEvents').select('id').executeTakeFirst()) ??
      (await queries
        .selectFrom('deliveries')
        .select('eventId')
        .where('state', '=', 'pending')
        .executeTakeFirst());
    if (!open && !waiting) return;
    await delay(200);
  }
}

async function checkEvents(
  { database, accepted: jobIds }: Cluster,
  { accepted, counts }: WebhookReceiver,
): Promise<Violation[]> {
  const violation = (kind: Violation['kind'], text: string): Violation => ({
    invariant: 'notifications',
    kind,
    text,
  });
  const jobs = await readJobs(database, jobIds);
  const byJob = Map.groupBy(accepted, ({ jobId }) => jobId);
  const ofJobs = jobIds.flatMap((jobId): Violation[] => {
    const known = jobs.get(jobId);
    if (!known) return [violation('lost', `job ${jobId} is not in the database`)];
    const { job, counts: slices } = known;
    const { version } = job;
    const state = jobStateOf(slices, job.cancelRequestedAt !== null);
    const events = (byJob.get(jobId) ?? []).toSorted((one, other) => one.version - other.version);
    const last = events.at(-1);
    if (!last) return [violation('lost', `no event of job ${jobId} arrived`)];
    if (last.version !== version)
      return [
        violation('lost', `job ${jobId} has version ${version}, its last event ${last.version}`),
      ];
    if (last.state !== state || last.type !== `export_job.${state}`)
      return [violation('unlawful', `job ${jobId} is ${state}, its event ${last.type}`)];
    const ids = new Set(events.filter((each) => each.version === version).map(({ id }) => id));
    return ids.size === 1
      ? []
      : [violation('duplicated', `the end of job ${jobId} has ${ids.size} ids`)];
  });
  return counts.forged === 0
    ? ofJobs
    : [...ofJobs, violation('unlawful', `${counts.forged} messages had a wrong signature`)];
}
