import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import type { Warning } from '#export-tasks/export-task.ts';
import { Problem } from '#problems/problem.ts';
import type { Targets } from '#targets/target.ts';
import type { ArchiveAccess } from '../access/archive-access.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { type ChangeArchive, patchArchive } from '../planning/definition/change-archive-body.ts';
import { readDefinition } from '../planning/definition/read-definition.ts';
import { planArchive } from '../planning/plan-archive.ts';
import { readWaiver } from '../planning/requests/read-waiver.ts';
import type { CreateWaiver } from '../planning/requests/waiver-body.ts';
import { isDefinitionOf } from '../presenters/show-archive.ts';
import { type ShownWaiver, showWaiver } from '../presenters/waiver-view.ts';
import type { StoredArchive } from '../store/reads/read-archives.ts';
import { addWaiver, nothingToWaive } from '../store/requests/add-waiver.ts';
import { changeArchive } from '../store/requests/change-archive.ts';
import { refreshAgain } from '../store/requests/export-again.ts';
import { requireSlotTime } from '../store/requests/require-slot-time.ts';

/** The changes of an archive that its callers can request. */
export interface ArchiveChanges {
  /**
   * Changes the definition, if it is the one that the caller knows. Returns warnings about the result.
   * @throws Problem archive-not-found, precondition-required, precondition-failed, archive-ended, and those
   * of `planArchive`
   */
  patch(
    request: CallerRequest,
    archiveId: string,
    patch: ChangeArchive,
    ifMatch: string | undefined,
  ): Promise<Warning[]>;
  /** @throws Problem archive-not-found, archive-ended */
  pause(request: CallerRequest, archiveId: string, reason: string): Promise<void>;
  /** @throws Problem archive-not-found, archive-ended */
  resume(request: CallerRequest, archiveId: string, reason: string): Promise<void>;
  /** Ends an archive. It may be repeated. @throws Problem archive-not-found */
  end(request: CallerRequest, archiveId: string): Promise<void>;
  /**
   * Waives time of a log group.
   * @throws Problem archive-not-found, archive-ended, invalid-request, nothing-to-waive, too-many-waivers
   */
  waive(request: CallerRequest, archiveId: string, body: CreateWaiver): Promise<ShownWaiver>;
}

/** What changes of archives need. */
export interface ArchiveChangesOptions {
  authorizer: Authorizer;
  database: Database;
  targets: Targets;
  access: ArchiveAccess;
  /** Announces a changed archive to its watchers and to the keeper. */
  announce: (archiveId: string) => void;
  /** The origins that heartbeats may go to. */
  heartbeatOrigins: readonly string[];
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Makes the changes of archives. */
export function makeArchiveChanges(options: ArchiveChangesOptions): ArchiveChanges {
  const { database, targets, access, announce } = options;

  /** Plans the result of a patch. What only this service does needs no look at AWS. */
  async function planPatch(request: CallerRequest, archive: StoredArchive, patch: ChangeArchive) {
    const body = patchArchive(archive, patch);
    const now = await readClock(database);
    const known = archive.definition.heartbeatUrl;
    const heartbeatOrigins = [
      ...options.heartbeatOrigins,
      // An operator may have disallowed it since. That is no mistake of this request.
      ...(known !== null && patch.heartbeatUrl === undefined ? [new URL(known).origin] : []),
    ];
    const definition = readDefinition(body, { now, heartbeatOrigins });
    if (isSameExport(definition, archive.definition))
      return { name: body.name, definition, warnings: [], policies: [], planned: undefined };
    const target = targets.find(archive.target);
    const archiveId = archive.id;
    const planning = { ...options, target, now, archiveId, request, heartbeatOrigins };
    const planned = await planArchive(body, planning);
    return { ...planned, planned };
  }

  return {
    async patch(request, archiveId, patch, ifMatch) {
      const { archive, policies } = await access.find(request, 'ChangeArchive', archiveId);
      if (ifMatch === undefined) {
        const detail = 'The request has no If-Match header.';
        throw new Problem('precondition-required', detail);
      }
      if (!isMatch(ifMatch, archive)) throw changedMeanwhile();
      const plan = await planPatch(request, archive, patch);
      await changeArchive(database, archiveId, {
        type: 'archive-changed',
        approval: { request, policies: [...policies, ...plan.policies] },
        async act(queries, current) {
          // Also with `*`: what was planned and permitted is a change of the definition that was read.
          if (current.definitionDigest !== archive.definitionDigest) throw changedMeanwhile();
          const { name, planned } = plan;
          const definition = JSON.stringify(plan.definition);
          const isSame = name === current.name && definition === JSON.stringify(current.definition);
          if (isSame) return undefined;
          if (!planned) return { name, definition };
          await requireSlotTime(queries, database, planned, { target: archive.target, archiveId });
          await refreshAgain(queries, database, current, plan.definition.refreshDays);
          return { name, definition, logGroupCount: planned.logGroups.length };
        },
      });
      announce(archiveId);
      return plan.warnings;
    },

    async pause(request, archiveId, reason) {
      const { policies } = await access.find(request, 'ChangeArchive', archiveId);
      await changeArchive(database, archiveId, {
        type: 'archive-paused',
        reason,
        approval: { request, policies },
        act: (_queries, { pausedAt }) =>
          pausedAt === null
            ? { pausedAt: database.now(), pausedBy: request.principal.id, pauseReason: reason }
            : undefined,
      });
      announce(archiveId);
    },

    async resume(request, archiveId, reason) {
      const { policies } = await access.find(request, 'ChangeArchive', archiveId);
      await changeArchive(database, archiveId, {
        type: 'archive-resumed',
        reason,
        approval: { request, policies },
        act: (_queries, { pausedAt }) =>
          pausedAt === null ? undefined : { pausedAt: null, pausedBy: null, pauseReason: null },
      });
      announce(archiveId);
    },

    async end(request, archiveId) {
      const { policies } = await access.find(request, 'ChangeArchive', archiveId);
      await changeArchive(database, archiveId, {
        type: 'archive-ended',
        approval: { request, policies },
        act: (_queries, { endedAt }) =>
          endedAt === null ? { endedAt: database.now() } : undefined,
      });
      announce(archiveId);
    },

    async waive(request, archiveId, body) {
      const { archive, policies } = await access.find(request, 'ChangeArchive', archiveId);
      const waiver = readWaiver(body, archive.definition, await readClock(database));
      const { logGroupName } = waiver;
      const permitted = await access.findPermitted(request, 'ChangeArchive', archive, [
        logGroupName,
      ]);
      if (!permitted.has(logGroupName)) throw nothingToWaive(logGroupName);
      const added = await addWaiver(database, archiveId, waiver, { request, policies });
      announce(archiveId);
      return showWaiver(added);
    },
  };
}

function isMatch(ifMatch: string, archive: StoredArchive): boolean {
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  return tags.some((tag) => tag === '*' || isDefinitionOf(tag, archive));
}

const changedMeanwhile = () =>
  new Problem('precondition-failed', 'The archive was changed since the answer with this ETag.');

/** Whether two definitions have the same exports, at the same price, so that nothing has to be permitted. */
function isSameExport(one: ArchiveDefinition, other: ArchiveDefinition): boolean {
  const exportOf = ({ heartbeatUrl: _url, ...definition }: ArchiveDefinition) =>
    JSON.stringify(definition);
  return exportOf(one) === exportOf(other);
}
