import { type SliceProblem, showProblem } from '#export-jobs/export-job.ts';
import type { Warning } from '#export-tasks/export-task.ts';
import { toDateTime } from '#time/date-time.ts';
import type { ArchiveDefinition, ArchiveState } from '../archive.ts';
import { stateOf } from '../partitions/archive-state.ts';
import type { StoredArchive } from '../store/reads/read-archives.ts';
import type { Archive } from './archive-view.ts';
import { toStopRemedy } from './stop-remedy.ts';

/** The state of an archive, as its last look found it. Before that, nothing is known to be covered. */
export function currentStateOf(
  archive: Pick<StoredArchive, 'endedAt' | 'pausedAt' | 'summary'>,
): ArchiveState {
  return stateOf(archive, archive.summary ?? { state: 'behind' });
}

/** Makes the ETag of an archive: of what callers can change of it, and of its version. */
export function etagOf({ definitionDigest, version }: StoredArchive): string {
  return `"${definitionDigest}-${version}"`;
}

/**
 * Whether an ETag is of an archive with this definition. Its progress does not count: otherwise a change
 * would fail whenever an export has ended meanwhile.
 */
export function isDefinitionOf(etag: string, { definitionDigest }: StoredArchive): boolean {
  return etag.startsWith(`"${definitionDigest}-`);
}

/** Shows an archive to a caller who may read it. `basePath` is the public path prefix of all links. */
export function showArchive(
  archive: StoredArchive,
  basePath: string,
  warnings: readonly Warning[] = [],
): Archive {
  const { id, target, name, caller, definition, createdAt, endedAt, stopProblem } = archive;
  const self = `${basePath}/archives/${id}`;
  return {
    id,
    ...showArchiveFacts({ target, name, caller }, definition, warnings),
    state: currentStateOf(archive),
    createdAt: toDateTime(createdAt),
    ...showPause(archive),
    ...(endedAt !== null && { endedAt: toDateTime(endedAt) }),
    ...(stopProblem !== null && { stopProblem: showStop(stopProblem, basePath) }),
    ...showProgress(archive),
    links: {
      self,
      coverage: `${self}/coverage`,
      pause: `${self}/pause`,
      resume: `${self}/resume`,
      backfills: `${self}/backfills`,
      waivers: `${self}/waivers`,
    },
  };
}

/** Shows the values of a planned or accepted archive. */
export function showArchiveFacts(
  { target, name, caller }: Pick<StoredArchive, 'target' | 'name' | 'caller'>,
  definition: ArchiveDefinition,
  warnings: readonly Warning[],
) {
  const { logGroupNames, logGroupNamePrefix, exceptLogGroupNamePrefixes } = definition;
  const { partitionBy, fromAt, toAt, destination, destinationPrefix, priority } = definition;
  const { refreshDays, catchUpDays, verification, heartbeatUrl, isOverloadAllowed } = definition;
  return {
    target,
    name,
    caller,
    ...(logGroupNames !== null && { logGroupNames: [...logGroupNames] }),
    ...(logGroupNamePrefix !== null && { logGroupNamePrefix }),
    exceptLogGroupNamePrefixes: [...exceptLogGroupNamePrefixes],
    partitionBy,
    from: toDateTime(fromAt),
    ...(toAt !== null && { to: toDateTime(toAt) }),
    destination,
    destinationPrefix,
    priority,
    refreshDays,
    ...(catchUpDays !== null && { catchUpDays }),
    verification,
    ...(heartbeatUrl !== null && { heartbeatOrigin: new URL(heartbeatUrl).origin }),
    allowOverload: isOverloadAllowed,
    ...(warnings.length > 0 && { warnings: [...warnings] }),
  };
}

function showStop(stopProblem: string, basePath: string) {
  const problem: SliceProblem = JSON.parse(stopProblem);
  const stopped = { ...problem, remedy: toStopRemedy(problem.remedy) };
  return showProblem(JSON.stringify(stopped), basePath);
}

function showPause({ pausedAt, pausedBy, pauseReason, endedAt }: StoredArchive) {
  if (pausedAt === null || endedAt !== null) return {};
  const pause = { at: toDateTime(pausedAt), caller: pausedBy ?? '', reason: pauseReason ?? '' };
  return { pause };
}

function showProgress({ summary, lookedAt }: StoredArchive) {
  if (summary === null || lookedAt === null) return {};
  const { watermarkAt, logGroups, partitions, emptyPartitions, failedRepeats = 0 } = summary;
  const { nextExpiryAt, nextExpiryOf, slotShare, listingProblem } = summary;
  return {
    progress: {
      lookedAt: toDateTime(lookedAt),
      ...(watermarkAt !== null && { watermark: toDateTime(watermarkAt) }),
      logGroupCount: logGroups,
      partitionCounts: partitions,
      emptyPartitionCount: emptyPartitions,
      failedRepeatCount: failedRepeats,
      ...(nextExpiryAt !== null && {
        nextExpiry: {
          at: toDateTime(nextExpiryAt),
          ...(nextExpiryOf !== null && { logGroupName: nextExpiryOf }),
        },
      }),
      slotShare,
      ...(listingProblem !== undefined && { listingProblem }),
    },
  };
}
