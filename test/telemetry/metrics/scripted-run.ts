import { readArchiveFigures } from '#archives/store/reads/read-archive-figures.ts';
import { writeFailures } from '#diagnostics/lost-lines.ts';
import { readOpenSlices } from '#export-jobs/queue/read-open-slices.ts';
import { makeMarker } from '#targets/marker.ts';
import type { MeasuredTarget } from '#telemetry/metrics/instruments.ts';
import { type MetricsOptions, openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { archiveRow } from '../../archives/archive-rows.ts';
import { openQueue, type Queue, refusal } from '../../export-jobs/open-queue.ts';
import { createBody, openWorld } from '../../world.ts';

const region = 'eu-west-1';
const archiveId = '3f1c6a52-7d0e-4b1f-9a55-0c2f5a3d9e11';

/** The metrics after the run, and texts of its jobs, tasks and callers. */
export interface ScriptedRun {
  text: string;
  secrets: string[];
}

/**
 * Runs a gateway through what its metrics count, in virtual time: requests, calls to AWS, exports of every
 * outcome, lost answers, a foreign task and an orphaned one. At the end, one slice runs and others wait.
 * Every metric has a sample then.
 */
export async function runScript(): Promise<ScriptedRun> {
  const around: Pick<MetricsOptions, 'elapsed'> & {
    targets: () => Iterable<MeasuredTarget>;
    read: () => ReturnType<typeof readOpenSlices>;
    readArchives: () => ReturnType<typeof readArchiveFigures>;
  } = {
    elapsed: () => 0,
    targets: () => [],
    read: async () => [],
    readArchives: async () => [],
  };
  using metrics = openMetrics({
    targets: () => around.targets(),
    elapsed: () => around.elapsed(),
    jobs: { read: () => around.read(), isDatabaseReady: () => true, sleep: async () => {} },
    archives: { read: () => around.readArchives(), sleep: async () => {} },
    notifications: { read: async () => [], sleep: async () => {} },
  });

  await callApi();
  for (const output of ['audit', 'log'] as const)
    for (const isFailing of [true, false]) writeFailures.publish({ output, isFailing });
  await using queue = await openQueue({ emulator: { pendingMs: 0, runningMs: 30_000 } });
  around.targets = () => queue.targets.list();
  around.elapsed = queue.time.now;
  const secrets = await exportEverything(queue);
  await queue.database.queries
    .insertInto('archives')
    .values(archiveRow({ id: archiveId, name: 'secret archive' }))
    .execute();
  const readings: Promise<unknown>[] = [];
  const noted = <Reading extends Promise<unknown>>(reading: Reading) => {
    readings.push(reading);
    return reading;
  };
  // Later than the failures of databases that earlier tests of this process have left.
  around.elapsed = () => queue.time.now() + 120_000;
  around.read = () => noted(readOpenSlices(queue.database, 1));
  around.readArchives = () => noted(readArchiveFigures(queue.database));
  await metrics.render();
  while (readings.length < 2) await new Promise(setImmediate);
  await Promise.all(readings);
  await new Promise(setImmediate);
  return { text: await metrics.render(), secrets };
}

async function callApi(): Promise<void> {
  await using world = await openWorld();
  await world.call('POST', '/export-tasks', createBody);
  await world.call('GET', '/secret-path?target=secret-target');
  await world.call('GET', '/export-tasks/secret-task');
}

async function exportEverything(queue: Queue): Promise<string[]> {
  const { emulator, time } = queue;
  const logGroupName = '/secret-log-group';
  emulator.seed.logGroup({ region, logGroupName });
  const put = (slices = 1) => queue.put({ slices, logGroupName, caller: 'secret-caller' });
  const jobs = [await put(2)];
  await queue.runUntilDone();

  emulator.faults.add({ kind: 'reset-after', operation: 'CreateExportTask' });
  jobs.push(await put());
  await queue.runUntilDone();
  emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
  jobs.push(await put());
  await queue.runUntilDone();
  emulator.faults.add({ ...refusal, operation: 'CreateExportTask' });
  jobs.push(await put());
  await queue.runUntilDone();

  emulator.seed.foreignTask({ region, durationMs: 60_000 });
  jobs.push(await put());
  await queue.runUntilDone();

  const cancelled = await put(3);
  await time.runUntil(async () => (await queue.states(cancelled)).includes('running'));
  await queue.cancel(cancelled);
  await queue.runUntilDone();

  const installation = await queue.database.queries
    .selectFrom('installation')
    .selectAll()
    .executeTakeFirstOrThrow();
  const taskName = makeMarker(installation, { jobId: 'gone', slice: 0, attempt: 1 }, 'abcdef');
  emulator.seed.foreignTask({ region, durationMs: 60_000, order: { taskName } });
  await time.runUntil(() => queue.log.some(({ alert }) => alert === 'duplicate_export_detected'));

  const last = await put(3);
  await queue.put({ readyInMs: 3_600_000, caller: 'secret-caller' });
  await time.runUntil(async () => (await queue.states(last)).includes('running'));
  await time.runFor(1_000);
  const tasks = emulator.exportTasks().map(({ taskId }) => taskId);
  return [...jobs, cancelled, last, ...tasks, archiveId, 'secret', '"archive"', 'xp1-'];
}
