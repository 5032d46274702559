import type { Transaction } from 'kysely';

import type { Tables } from '#database/tables.ts';
import type { KeptArchive } from './claim-look.ts';

/** Why an archive is stopped, when its destination is checked next, and since when it exports on trial. */
export type Stop = Pick<KeptArchive, 'stopProblem' | 'stopCheckAt' | 'trialAt'>;

/** Writes why an archive is stopped, or that it works. */
export async function writeStop(
  queries: Transaction<Tables>,
  archiveId: string,
  { stopProblem, stopCheckAt, trialAt }: Stop,
): Promise<void> {
  await queries
    .updateTable('archives')
    .set({ stopProblem: stopProblem && JSON.stringify(stopProblem), stopCheckAt, trialAt })
    .where('id', '=', archiveId)
    .execute();
}
