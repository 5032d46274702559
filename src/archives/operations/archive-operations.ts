import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { Targets } from '#targets/target.ts';
import { type ArchiveAccess, makeArchiveAccess } from '../access/archive-access.ts';
import type { Archives } from '../archives.ts';
import type { Archive } from '../presenters/archive-view.ts';
import { etagOf, showArchive } from '../presenters/show-archive.ts';
import { findArchive, type StoredArchive } from '../store/reads/read-archives.ts';
import { type ArchiveBackfills, makeArchiveBackfills } from './backfill-archives.ts';
import { type ArchiveChanges, makeArchiveChanges } from './change-archives.ts';
import { type ListArchives, makeListArchives } from './list-archives.ts';
import { type ListCoverage, makeListCoverage } from './list-coverage.ts';
import { makeReadArchiveGrid, type ReadArchiveGrid } from './read-archive-grid.ts';
import { makeReadUrgentRuns, type ReadUrgentRuns } from './read-urgent-runs.ts';

/** An archive as callers see it, with its version. */
interface ShownArchive {
  archive: Archive;
  version: number;
  etag: string;
}

/** What callers can do with archives, each decided by the policies. The API and the pages use the same. */
export interface ArchiveOperations {
  access: ArchiveAccess;
  list: ListArchives;
  listCoverage: ListCoverage;
  changes: ArchiveChanges;
  backfills: ArchiveBackfills;
  /** Shows an archive to a caller that may read it. */
  show: (request: CallerRequest, archive: StoredArchive) => Promise<ShownArchive>;
  readGrid: ReadArchiveGrid;
  readUrgentRuns: ReadUrgentRuns;
  /** Shows the current state of an existing archive, to a caller that may read it. */
  showNow: (request: CallerRequest, archiveId: string) => Promise<ShownArchive>;
  /** Announces a changed archive to its watchers and to the keeper. */
  announce: (archiveId: string) => void;
}

/** What the operations need. */
export interface ArchiveOperationsOptions extends Archives {
  database: Database;
  authorizer: Authorizer;
  targets: Targets;
  /** The public path prefix of all links. */
  basePath: string;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Makes the operations on archives. They query nothing before the first request. */
export function makeArchiveOperations(options: ArchiveOperationsOptions): ArchiveOperations {
  const { database, authorizer, targets, basePath, watch, wake } = options;
  const access = makeArchiveAccess({ database, authorizer, targets });
  const show = async (request: CallerRequest, archive: StoredArchive) => ({
    archive: showArchive(await access.hideExpiry(request, archive), basePath),
    version: archive.version,
    etag: etagOf(archive),
  });
  const announce = (archiveId: string) => {
    watch.changed(archiveId);
    wake(archiveId);
  };
  return {
    access,
    changes: makeArchiveChanges({ ...options, access, announce }),
    backfills: makeArchiveBackfills({ ...options, access, announce }),
    list: makeListArchives({ database, access, basePath }),
    listCoverage: makeListCoverage({ database, access, basePath }),
    show,
    readGrid: makeReadArchiveGrid(database, access),
    readUrgentRuns: makeReadUrgentRuns(database, access, options.elapsed),
    async showNow(request, archiveId) {
      // Archives are never deleted.
      return show(request, (await findArchive(database.queries, archiveId)) as StoredArchive);
    },
    announce,
  };
}
