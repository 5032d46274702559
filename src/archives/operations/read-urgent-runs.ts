import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import type { ArchiveAccess } from '../access/archive-access.ts';
import { findArchive, type StoredArchive } from '../store/reads/read-archives.ts';
import {
  type CoverageQuery,
  type LogGroupRun,
  readCoveragePage,
} from '../store/reads/read-coverage-page.ts';
import { endOfTime } from '../store/reads/read-ledger-window.ts';

/** Reads the first partitions of an archive that need attention: those at risk, then failed and lost ones. */
export type ReadUrgentRuns = (
  request: CallerRequest,
  archive: StoredArchive,
) => Promise<LogGroupRun[]>;

const states = ['atRisk', 'missing', 'lost'] as const;
// Fewer: people must look for the others. More: the list hides the grid below it.
const maxRuns = 20;
// Of each state. A page reads up to a thousand log groups. More: the page of a large archive is slow.
const maxPages = 3;

// All viewers of an archive share it before log groups are hidden, and a large one takes a tenth of a second. Longer: the list is older.
const freshForMs = 1_000;

/**
 * Makes `ReadUrgentRuns`. It reads nothing of states that the last look has not found. `elapsed` is a clock that only
 * goes forward, in milliseconds.
 */
export function makeReadUrgentRuns(
  database: Database,
  access: Pick<ArchiveAccess, 'findPermitted'>,
  elapsed: () => number,
): ReadUrgentRuns {
  const shared = shareAnswers(readRuns, { freshForMs, elapsed });
  return async (request, archive) => {
    const { id, version } = archive;
    const runs = await shared({ id, version });
    const names = runs.map(({ logGroupName }) => logGroupName);
    const readable = await access.findPermitted(request, 'ReadArchive', archive, names);
    return runs.filter(({ logGroupName }) => readable.has(logGroupName));
  };

  async function readRuns({ id }: Pick<StoredArchive, 'id' | 'version'>): Promise<LogGroupRun[]> {
    const archive = await findArchive(database.queries, id);
    const runs: LogGroupRun[] = [];
    if (!archive) return runs;
    for (const state of states) {
      const count = archive.summary?.partitions[state] ?? 0;
      let from: CoverageQuery['from'];
      for (let page = 0; count > 0 && page < maxPages && runs.length < maxRuns; page += 1) {
        const window = { fromAt: 0, toAt: endOfTime };
        const limit = maxRuns - runs.length;
        const found = await readCoveragePage(database, archive, { state, window, from, limit });
        runs.push(...found.runs);
        from = found.next;
        if (!from) break;
      }
    }
    return runs;
  }
}
