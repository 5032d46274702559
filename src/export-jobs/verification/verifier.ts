import { randomBytes } from 'node:crypto';

import { setAsNewest } from '#caching/bounded-map.ts';
import { verificationEnds } from '#diagnostics/exports.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { makeOutageLog, type OutageLog } from '#telemetry/outage-log.ts';
import { backOffMs } from '#time/back-off.ts';
import { untilAborted } from '#time/until-aborted.ts';
import { toStored } from '../dispatcher/attempts/stored-problem.ts';
import type { SharedOptions } from '../dispatcher/replica/dispatcher-options.ts';
import { slicesCalmMs } from '../dispatcher/slot-outages.ts';
import { isStaleState } from '../store/steps/stale-state.ts';
import {
  type ClaimedVerification,
  claimVerification,
} from '../store/verifications/claim-verification.ts';
import { renewVerification } from '../store/verifications/due-verifications.ts';
import {
  putOffVerification,
  recordFindings,
  recordQuery,
} from '../store/verifications/record-verification.ts';
import { findPlaces } from './find-places.ts';
import { recordVerdict } from './record-verdict.ts';
import { verifyExport } from './verify-export.ts';

/** Verifies the exports of completed tasks, of all targets, beside the slots. */
export interface Verifier {
  /** Takes up what is due. */
  wake(): void;
  /** Renews the leases of what is in progress, if it is time. */
  renew(): Promise<void>;
  /** Leaves what is in progress to others. */
  close(): Promise<void>;
}

/** What the verifier needs. */
export interface VerifierOptions extends SharedOptions {
  /** Wakes the dispatcher: a slice may wait again. */
  wakeDispatcher: () => void;
}

// The pause at a target that is not checked yet, such as after a start. Shorter: a write for each. Longer: slices
// complete later.
const untilCheckedMs = 2_000;
// How long after the end of a task the export of a cancelled job is kept for a replica that can look at it. Shorter: a
// minute without STS, or a replica that knows only the new place, discards a whole export. Longer: the job stays
// `cancelling`.
const goneMs = 15 * 60_000;
// How many targets are remembered as failing. Fewer: an outage has more lines. More: memory.
const maxOutages = 1_000;
// How many callers are remembered as served. Fewer: callers with many slices are served first. More: memory.
const maxServed = 100;

/** Opens the verifier. It does nothing before it is woken. */
export function openVerifier(options: VerifierOptions): Verifier {
  const { database, targets, timings, elapsed, random, sleep, databaseOutage } = options;
  const { reach = async () => {}, track } = options;
  const { leaseMs, secondLookMs, verifyAgainAfter } = timings;
  const stop = new AbortController();
  const { signal } = stop;
  // Leases of an earlier process of the same name are not ours: nobody works at them.
  const owner = `${options.owner}/${randomBytes(4).toString('hex')}`;
  const running = new Map<string, { claim: ClaimedVerification; ended: Promise<void> }>();
  // Of the targets whose last verification has failed.
  const outages = new Map<string, OutageLog>();
  // The callers that were served, the last one at the end.
  const served = new Map<string, true>();
  const slices = makeOutageLog({ ...options, calmMs: slicesCalmMs });
  let claiming: Promise<void> | undefined;
  let isWanted = false;
  let renewedAt = elapsed();

  function wake(): void {
    isWanted = true;
    if (claiming || signal.aborted) return;
    claiming = claimAll().finally(() => {
      claiming = undefined;
      if (isWanted) wake();
    });
    track?.(claiming);
  }

  /** Takes up verifications until none is due, or enough are in progress. */
  async function claimAll(): Promise<void> {
    while (isWanted && !signal.aborted) {
      isWanted = false;
      if (running.size === 0) renewedAt = elapsed();
      while (!signal.aborted) {
        const claims = [...running.values()].map(({ claim }) => claim);
        const places = findPlaces(claims, outages);
        if (!places) break;
        const draining = targets.listDraining();
        const scope = { ...places, served: [...served.keys()], draining };
        const claim = await claimVerification(database, { owner, leaseMs, scope }).catch(
          noteDatabaseFailure,
        );
        if (!claim) break;
        start(claim);
      }
    }
  }

  function start(claim: ClaimedVerification): void {
    // With its number: after a freeze, one whose lease was lost can still be in progress.
    const key = `${claim.jobId} ${claim.slice} ${claim.attempt} ${claim.looks}`;
    const ended = verify(claim)
      .catch((error: Error) => recover(claim, error))
      .catch(noteDatabaseFailure)
      .then(() => {
        running.delete(key);
        wake(); // others may have waited for this one
      });
    running.set(key, { claim, ended });
    setAsNewest(served, claim.caller, true, maxServed);
    track?.(ended);
  }

  async function verify(claim: ClaimedVerification): Promise<void> {
    const target = targets.forDispatcher(claim.target);
    if (!target && targets.look(claim.target)?.state === 'unchecked') {
      return putOffVerification(database, claim, untilCheckedMs, undefined);
    }
    if (!target || target.accountId !== claim.accountId || target.region !== claim.region) {
      const problem = elsewhere(target);
      if (!claim.isCancelRequested || claim.ageMs < goneMs) throw problem;
      // Otherwise the job would never end if the account or the role is gone for good.
      await recordVerdict({ ...options, slices }, claim, { outcome: 'incomplete', problem });
      return options.onChange(claim.jobId);
    }
    const beganAt = elapsed();
    const looking = verifyExport(claim, {
      target,
      save: (findings) => recordFindings(database, claim, leaseMs, findings),
      recordQuery: () => recordQuery(database, claim),
      sleep,
      signal,
      reach,
      secondLookMs,
    });
    const verdict = await untilAborted(looking, signal);
    outages.get(claim.target)?.worked({ target: claim.target }, 'verifies exports again');
    outages.delete(claim.target);
    if (verdict.outcome === 'look-again') {
      return putOffVerification(database, claim, Math.max(0, verdict.inMs), undefined);
    }
    await recordVerdict({ ...options, slices }, claim, verdict);
    if (verdict.outcome === 'complete') slices.worked({}, 'slices complete again');
    const durationMs = claim.ageMs + elapsed() - beganAt;
    const result =
      verdict.outcome === 'complete' && verdict.findings.isEmpty ? 'empty' : verdict.outcome;
    verificationEnds.publish({ target: claim.target, result, durationMs });
    options.onChange(claim.jobId);
    if (verdict.outcome === 'incomplete') options.wakeDispatcher();
  }

  /** Nothing is known of the export: it is looked at again, however long it takes. */
  async function recover(claim: ClaimedVerification, error: Error): Promise<void> {
    if (isStaleState(error)) return; // another process has it
    if (signal.aborted) return putOffVerification(database, claim, 0, undefined);
    const problem = error instanceof Problem ? error : undefined;
    const pauseMs = backOffMs(claim.looks, verifyAgainAfter) * (1 + random());
    const { target, jobId, slice, attempt } = claim;
    const facts = { target, jobId, slice, attempt, problem: problem?.slug, err: error };
    const outage = outageOf(target);
    outage.failed({ ...facts, pauseMs }, 'failed to verify an export, retrying');
    const stored = problem && JSON.stringify({ ...toStored(problem), ...remedyOf(problem) });
    await putOffVerification(database, claim, pauseMs, stored);
    if (stored !== undefined && stored !== claim.problem) options.onChange(jobId);
  }

  function outageOf(target: string): OutageLog {
    const outage = outages.get(target) ?? makeOutageLog(options);
    setAsNewest(outages, target, outage, maxOutages);
    return outage;
  }

  function noteDatabaseFailure(err: Error): undefined {
    if (signal.aborted) return;
    const problem = err instanceof Problem ? err.slug : undefined;
    databaseOutage.failed({ problem, err }, 'failed to store a verification, retrying');
  }

  return {
    wake,
    async renew() {
      if (running.size === 0 || elapsed() - renewedAt < leaseMs / 3) return;
      const beganAt = elapsed();
      // Not all that we have claimed: one whose release has failed must become free.
      for (const { claim } of running.values()) await renewVerification(database, claim, leaseMs);
      renewedAt = beganAt;
    },
    async close() {
      stop.abort();
      await claiming;
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

/** Why a verification must wait for another configuration, or for another replica. */
const elsewhere = (target: OpenTarget | undefined) =>
  new Problem(
    'target-not-found',
    target
      ? 'The target has another account or Region now.'
      : 'The target is not configured, or cannot be used now.',
  );

/** What to do about a failure that ends by itself. The remedy of its kind is for requests. */
function remedyOf({ kind }: Problem): { remedy: string } | undefined {
  if (!kind.isRetryable || kind.status < 503) return undefined;
  return { remedy: 'Do nothing: this service looks at the export again until AWS answers.' };
}
