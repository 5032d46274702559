import type { Database } from '#database/database.ts';
import { check, type Task, type Violation } from '../../../test/chaos/checker.ts';
import { readEvidence } from '../../../test/chaos/read-evidence.ts';
import type { AwsProcess } from '../../aws.ts';
import type { OrganisationTarget } from '../../organisation.ts';
import { waitUntil } from '../../wait-until.ts';

const kinds: readonly Violation['kind'][] = ['lost', 'duplicated', 'stuck', 'unlawful'];

/**
 * Waits until all slices have ended, and counts violations by the rules of the chaos suite. All jobs were
 * cancelled, so slices may end cancelled.
 */
export async function checkExports(
  database: Database,
  aws: AwsProcess,
  targets: readonly OrganisationTarget[],
): Promise<string> {
  const ended = ['completed', 'failed', 'cancelled', 'split'];
  const slices = database.queries.selectFrom('slices').select(['target', 'state']);
  await waitUntil({
    what: 'the end of all slices',
    read: () => slices.where('state', 'not in', ended).limit(10).execute(),
    isDone: (open) => open.length === 0,
    describe: (open) => JSON.stringify(open),
    pauseMs: () => 500,
  });

  const jobs = await database.queries.selectFrom('jobs').select('id').execute();
  const ids = jobs.map(({ id }) => id);
  const violations = check(
    await readEvidence(database, {
      accepted: ids,
      cancelled: new Set(ids),
      expectedToFail: new Set(),
      calls: [],
      observedCreates: [],
      tasks: await readTasks(aws),
      targets,
      absences: [],
      hasOldReplicas: false,
    }),
  );
  for (const { invariant, text } of violations) process.stderr.write(`${invariant} ${text}\n`);
  const tasks = (await aws.read()).tasks.filter(({ finishedAt }) => finishedAt !== undefined);
  const counts = kinds.map(
    (kind) => `${violations.filter((found) => found.kind === kind).length} ${kind}`,
  );
  return `${tasks.length} tasks: ${counts.join(', ')} (goal 0)`;
}

async function readTasks({ url }: AwsProcess): Promise<Task[]> {
  const response = await fetch(`${url}/_emulator/export-tasks`);
  const tasks = (await response.json()) as (Omit<Task, 'from' | 'to'> & {
    from: number;
    to: number;
  })[];
  return tasks.map((task) => ({ ...task, from: BigInt(task.from), to: BigInt(task.to) }));
}
