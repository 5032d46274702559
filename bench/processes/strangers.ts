import { randomUUID } from 'node:crypto';

import type { Database } from '#database/database.ts';
import { as } from '../../test/access.ts';
import { accessBy, callerIn } from '../../test/auth/policy-folder.ts';
import { makeRandom } from '../../test/random.ts';
import { openWorld, region, type World } from '../../test/world.ts';

/** How many jobs and tasks of somebody else there are, where, and in which order they are asked for. */
export interface Strangers {
  jobs: number;
  dataDir: string;
  databaseUrl?: string;
  seed: number;
}

/** What a stranger sees of them, beside as many that are not there. */
export interface StrangersSeen {
  routes: { route: string; ratio: number }[];
  /** Whether all answers have the same bytes, but for ids. */
  isAlike: boolean;
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
process.on('message', async (strangers: Strangers) => process.send?.(await look(strangers)));
process.send?.({});

async function look({ jobs, seed, ...home }: Strangers): Promise<StrangersSeen> {
  const access = accessBy('deploy/policies', { x: callerIn(['team-a']) });
  await using world = await openWorld({ jobs: home, access });
  const foreign = {
    jobs: await fill(world.database, jobs),
    tasks: world.emulator.seed.finishedTasks({ region, count: jobs }),
  };
  const random = makeRandom(seed);
  const texts = { jobs: new Set<string>(), tasks: new Set<string>() };
  const seen: StrangersSeen['routes'] = [];
  for (const [route, method, of, path] of routes) {
    const ask = async (id: string) => {
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
    for (let warmUp = 0; warmUp < Math.min(warmUps, jobs); warmUp++) await ask(randomUUID());
    const [foreignMs, unknownMs]: [number[], number[]] = [[], []];
    for (const id of foreign[of]) {
      const isForeignFirst = random() < 0.5;
      if (isForeignFirst) foreignMs.push(await ask(id));
      unknownMs.push(await ask(randomUUID()));
      if (!isForeignFirst) foreignMs.push(await ask(id));
      forget(world);
    }
    seen.push({ route, ratio: meanOf(foreignMs) / meanOf(unknownMs) });
  }
  return { routes: seen, isAlike: texts.jobs.size === 1 && texts.tasks.size === 1 };
}

/** The mean of the faster nine tenths: the others are what else the machine does. */
function meanOf(durationsMs: number[]): number {
  const counted = durationsMs.sort((a, b) => a - b).slice(0, Math.ceil(0.9 * durationsMs.length));
  return counted.reduce((sum, ms) => sum + ms, 0) / counted.length;
}

/** What was logged is of no use, and would be a lot in the end. */
function forget({ log, audit }: World): void {
  log.length = 0;
  audit.length = 0;
}

/** Puts jobs of one slice there, in few statements; their ids. */
async function fill({ queries }: Database, jobs: number): Promise<string[]> {
  const ids = Array.from({ length: jobs }, () => randomUUID());
  const line = { target: 'default', caller: 'test#somebody-else', priority: 0 };
  const window = { fromAt: 0, toAt: 1 };
  const job = { sliceBy: 'none', destination: 'archive', destinationPrefix: 'jobs/{jobId}' };
  const slice = { number: 0, logGroupName: '/app', readyAt: 0, state: 'completed' };
  const atOnce = 1_000; // databases take some ten thousand parameters
  for (let start = 0; start < jobs; start += atOnce) {
    const some = ids.slice(start, start + atOnce);
    const rows = some.map((id) => ({ id, ...line, ...window, ...job }));
    await queries
      .insertInto('jobs')
      .values(rows.map((row) => ({ ...row, isUnsettledAllowed: 0, acceptedAt: 1 })))
      .execute();
    await queries
      .insertInto('slices')
      .values(some.map((jobId) => ({ jobId, ...line, ...window, ...slice })))
      .execute();
  }
  return ids;
}
