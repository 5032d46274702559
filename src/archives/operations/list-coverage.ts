import { type Static, Type } from '@sinclair/typebox';

import { readQueryWindow } from '#coverage/reads/query-window.ts';
import type { Database } from '#database/database.ts';
import { LogGroupName } from '#export-tasks/create-export-task-body.ts';
import { defaultPageLimit, type Page, pageParameters, readCursor, toCursor } from '#paging/page.ts';
import { Instant } from '#validation/instant.ts';
import { PartitionStateName, type ShownRun, showRun } from '../presenters/run-view.ts';
import { showWaiver } from '../presenters/waiver-view.ts';
import type { StoredArchive } from '../store/reads/read-archives.ts';
import { readCoveragePage } from '../store/reads/read-coverage-page.ts';
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
        description: `Start of the time range, inclusive. ${formats} Default: the start.`,
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
  archive: StoredArchive,
  query: CoverageListQuery,
) => Promise<Page<ShownRun>>;

/** Makes `ListCoverage`. `basePath` is the public path prefix of all links. */
export function makeListCoverage(database: Database, basePath: string): ListCoverage {
  return async (archive, { logGroupName, state, limit = defaultPageLimit, cursor, ...times }) => {
    const window = readQueryWindow(times);
    const [name, incarnation, at] = readCursor(cursor, ['string', 'ordinal', 'number']) ?? [];
    const from =
      name === undefined || incarnation === undefined || at === undefined
        ? undefined
        : { logGroupName: name, incarnation, at };

    const { runs, next } = await readCoveragePage(database, archive, {
      logGroupName,
      state,
      window,
      limit,
      from,
    });
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
}
