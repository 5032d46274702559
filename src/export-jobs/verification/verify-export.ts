import { awsLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { CrashPoint } from '../dispatcher/owned-slot.ts';
import type { ClaimedVerification } from '../store/verifications/claim-verification.ts';
import type { ExportTotals, Findings } from '../store/verifications/findings.ts';
import { type CountedExport, countExport } from './count/count-export.ts';
import { totalExport } from './list-export.ts';
import type { EmptinessEvidence } from './manifest/manifest.ts';
import { type WrittenManifest, writeManifest } from './manifest/write-manifest.ts';
import { proveEmptiness } from './prove-emptiness.ts';

/** What one look at an export needs. */
export interface VerificationContext {
  target: OpenTarget;
  /** Stores what was found, before the manifest is written. */
  save: (findings: Findings) => Promise<void>;
  /** Stores that a query has started. Returns how many there were for the export. */
  recordQuery: () => Promise<number>;
  sleep: AbortableSleep;
  signal: AbortSignal;
  reach: (point: CrashPoint) => Promise<void>;
  /** For how long objects may appear after their task is completed, in ms. */
  secondLookMs: number;
}

/** The result of one look. */
export type Verdict =
  | { outcome: 'complete'; findings: Findings; manifest: WrittenManifest | undefined }
  /** The role may not list the objects. */
  | { outcome: 'skipped' }
  | { outcome: 'incomplete'; problem: Problem }
  /** Objects may still appear. */
  | { outcome: 'look-again'; inMs: number };

// From this query on, a count that fails after its query has started is left out: AWS charges for each query. Fewer:
// an outage of some minutes weakens the proof. More: a proxy that changes answers costs more scans of the log group.
const maxQueries = 10;

/**
 * Looks at an export once: lists its objects, finds out whether an empty one should be empty, and writes its
 * manifest. It throws what AWS's answers mean, as long as they prove nothing.
 */
export async function verifyExport(
  claim: ClaimedVerification,
  context: VerificationContext,
): Promise<Verdict> {
  const { target, signal, save, recordQuery, reach, secondLookMs } = context;
  const { caller, logGroupName, destination, destinationPrefix, taskId } = claim;
  const grant = { logGroupName, destination, destinationPrefix, taskId };
  const storage = target.storage.scoped(grant, caller);
  const options = { caller, grant, lane: 'verification', signal } as const;

  const totals = await totalExport(storage, claim, options).catch(whyNotListed);
  if (totals instanceof Problem) {
    if (totals.slug === 'service-role-not-permitted') return { outcome: 'skipped' };
    return incomplete('The bucket of the export does not exist any more.');
  }
  const isLast = claim.ageMs >= secondLookMs;
  let queries = 0;
  const noteQuery = async () => {
    queries = await recordQuery();
  };
  const mayRepeat = () => queries < maxQueries || signal.aborted;
  const lookAgain = { outcome: 'look-again', inMs: secondLookMs - claim.ageMs } as const;

  let { findings } = claim;
  if (!findings || !areEqual(findings, totals)) {
    if (totals.objects === 0 && !isLast) return lookAgain;
    const counted =
      claim.mode === 'count'
        ? await countExport(claim, { ...context, storage, options, noteQuery, mayRepeat })
        : undefined;
    const fault = counted && faultOf(counted);
    if (fault !== undefined && !isLast) return lookAgain;
    if (fault !== undefined && (counted?.outcome === 'broken' || isProvable(claim)))
      return incomplete(fault);
    const emptiness =
      totals.objects === 0
        ? await findEmptiness(isProvable(claim), counted, () =>
            proveEmptiness(target.logs, claim, options),
          )
        : undefined;
    if (emptiness === 'has-events')
      return incomplete('AWS exported no objects, but the log group has log events.');
    findings = toFindings(totals, counted, emptiness);
    await save(findings);
  }

  await reach('before-manifest');
  const written = await writeManifest({ storage, target, claim, findings, options });
  await reach('after-manifest');
  if (written.outcome === 'changed') return { outcome: 'look-again', inMs: secondLookMs };
  if (written.outcome === 'differs') {
    return incomplete(`${written.key} exists already, and describes other objects.`);
  }
  if (written.outcome === 'written') {
    return { outcome: 'complete', findings, manifest: written.manifest };
  }
  const evidence = { ...findings.evidence, manifestProblem: written.problem.slug };
  return { outcome: 'complete', findings: { ...findings, evidence }, manifest: undefined };
}

/** A listing that was refused, or whose bucket is gone, is an answer. Everything else is an outage. */
function whyNotListed(problem: unknown): Problem {
  const isAnswer =
    problem instanceof Problem &&
    (problem.slug === 'service-role-not-permitted' || problem.slug === 'destination-not-found');
  if (!isAnswer) throw problem;
  return problem;
}

function incomplete(detail: string): Verdict {
  return { outcome: 'incomplete', problem: new Problem('export-incomplete', detail) };
}

const areEqual = (one: ExportTotals, other: ExportTotals) =>
  one.objects === other.objects && one.bytes === other.bytes && one.streams === other.streams;

/** What a count proves to be missing; undefined if nothing. */
function faultOf(counted: CountedExport): string | undefined {
  if (counted.outcome === 'broken') return `The object ${counted.key} is no whole gzip file.`;
  if (counted.outcome === 'not-counted') return undefined;
  const { lines, records, events } = counted;
  // Messages of several lines make more lines than log events. Other formats have no records.
  const found = records > 0 ? records : lines;
  if (found >= events) return undefined;
  return `The objects have ${found} log events, but the log group has ${events}.`;
}

/**
 * Whether log events in the time range of an export would show that it is incomplete. They do not if they may not
 * have been exportable. The time range of a task of AWS can also be reversed.
 */
function isProvable({ fromAt, toAt, submittedAt }: ClaimedVerification): boolean {
  return fromAt < toAt && toAt + awsLimits.settlingMs <= submittedAt;
}

const unproven: EmptinessEvidence = { checkedBy: 'ListObjectsV2', pages: 0, isExhaustive: false };

/** A count of no log events proves an export to be empty. Otherwise they are looked for. */
async function findEmptiness(
  isSettled: boolean,
  counted: CountedExport | undefined,
  prove: () => ReturnType<typeof proveEmptiness>,
): Promise<EmptinessEvidence | 'has-events'> {
  if (!isSettled) return unproven;
  if (counted?.outcome === 'counted' && counted.events === 0)
    return { checkedBy: 'StartQuery', pages: 0, isExhaustive: true };
  return (await prove()) ?? 'has-events';
}

function toFindings(
  totals: ExportTotals,
  counted: CountedExport | undefined,
  emptiness: EmptinessEvidence | undefined,
): Findings {
  const found = { ...totals, isEmpty: totals.objects === 0 };
  const ofEmptiness = emptiness && { emptiness };
  if (counted?.outcome === 'counted') {
    const { lines, records, events } = counted;
    const count = { lines, records, events };
    return { ...found, method: 'count', evidence: { ...ofEmptiness }, count };
  }
  const problem = counted?.outcome === 'not-counted' ? counted.problem : undefined;
  const deniedActions = [
    counted?.outcome === 'not-counted' && counted.deniedAction,
    emptiness?.problem === 'service-role-not-permitted' && 'logs:FilterLogEvents',
  ].filter((action) => typeof action === 'string');
  const evidence = {
    ...ofEmptiness,
    ...(problem && { countProblem: problem.slug }),
    ...(deniedActions.length > 0 && { deniedActions }),
  };
  return { ...found, method: 'objects', evidence };
}
