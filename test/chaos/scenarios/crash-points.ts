import type { EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import type { CrashPoint } from '#export-jobs/dispatcher/owned-slot.ts';
import { type Moment, makeAim } from '../aim.ts';
import { chaosLimits } from '../limits.ts';
import type { Replica } from '../replicas.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { evaluate } from '../verdict.ts';

/** The points of the protocol at which a process may end: two are seen from the other side only. */
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
  'before-orphan-cancel',
] as const satisfies (CrashPoint | Moment)[];

type Point = (typeof crashPoints)[number];

const isMoment = (point: Point): point is Moment & Point =>
  point === 'after-write' || point === 'after-effect';

/** What has to go wrong first, for every create, so that the point is reached at all. */
const preludes: Partial<Record<Point, { fault: Fault; emulator?: EmulatorOptions }>> = {
  'in-adopt': { fault: { kind: 'reset-after', operation: 'CreateExportTask' } },
  'in-requeue': { fault: { kind: 'reset-before', operation: 'CreateExportTask' } },
  'before-orphan-cancel': {
    fault: {
      kind: 'late-effect',
      operation: 'CreateExportTask',
      delayMs: chaosLimits.reconcileMs + 1_000,
    },
    emulator: { runningMs: 4_000 }, // or it is over before the sweeper has come by
  },
};

// A replica is caught at one of its first visits, not always at the very first.
const maxVisits = 3;

/** Kills replicas at one point of the protocol. */
export function killAtPoint(point: Point) {
  return async (options: ScenarioOptions): Promise<ScenarioReport> => {
    const { serverUrl, count, random, signal, onProgress } = options;
    const aim = makeAim(random);
    const prelude = preludes[point];
    await using stage = await openStage({
      serverUrl,
      signal,
      atCreate: aim.atCreate,
      ...(prelude?.emulator && { emulator: prelude.emulator }),
    });
    if (prelude) stage.emulator.faults.add({ ...prelude.fault, count: Number.POSITIVE_INFINITY });
    const work = stage.keepBusy();
    const over = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => over.resolve());
    let kills = 0;
    let hitsInStarting = 0;

    // Every replica has a trap: whichever works a slot gets there.
    async function killAgainAndAgain(replica: Replica): Promise<void> {
      while (kills < count && !signal.aborted) {
        const { ended, set, hasEnded } = replica.process();
        await Promise.race([setTrap(replica), ended, over.promise]);
        await Promise.race([ended, over.promise]);
        if (!hasEnded()) return set('none');
        if (await replica.wasStarting()) hitsInStarting += 1;
        replica.start();
        kills += 1;
        onProgress(kills);
        if (kills === count) over.resolve();
      }
    }

    async function setTrap(replica: Replica): Promise<void> {
      const process = replica.process();
      if (isMoment(point)) {
        await process.ready;
        await aim.strikeAt(replica, point, replica.kill);
      } else {
        const visit = 1 + Math.floor(random() * maxVisits);
        process.set({ point, visit, signal: 'SIGKILL' });
      }
    }

    await Promise.all(stage.replicas.map(killAgainAndAgain));
    aim.standDown();
    stage.emulator.faults.clear();
    await work.stop();
    return { trials: count, kills, hitsInStarting, ...(await evaluate(stage, signal)) };
  };
}
