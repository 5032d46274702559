import type { EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import type { CrashPoint } from '#export-jobs/dispatcher/owned-slot.ts';
import { openCluster } from '../cluster.ts';
import { type Moment, makeCreateInjector } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import type { Replica } from '../replicas.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';
import { chaosLimits } from '../shortened-limits.ts';

/** The points of the protocol at which a process may end. Two are visible only outside of it. */
export const crashPoints = [
  'before-intent',
  'in-intent',
  'after-intent',
  'before-send',
  'after-write',
  'after-effect',
  'before-outcome',
  'in-outcome',
  'in-adopt',
  'in-requeue',
  'in-split',
  'before-orphan-cancel',
  'before-manifest',
  'after-manifest',
  'in-verdict',
] as const satisfies (CrashPoint | Moment)[];

type Point = (typeof crashPoints)[number];

const isMoment = (point: Point): point is Moment & Point =>
  point === 'after-write' || point === 'after-effect';

/** The fault of every create that is necessary to reach the point. */
const preludes: Partial<Record<Point, { fault: Fault; emulator?: EmulatorOptions }>> = {
  'in-adopt': { fault: { kind: 'reset-after', operation: 'CreateExportTask' } },
  'in-requeue': { fault: { kind: 'reset-before', operation: 'CreateExportTask' } },
  // Every task of an hour fails, and those of its quarters do not.
  'in-split': {
    fault: { kind: 'task-fails', operation: 'CreateExportTask', longerThanMs: 900_000 },
  },
  'before-orphan-cancel': {
    fault: {
      kind: 'late-effect',
      operation: 'CreateExportTask',
      delayMs: chaosLimits.reconcileMs + 1_000,
    },
    emulator: { runningMs: 4_000 }, // shorter: it ends before the sweep finds it
  },
};

// The kill comes at one of the first visits, not always at the first.
const maxVisits = 3;

/** Kills replicas at one point of the protocol. */
export function killAtPoint(point: Point) {
  return async (options: ScenarioOptions): Promise<ScenarioReport> => {
    const { serverUrl, count, random, signal, onProgress } = options;
    const injector = makeCreateInjector(random);
    const prelude = preludes[point];
    await using cluster = await openCluster({
      serverUrl,
      signal,
      atCreate: injector.atCreate,
      ...(prelude?.emulator && { emulator: prelude.emulator }),
    });
    if (prelude) cluster.emulator.faults.add({ ...prelude.fault, count: Number.POSITIVE_INFINITY });
    const work = cluster.keepBusy();
    const finished = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => finished.resolve());
    let kills = 0;
    let hitsInStarting = 0;

    // Every replica has a trap: the owner of a slot reaches it.
    async function killRepeatedly(replica: Replica): Promise<void> {
      while (kills < count && !signal.aborted) {
        const { ended, set, hasEnded } = replica.process();
        await Promise.race([setTrap(replica), ended, finished.promise]);
        await Promise.race([ended, finished.promise]);
        if (!hasEnded()) return set('none');
        if (await replica.wasStarting()) hitsInStarting += 1;
        replica.start();
        kills += 1;
        onProgress(kills);
        if (kills === count) finished.resolve();
      }
    }

    async function setTrap(replica: Replica): Promise<void> {
      const process = replica.process();
      if (isMoment(point)) {
        await process.ready;
        await injector.injectAt(replica, point, replica.kill);
      } else {
        const visit = 1 + Math.floor(random() * maxVisits);
        process.set({ point, visit, signal: 'SIGKILL' });
      }
    }

    await Promise.all(cluster.replicas.map(killRepeatedly));
    injector.stop();
    cluster.emulator.faults.clear();
    await work.stop();
    return { trials: count, kills, hitsInStarting, ...(await evaluate(cluster, signal)) };
  };
}
