import { type Static, Type } from '@sinclair/typebox';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { decisionsAtOnce } from '#auth/authorization/owned-access.ts';
import { readQueryWindow } from '#coverage/reads/query-window.ts';
import type { Database } from '#database/database.ts';
import { LogGroupName } from '#export-tasks/create-export-task-body.ts';
import { defaultPageLimit, type Page, pageParameters, readCursor, toCursor } from '#paging/page.ts';
import { Instant } from '#validation/instant.ts';
import type { ArchiveAccess } from '../access/archive-access.ts';
import { PartitionStateName, type ShownRun, showRun } from '../presenters/run-view.ts';
import { showWaiver } from '../presenters/waiver-view.ts';
import { readNamesAfter } from '../store/reads/log-group-index.ts';
import type { StoredArchive } from '../store/reads/read-archives.ts';
import { readCoveragePage } from '../store/reads/read-coverage-page.ts';
import type { LedgerPosition } from '../store/reads/read-ledger-window.ts';
import { readWaivers } from '../store/reads/read-waivers.ts';

const formats = 'Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset.';

/** The filter of the coverage of an archive, and its page. */
export type CoverageListQuery = Static<typeof CoverageListQuery>;
export const CoverageListQuery = Type.Object(
  {
    logGroupName: Type.Optional({
      ...LogGroupName,
      description: 'Return only the coverage of this log group. Default: all log groups.',
    }),
    from: Type.Optional(
      Instant({
        description: `Start of the time range, inclusive. ${formats} Default: the start of the oldest partition.`,
      }),
    ),
    to: Type.Optional(
      Instant({
        description: `End of the time range, exclusive. ${formats} Default: the end of the current partition.`,
      }),
    ),
    state: Type.Optional({
      ...PartitionStateName,
      description: 'Return only partitions in this state. Default: all states.',
    }),
    ...pageParameters,
  },
  { additionalProperties: false },
);

/** Lists the coverage of an archive that the caller may read, by log group and time. */
export type ListCoverage = (
  request: CallerRequest,
  archive: StoredArchive,
  query: CoverageListQuery,
) => Promise<Page<ShownRun>>;

/** Makes `ListCoverage`. `basePath` is the public path prefix of all links. */
export function makeListCoverage(options: {
  database: Database;
  access: Pick<ArchiveAccess, 'findPermitted'>;
  basePath: string;
}): ListCoverage {
  const { database, access, basePath } = options;

  return async (
    request,
    archive,
    { logGroupName, state, limit = defaultPageLimit, cursor, ...times },
  ) => {
    const window = readQueryWindow(times);
    const [name, incarnation, at] = readCursor(cursor, ['string', 'ordinal', 'number']) ?? [];
    const from =
      name === undefined || incarnation === undefined || at === undefined
        ? undefined
        : { logGroupName: name, incarnation, at };

    const page = await readCoveragePage(database, archive, {
      logGroupName,
      state,
      window,
      limit,
      from,
    });
    const names = page.runs.map(({ logGroupName }) => logGroupName);
    const readable = await access.findPermitted(request, 'ReadArchive', archive, names);
    const runs = page.runs.filter(({ logGroupName }) => readable.has(logGroupName));
    const next = await findNext(request, archive, page.next);
    const numbers = runs.flatMap(({ state, cause }) => (state === 'waived' ? Number(cause) : []));
    const waivers = await readWaivers(database.queries, archive.id, numbers);
    const shown = {
      partitionBy: archive.definition.partitionBy,
      waivers: new Map(waivers.map((waiver) => [String(waiver.number), showWaiver(waiver)])),
      basePath,
    };

    return {
      entries: runs.map((run) => showRun(run, shown)),
      ...(next && { nextCursor: toCursor([next.logGroupName, next.incarnation, next.at]) }),
    };
  };

  /** Moves the place where the next page begins to a log group that the caller may read: a cursor has its name. */
  async function findNext(
    request: CallerRequest,
    archive: StoredArchive,
    next: LedgerPosition | undefined,
  ): Promise<LedgerPosition | undefined> {
    if (!next) return undefined;
    const { size } = await access.findPermitted(request, 'ReadArchive', archive, [
      next.logGroupName,
    ]);
    if (size > 0) return next;
    for (let after = next.logGroupName; ; ) {
      const names = await readNamesAfter(database, archive.id, after, decisionsAtOnce);
      const readable = await access.findPermitted(request, 'ReadArchive', archive, names);
      const first = names.find((name) => readable.has(name));
      if (first !== undefined) return { logGroupName: first, incarnation: 1, at: 0 };
      const last = names.at(-1);
      if (last === undefined) return undefined;
      after = last;
    }
  }
}
