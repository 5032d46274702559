import { toExportQuestion } from '#export-jobs/access/export-question.ts';
import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import type { OpenTarget } from '#targets/target.ts';
import { nextRevision } from '../../store/partitions/next-revision.ts';
import {
  hasEndedJob,
  type PartitionJob,
  readPartitionJobs,
} from '../../store/partitions/read-queued.ts';
import { readSentRevision } from '../../store/partitions/sent-revision.ts';
import type { Candidate } from '../log-groups/survey-log-groups.ts';
import type { Look } from '../look.ts';
import { lookIdOf } from './withdraw-partitions.ts';

/** The priority of exports at risk: before that of people, which is 0. */
export const raisedPriority = 5;
// Each decision takes some tenths of a millisecond. Fewer: where the policies refuse many partitions, the others
// wait for later looks. More: other requests wait.
const maxDecisions = 60;

/** A partition with the job that exports it. */
export interface PartitionOfExport {
  archiveId: string;
  logGroupName: string;
  incarnation: number;
  fromAt: number;
  toAt: number;
  jobId: string;
  revision: number;
  failures: number;
  /** The cause of its latest failure: a `SliceProblem` as JSON. */
  problem: string | null;
}

/** An export that the policies permit: of a new job, of one that is retried, or of one that somebody retried. */
export interface PlannedExport {
  partition: PartitionOfExport;
  kind: 'new' | 'retry' | 'retried';
  priority: number;
  policies: readonly string[];
}

/** The most urgent exports of an archive, and the partitions that the policies refuse. */
interface PlannedExports {
  exports: PlannedExport[];
  refused: PartitionOfExport[];
}

/** Plans the exports of the most urgent partitions, at most `room`. */
export async function planExports(
  look: Look,
  target: OpenTarget,
  candidates: readonly Candidate[],
  room: number,
): Promise<PlannedExports> {
  const { archive, newId } = look;
  const planned: PlannedExports = { exports: [], refused: [] };
  for (const candidate of candidates.slice(0, maxDecisions)) {
    if (planned.exports.length >= room) break;
    const { logGroupName, incarnation, fromAt, toAt, row } = candidate;
    const key = { archiveId: archive.id, logGroupName, incarnation, fromAt, toAt };
    const { failures = 0, problem = null } = row ?? {};
    const known = row?.jobId ? await readJob(look, row.jobId) : undefined;
    if (row && known && !hasEndedJob(known)) {
      const partition = { ...key, failures, problem, jobId: known.id, revision: row.revision };
      const { priority } = known;
      planned.exports.push({ partition, kind: 'retried', priority, policies: [] });
      continue;
    }
    const job = known && isRepeatable(look, candidate, known) ? known : undefined;
    const revision = row && job ? row.revision : await revisionOf(look, { ...key, row });
    const partition = { ...key, failures, problem, jobId: job?.id ?? newId(), revision };
    const attempt = (job?.attempts ?? 0) + 1;
    const permit = permitOf(look, target, partition, { attempt, isAtRisk: candidate.isAtRisk });
    if (permit) planned.exports.push({ partition, kind: job ? 'retry' : 'new', ...permit });
    else planned.refused.push(partition);
  }
  return planned;
}

async function readJob({ database }: Look, jobId: string): Promise<PartitionJob | undefined> {
  return (await readPartitionJobs(database.queries, [jobId])).get(jobId);
}

/** Whether a retry of a job exports the partition as the archive is defined now. */
function isRepeatable({ archive }: Look, { fromAt, toAt }: Candidate, job: PartitionJob): boolean {
  const { destination, destinationPrefix, verification } = archive.definition;
  return (
    job.states.has('failed') &&
    !job.isCancelRequested &&
    job.fromAt === fromAt &&
    job.toAt === toAt &&
    job.destination === destination &&
    job.destinationPrefix === destinationPrefix &&
    job.verification === verification
  );
}

/** Above the revisions of all exports of the partition, also of those that failed. */
async function revisionOf(
  { archive, database }: Look,
  {
    row,
    ...partition
  }: Omit<PartitionOfExport, 'jobId' | 'revision' | 'failures' | 'problem'> &
    Pick<Candidate, 'row'>,
): Promise<number> {
  const { partitionBy } = archive.definition;
  const revised = { ...partition, partitionBy };
  const sent = await readSentRevision(database.queries, revised);
  const next = Math.max(sent + 1, await nextRevision(database.queries, revised));
  if (!row) return next;
  return Math.max(next, row.revision + (row.jobId === null ? 0 : 1));
}

/**
 * Decides whether the policies permit an export, as each of its slices is decided again. An export at risk is
 * raised if they permit that.
 */
export function permitOf(
  { archive, writer, authorizer }: Look,
  target: OpenTarget,
  {
    jobId,
    revision,
    ...values
  }: Omit<PartitionOfExport, 'archiveId' | 'incarnation' | 'failures' | 'problem'>,
  { attempt, isAtRisk }: { attempt: number; isAtRisk: boolean },
): Pick<PlannedExport, 'priority' | 'policies'> | undefined {
  const { definition, principal } = archive;
  const request = { principal, id: lookIdOf(writer.lease) };
  const { destination, destinationPrefix: prefixTemplate, priority } = definition;
  const timeZone = 'UTC';
  const template = readPrefixTemplate(prefixTemplate, { target, jobId, timeZone, revision });
  const destinationPrefix = template.render({ ...values, attempt });
  const priorities =
    isAtRisk && priority < raisedPriority ? [raisedPriority, priority] : [priority];
  for (const one of priorities) {
    const question = { ...values, destination, destinationPrefix, priority: one };
    const decision = authorizer.decide(request, toExportQuestion(target, question));
    if (decision.isPermitted) return { priority: one, policies: decision.policies };
  }
  return undefined;
}
