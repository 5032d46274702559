import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { createTask, type TaskToCreate } from '../aws-client.ts';
import type { Violation } from '../checker.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { bucketOf, targetsInRegions } from '../cluster-targets.ts';
import { makeCreateInjector } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import { killReplicas } from '../kill-replicas.ts';
import { pick, type ScenarioReport } from '../scenario.ts';
import type { RandomKillsOptions } from './random-kills.ts';

const clients = 5;
const injectedShare = 0.5;
const lostShare = 0.3;
// AWS refuses these: their bucket does not exist.
const refusedShare = 0.3;
const noBucket = 'no-such-bucket';
// Shorter: no create is refused in time. Longer: the run takes longer.
const calmMs = 20_000;

/** A create of a client, and all answers to its attempts. */
interface Created extends TaskToCreate {
  taskIds: Set<string>;
  isRefused: boolean;
}

/**
 * Kills replicas while clients of AWS create tasks, lose answers and send again. Then each create must have led to one
 * task with the id that was answered, and a refused one to none.
 */
export async function killUnderAwsClients(options: RandomKillsOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, replicas = 3 } = options;
  const injector = makeCreateInjector(random);
  await using cluster = await openCluster({
    serverUrl,
    signal,
    replicas,
    targets: targetsInRegions(3),
    isServing: true,
    atCreate: injector.atCreate,
  });
  const created: Created[] = [];
  let isOver = false;

  async function createInLoop(client: number): Promise<void> {
    for (let index = 0; !isOver && !signal.aborted; index += 1) {
      const target = pick(cluster.targets, random);
      const isBad = random() < refusedShare;
      const task: Created = {
        invocationId: randomUUID(),
        signature: randomBytes(32).toString('hex'),
        target: target.name,
        region: target.region,
        destination: isBad ? noBucket : bucketOf(target),
        destinationPrefix: `client-${client}/${index}`,
        taskIds: new Set(),
        isRefused: false,
      };
      created.push(task);
      while (!signal.aborted) {
        const port = await pick(cluster.replicas, random).process().ready;
        const lostAfterMs = random() < lostShare ? random() * 60 : undefined;
        const answer = port === undefined ? undefined : await createTask(port, task, lostAfterMs);
        if (answer?.taskId !== undefined) task.taskIds.add(answer.taskId);
        task.isRefused = answer?.error === 'InvalidParameterException';
        if (answer?.taskId !== undefined || task.isRefused) break;
        await delay(random() * 100);
      }
      await delay(random() * 200);
    }
  }

  const loops = Array.from({ length: clients }, (_, client) => createInLoop(client));
  const killed = await killReplicas(cluster, { ...options, injector, injectedShare });
  injector.stop();
  await delay(calmMs); // while replicas are killed, AWS seldom answers in time
  isOver = true;
  await Promise.all(loops);
  await expectRefusals(cluster);
  const evaluation = await evaluate(cluster, signal);
  const violations = [...evaluation.violations, ...(await checkTasks(cluster, created))];
  if (violations.length > 0) cluster.keepLog();
  const refused = created.filter(({ isRefused }) => isRefused).length;
  return {
    ...evaluation,
    trials: count,
    ...killed,
    violations,
    ...(violations.length > 0 && { logPath: cluster.logPath }),
    notes: [`${created.length} creates of AWS clients, ${refused} of them refused by AWS`],
  };
}

/** Notes the tasks that AWS must refuse. One is left if its replica was killed before it could answer. */
async function expectRefusals({ database, expectedToFail }: Cluster): Promise<void> {
  const refused = database.queries.selectFrom('jobs').select('id');
  const rows = await refused.where('destination', '=', noBucket).execute();
  for (const { id } of rows) expectedToFail.add(id);
}

/** Checks that each create has exactly the task that was answered. */
async function checkTasks({ database }: Cluster, created: readonly Created[]) {
  const violations: Violation[] = [];
  const report = (text: string) => violations.push({ invariant: 'wire', kind: 'unlawful', text });
  const rows = await database.queries
    .selectFrom('jobs')
    .select(['id', 'destinationPrefix'])
    .execute();
  const byPrefix = Map.groupBy(rows, ({ destinationPrefix }) => destinationPrefix);
  for (const { destinationPrefix, taskIds, isRefused } of created) {
    const jobs = byPrefix.get(destinationPrefix) ?? [];
    const ids = jobs.map(({ id }) => id).join(', ');
    const answered = [...taskIds].join(', ');
    // An attempt whose answer was lost can arrive after the one that was answered.
    if (isRefused && jobs.length > 1) report(`${destinationPrefix} was refused, but has ${ids}`);
    if (!isRefused && ids !== answered) report(`${destinationPrefix}: ${answered} has ${ids}`);
  }
  return violations;
}
