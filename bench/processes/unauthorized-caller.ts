import { randomUUID } from 'node:crypto';

import type { Database } from '#database/database.ts';
import { as } from '../../test/access.ts';
import { accessBy, callerIn } from '../../test/auth/policy-folder.ts';
import { makeRandom } from '../../test/random.ts';
import { openWorld, region, type World } from '../../test/world.ts';

/** The number of foreign jobs and tasks, their storage backend, and the seed of the order of reads. */
export interface UnauthorizedReads {
  jobs: number;
  dataDir: string;
  databaseUrl?: string;
  seed: number;
}

/** Answers about foreign jobs and tasks, compared with answers about some that do not exist. */
export interface UnauthorizedResult {
  routes: { route: string; ratio: number }[];
  /** Whether all answers have the same bytes, except for ids. */
  hasSameBytes: boolean;
}

const routes: [route: string, method: string, of: 'jobs' | 'tasks', path: string][] = [
  ['get', 'GET', 'jobs', ''],
  ['slices', 'GET', 'jobs', '/slices'],
  ['events', 'GET', 'jobs', '/events'],
  ['cancel', 'POST', 'jobs', '/cancel'],
  ['retry', 'POST', 'jobs', '/retry'],
  ['task', 'GET', 'tasks', ''],
  ['cancel task', 'POST', 'tasks', '/cancel'],
];
const warmUps = 500;

process.on('disconnect', () => process.exit());
process.on('message', async (reads: UnauthorizedReads) => process.send?.(await measure(reads)));
process.send?.({});

async function measure({ jobs, seed, ...storage }: UnauthorizedReads): Promise<UnauthorizedResult> {
  const access = accessBy('deploy/policies', { x: callerIn(['team-a']) });
  await using world = await openWorld({ jobs: storage, access });
  const foreign = {
    jobs: await fill(world.database, jobs),
    tasks: world.emulator.seed.finishedTasks({ region, count: jobs }),
  };
  const random = makeRandom(seed);
  const texts = { jobs: new Set<string>(), tasks: new Set<string>() };
  const results: UnauthorizedResult['routes'] = [];
  for (const [route, method, of, path] of routes) {
    const call = async (id: string) => {
      const beganAt = performance.now();
      const { text, body } = await world.call(
        method,
        `/export-${of}/${id}${path}`,
        undefined,
        as('x'),
      );
      const tookMs = performance.now() - beganAt;
      texts[of].add(text.replace(body.instance, '').replaceAll(id, ''));
      return tookMs;
    };
    for (let warmUp = 0; warmUp < Math.min(warmUps, jobs); warmUp++) await call(randomUUID());
    const [foreignMs, unknownMs]: [number[], number[]] = [[], []];
    for (const id of foreign[of]) {
      const isForeignFirst = random() < 0.5;
      if (isForeignFirst) foreignMs.push(await call(id));
      unknownMs.push(await call(randomUUID()));
      if (!isForeignFirst) foreignMs.push(await call(id));
      clearLogs(world);
    }
    results.push({ route, ratio: meanOf(foreignMs) / meanOf(unknownMs) });
  }
  return { routes: results, hasSameBytes: texts.jobs.size === 1 && texts.tasks.size === 1 };
}

/** The mean of the faster nine tenths: the slower ones are mostly other load on the machine. */
function meanOf(durationsMs: number[]): number {
  const counted = durationsMs.sort((a, b) => a - b).slice(0, Math.ceil(0.9 * durationsMs.length));
  return counted.reduce((sum, ms) => sum + ms, 0) / counted.length;
}

/** Empties the logs, which would use a lot of memory. */
function clearLogs({ log, audit }: World): void {
  log.length = 0;
  audit.length = 0;
}

/** Inserts jobs of one slice, in few statements. Returns their ids. */
async function fill({ queries }: Database, jobs: number): Promise<string[]> {
  const ids = Array.from({ length: jobs }, () => randomUUID());
  const queue = { target: 'default', caller: 'test#another-caller', priority: 0 };
  const window = { fromAt: 0, toAt: 1 };
  const job = { sliceBy: 'none', destination: 'archive', destinationPrefix: 'jobs/{jobId}' };
  const slice = { number: 0, logGroupName: '/app', readyAt: 0, state: 'completed' };
  const batchSize = 1_000; // databases accept about ten thousand parameters
  for (let start = 0; start < jobs; start += batchSize) {
    const batch = ids.slice(start, start + batchSize);
    const rows = batch.map((id) => ({ id, ...queue, ...window, ...job }));
    await queries
      .insertInto('jobs')
      .values(rows.map((row) => ({ ...row, isUnsettledAllowed: 0, acceptedAt: 1 })))
      .execute();
    await queries
      .insertInto('slices')
      .values(batch.map((jobId) => ({ jobId, ...queue, ...window, ...slice })))
      .execute();
  }
  return ids;
}
