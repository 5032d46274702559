import { type Static, Type } from '@sinclair/typebox';

import type { Database } from '#database/database.ts';
import { defaultPageLimit, type Page, pageParameters, readCursor, toPage } from '#paging/page.ts';
import { type Slice, SliceStateName, showSlice } from '../presenters/show-slice.ts';
import type { JobHead } from '../store/reads/read-heads.ts';
import { readAttempts, readSlices } from '../store/reads/read-slices.ts';
import { readVerifications } from '../store/verifications/read-verifications.ts';

/** The filter of a list of slices, and its page. */
export type SliceListQuery = Static<typeof SliceListQuery>;
export const SliceListQuery = Type.Object(
  {
    state: Type.Optional({
      ...SliceStateName,
      description: 'Return only slices in this state. Default: all states.',
    }),
    ...pageParameters,
  },
  { additionalProperties: false },
);

/** Lists the slices of a job that the caller may read, by number, each with its attempts. */
export type ListSlices = (head: JobHead, query: SliceListQuery) => Promise<Page<Slice>>;

/** Makes `ListSlices`. `basePath` is the public path prefix of all links. */
export function makeListSlices(database: Database, basePath: string): ListSlices {
  return async ({ id: jobId }, { state, limit = defaultPageLimit, cursor }) => {
    const [after] = readCursor(cursor, ['number']) ?? [];

    const rows = await readSlices(database, { jobId, state, after, limit: limit + 1 });
    const { entries, ...page } = toPage(rows, limit, ({ number }) => [number]);
    const numbers = entries.map(({ number }) => number);
    const attempts = await readAttempts(database, jobId, numbers);
    const attemptsOf = Map.groupBy(attempts, ({ slice }) => slice);

    const verified = await readVerifications(database, jobId, numbers);

    const slices = entries.map((row) => {
      const verification = verified.find(({ slice }) => slice === row.number);
      return showSlice(row, { attempts: attemptsOf.get(row.number) ?? [], verification }, basePath);
    });
    return { entries: slices, ...page };
  };
}
