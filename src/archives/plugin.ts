import type { FastifyPluginAsync } from 'fastify';

import type { Authenticate } from '#auth/access.ts';
import type { WaitingRequests } from '#export-jobs/watching/waiting-requests.ts';
import type { Archives } from './archives.ts';
import { changeArchiveDefinition } from './routes/change-archive.ts';
import { type CreateArchiveOptions, createArchive } from './routes/create-archive.ts';
import { endArchive } from './routes/end-archive.ts';
import { getArchive } from './routes/get-archive.ts';
import { createBackfill } from './routes/ledger/create-backfill.ts';
import { createWaiver } from './routes/ledger/create-waiver.ts';
import { listBackfills } from './routes/ledger/list-backfills.ts';
import { listCoverage } from './routes/ledger/list-coverage.ts';
import { listArchives } from './routes/list-archives.ts';
import { pauseArchive } from './routes/pause-archive.ts';
import { resumeArchive } from './routes/resume-archive.ts';

/** What the routes of archives need. */
export interface ArchivesPluginOptions extends CreateArchiveOptions, Pick<Archives, 'watch'> {
  authenticate: Authenticate;
  /** The long polls. */
  polls: WaitingRequests;
}

/** Registers the operations on archives. It queries nothing before the first request. */
export const archivesPlugin: FastifyPluginAsync<ArchivesPluginOptions> = async (app, options) => {
  const { operations, authenticate, watch, polls } = options;
  await createArchive(app, options);
  await listArchives(app, { list: operations.list });
  await getArchive(app, { operations, authenticate, watch, polls });
  await changeArchiveDefinition(app, { operations });
  await pauseArchive(app, { operations });
  await resumeArchive(app, { operations });
  await endArchive(app, { operations });
  await createBackfill(app, { operations });
  await listBackfills(app, { operations });
  await createWaiver(app, { operations });
  await listCoverage(app, { operations });
};
