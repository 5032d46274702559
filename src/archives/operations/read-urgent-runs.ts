import type { Database } from '#database/database.ts';
import type { StoredArchive } from '../store/reads/read-archives.ts';
import { type LogGroupRun, readCoveragePage } from '../store/reads/read-coverage-page.ts';
import { endOfTime } from '../store/reads/read-ledger-window.ts';

/** Reads the first partitions of an archive that need attention: those at risk, then failed and lost ones. */
export type ReadUrgentRuns = (archive: StoredArchive) => Promise<LogGroupRun[]>;

const states = ['atRisk', 'missing', 'lost'] as const;
// Fewer: people must look for the others. More: the list hides the grid below it.
const maxRuns = 20;
// Of each state. A page reads up to a thousand log groups. More: the page of a large archive is slow.
const maxPages = 3;

/** Makes `ReadUrgentRuns`. It reads nothing of states that the last look has not found. */
export function makeReadUrgentRuns(database: Database): ReadUrgentRuns {
  return async (archive) => {
    const runs: LogGroupRun[] = [];
    for (const state of states) {
      const count = archive.summary?.partitions[state] ?? 0;
      let from: Parameters<typeof readCoveragePage>[2]['from'];
      for (let page = 0; count > 0 && page < maxPages && runs.length < maxRuns; page += 1) {
        const query = { state, window: { fromAt: 0, toAt: endOfTime }, from };
        const found = await readCoveragePage(database, archive, {
          ...query,
          limit: maxRuns - runs.length,
        });
        runs.push(...found.runs);
        from = found.next;
        if (!from) break;
      }
    }
    return runs;
  };
}
