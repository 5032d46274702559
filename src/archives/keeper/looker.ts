import { randomBytes } from 'node:crypto';

import { lookEnds } from '#diagnostics/exports.ts';
import { Problem } from '#problems/problem.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import { type ClaimedLook, claimLook, type KeptArchive } from '../store/looks/claim-look.ts';
import { isStaleLook, releaseLook } from '../store/looks/hold-look.ts';
import type { KeeperAlerts } from './keeper-alerts.ts';
import type { KeeperOptions, Look } from './look.ts';
import { lookAtArchive } from './look-at-archive.ts';

/** Takes up looks and makes them: a few at once, each of another archive. */
export interface Looker {
  /** Begins the looks that are due, as far as those that go on leave room. */
  beginDue(): Promise<void>;
  /** Resolves when no look goes on. */
  whenIdle(): Promise<void>;
}

// The part of the time that looks at one archive take. Lower: the queue of a large archive is filled late. Higher:
// archives of ten thousand log groups keep the database busy.
const maxShare = 0.05;

/** Makes what takes up looks. `signal` ends them. */
export function makeLooker(
  options: KeeperOptions & { alerts: KeeperAlerts },
  signal: AbortSignal,
): Looker {
  const { database, timings, log, now, elapsed } = options;
  const outage = makeOutageLog({ log, now, elapsed });
  // Leases of an earlier process of the same name are not ours: nobody makes its looks.
  const owner = `${options.owner}/${randomBytes(4).toString('hex')}`;
  const running = new Map<string, { isWaiting: boolean; ended: Promise<void> }>();
  const restUntil = new Map<string, number>();
  const targets = new Set<string>();

  /** The looks that do not wait for AWS. */
  const countBusy = () => [...running.values()].filter(({ isWaiting }) => !isWaiting).length;

  function begin(claimed: ClaimedLook): void {
    const { archiveId } = claimed.lease;
    const entry = { isWaiting: false, ended: Promise.resolve() };
    running.set(archiveId, entry);
    const beganAt = elapsed();
    let busySince = beganAt;
    const noteEnd = (result: 'completed' | 'failed') =>
      lookEnds.publish({ result, durationMs: elapsed() - beganAt });
    let busyMs = 0;
    const onWaiting = (isWaiting: boolean) => {
      entry.isWaiting = isWaiting;
      if (isWaiting) busyMs += elapsed() - busySince;
      else busySince = elapsed();
    };
    const lookOnce = async () =>
      lookAtArchive(toLook(options, claimed, signal), { targets, onWaiting });
    entry.ended = lookOnce()
      .then(() => {
        outage.worked({}, 'archives are looked at again');
        noteEnd('completed');
      })
      .catch((err: Error) => {
        noteFailure(err);
        if (!isStaleLook(err) && !signal.aborted) noteEnd('failed');
      })
      .then(() => {
        // Before it is released: what follows is not its work.
        busyMs += elapsed() - busySince;
        const restMs = Math.min(timings.lookEveryMs, busyMs * (1 / maxShare - 1));
        if (restMs > 0) restUntil.set(archiveId, elapsed() + restMs);
        return releaseLook(database, claimed.lease);
      })
      .catch(noteFailure)
      .then(() => {
        running.delete(archiveId);
      });
    options.track?.(entry.ended);
  }

  function noteFailure(err: Error): undefined {
    if (isStaleLook(err) || signal.aborted) return;
    const problem = err instanceof Problem ? err.slug : undefined;
    outage.failed({ problem, err }, 'failed to look at an archive, retrying');
  }

  return {
    async beginDue() {
      for (const [id, until] of restUntil) if (until <= elapsed()) restUntil.delete(id);
      while (!signal.aborted && countBusy() < timings.looksAtOnce) {
        const left = [...restUntil.keys(), ...running.keys()];
        const claimed = await claimLook(database, owner, timings, left).catch(noteFailure);
        if (!claimed) return;
        begin(claimed);
      }
    },
    async whenIdle() {
      while (running.size > 0) await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

function toLook(
  options: KeeperOptions & { alerts: KeeperAlerts },
  { lease, archive }: ClaimedLook,
  signal: AbortSignal,
): Look {
  const { database, timings } = options;
  const { version } = archive;
  return {
    ...options,
    ...findTarget(options, archive),
    archive,
    writer: { database, lease, leaseMs: timings.leaseMs, version },
    signal,
    hasListed: false,
    hasLost: false,
    isChanged: false,
  };
}

/** Finds the target of an archive, or why nothing can be done there. */
function findTarget(
  { targets }: Pick<KeeperOptions, 'targets'>,
  { target: name, accountId, region }: KeptArchive,
): Pick<Look, 'target' | 'targetProblem'> {
  try {
    const closed = targets.whyClosed(name);
    if (closed) throw closed;
    const target = targets.find(name);
    const isMoved = accountId !== null && accountId !== target.accountId;
    if (!isMoved && (region === null || region === target.region))
      return { target, targetProblem: undefined };
    return { target: undefined, targetProblem: 'The target has another account or Region now.' };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { target: undefined, targetProblem: error.detail };
  }
}
