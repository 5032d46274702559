import { setImmediate } from 'node:timers/promises';

import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { requireEach } from '#export-jobs/access/export-question.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import {
  defaultPageLimit,
  maxDecisionsPerPage,
  type Page,
  readCursor,
  toPage,
} from '#paging/page.ts';
import type { ArchiveAccess, FoundArchive } from '../access/archive-access.ts';
import { isSelected } from '../partitions/selection.ts';
import { makeArchiveQuestions } from '../planning/archive-questions.ts';
import { estimateDuration } from '../planning/load.ts';
import type { CreateBackfill } from '../planning/requests/backfill-body.ts';
import { countBackfill } from '../planning/requests/count-backfill.ts';
import { type PlannedBackfill, readBackfill } from '../planning/requests/read-backfill.ts';
import { maxNamesInList } from '../presenters/archive-view.ts';
import {
  type BackfillPlan,
  type ShownBackfill,
  showBackfill,
  showBackfillFacts,
} from '../presenters/backfill-view.ts';
import { readBackfillPage } from '../store/reads/read-backfill-page.ts';
import {
  type LedgerPosition,
  type LedgerWindow,
  type LogGroupPart,
  readLedgerWindow,
} from '../store/reads/read-ledger-window.ts';
import { addBackfill, nextBackfillNumber } from '../store/requests/add-backfill.ts';
import { requireOpen } from '../store/requests/change-archive.ts';

/** Which page of the backfills to read. */
interface BackfillListPage {
  limit?: number;
  cursor?: string;
}

/** The backfills of archives that callers can request. */
export interface ArchiveBackfills {
  /** @throws Problem archive-not-found, archive-ended, invalid-request, not-permitted, too-many-backfills */
  add(request: CallerRequest, archiveId: string, body: CreateBackfill): Promise<ShownBackfill>;
  /**
   * Lists the backfills of an archive, the newest first, with the first names of each that the caller may read.
   * @throws Problem archive-not-found
   */
  list(
    request: CallerRequest,
    archiveId: string,
    page: BackfillListPage,
  ): Promise<Page<ShownBackfill>>;
  /** Says what a backfill would export. @throws Problem: as `add` */
  plan(request: CallerRequest, archiveId: string, body: CreateBackfill): Promise<BackfillPlan>;
}

/** Makes the backfills of archives. */
export function makeArchiveBackfills(options: {
  authorizer: Authorizer;
  database: Database;
  access: ArchiveAccess;
  /** Announces a changed archive to its watchers and to the keeper. */
  announce: (archiveId: string) => void;
}): ArchiveBackfills {
  const { authorizer, database, access, announce } = options;

  /** Reads a backfill, and requires that the caller may export what it asks for. */
  async function readPermitted(request: CallerRequest, archiveId: string, body: CreateBackfill) {
    const found = await access.find(request, 'ChangeArchive', archiveId);
    const { definition } = found.archive;
    const { faultFor, toQuestion } = makeArchiveQuestions(found.target, archiveId, definition);
    const now = await readClock(database);
    const backfill = readBackfill(body, definition, { now, faultFor });
    const { logGroupNames, logGroupNamePrefix } = definition;
    const names = backfill.logGroupNames ?? logGroupNames ?? [logGroupNamePrefix ?? ''];
    // A backfill is an export. Each export is decided again before it is sent.
    const creating = await requireEach(authorizer, request, names, (name) =>
      toQuestion(name, backfill),
    );
    return { ...found, now, backfill, policies: [...found.policies, ...creating] };
  }

  /** Counts the partitions of a backfill, in each part of the ledger that has any. */
  async function* countEach(
    archive: FoundArchive['archive'],
    backfill: PlannedBackfill,
    now: number,
  ): AsyncGenerator<{ logGroupName: string; count: number }> {
    const { definition } = archive;
    const isAsked = (name: string) =>
      isSelected(definition, name) && (backfill.logGroupNames?.includes(name) ?? true);
    for await (const parts of readLedgerWindows(database, archive, backfill)) {
      for (const part of parts) {
        const { logGroupName } = part.logGroup;
        const count = isAsked(logGroupName) ? countBackfill(part, definition, backfill, now) : 0;
        if (count > 0) yield { logGroupName, count };
      }
    }
  }

  return {
    async add(request, archiveId, body) {
      const { archive, backfill, now, policies } = await readPermitted(request, archiveId, body);
      const { done } = await countEach(archive, backfill, now).next();
      const added = await addBackfill(database, archiveId, backfill, { request, policies });
      announce(archiveId);
      return { ...showBackfill(added), ...warningsOf(archive, done === true) };
    },

    async list(request, archiveId, { limit = defaultPageLimit, cursor }) {
      const { archive } = await access.find(request, 'ReadArchive', archiveId);
      const [before] = readCursor(cursor, ['ordinal']) ?? [];
      const rows = await readBackfillPage(database.queries, archiveId, {
        before,
        limit: limit + 1,
      });
      const { entries, ...page } = toPage(rows, limit, ({ number }) => [number]);
      // Each name is decided.
      const maxNames = Math.floor(maxDecisionsPerPage / Math.max(1, entries.length));
      const shown = entries.map((row) => showBackfill(row, Math.min(maxNamesInList, maxNames)));
      const names = shown.flatMap(({ logGroupNames }) => logGroupNames ?? []);
      const readable = await access.findPermitted(request, 'ReadArchive', archive, names);
      for (const each of shown)
        if (each.logGroupNames)
          each.logGroupNames = each.logGroupNames.filter((name) => readable.has(name));
      return { entries: shown, ...page };
    },

    async plan(request, archiveId, body) {
      const { archive, backfill, now } = await readPermitted(request, archiveId, body);
      requireOpen(archive);
      await nextBackfillNumber(database.queries, archiveId, backfill.logGroupNames);
      const names: string[] = [];
      let partitions = 0;
      for await (const { logGroupName, count } of countEach(archive, backfill, now)) {
        names.push(logGroupName);
        partitions += count;
      }
      const { seconds } = await estimateDuration(database, archive.target, names);
      return {
        ...showBackfillFacts(backfill),
        partitions,
        expectedSeconds: partitions * seconds,
        ...warningsOf(archive, partitions === 0),
      };
    },
  };
}

// As of one page of the coverage. More: other requests wait.
const bounds = { maxLogGroups: 100, maxPieces: 1_000 };

/** Yields what is known of a window of an archive, part by part. */
async function* readLedgerWindows(
  database: Database,
  { id: archiveId, definition }: FoundArchive['archive'],
  { fromAt, toAt }: PlannedBackfill,
): AsyncGenerator<LogGroupPart[]> {
  const { partitionBy } = definition;
  const query = { archiveId, partitionBy, window: { fromAt, toAt }, logGroupName: undefined };
  for (let from: LedgerPosition | undefined; ; ) {
    const part: LedgerWindow = await readLedgerWindow(database, { ...query, ...bounds, from });
    yield part.logGroups;
    if (!part.next) return;
    await setImmediate();
    from = part.next;
  }
}

/** Warns of a backfill of nothing. Before the first listing, nothing is known of the log groups. */
function warningsOf({ listedAt }: FoundArchive['archive'], isEmpty: boolean) {
  if (!isEmpty || listedAt === null) return {};
  const detail =
    'No partition is left to export in this time range. The log groups were created later, their log events have expired, or all is covered.';
  return { warnings: [{ pointer: '#/from', detail }] };
}
