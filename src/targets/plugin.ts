import type { FastifyPluginAsync } from 'fastify';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { getTarget } from './routes/get-target.ts';
import { listTargets } from './routes/list-targets.ts';
import type { JobVisibility } from './slot/job-visibility.ts';
import type { SlotReader } from './slot/slot-reader.ts';
import type { Targets } from './target.ts';

/** Options of the routes of targets. */
export interface TargetsPluginOptions {
  targets: Targets;
  slots: SlotReader;
  authorizer: Authorizer;
  /** What callers may see of export jobs; absent when jobs are off. */
  visibility: JobVisibility | undefined;
}

/** Registers the routes of targets. */
export const targetsPlugin: FastifyPluginAsync<TargetsPluginOptions> = async (app, options) => {
  const { targets, slots, authorizer, visibility } = options;
  await app.register(listTargets, { targets, authorizer });
  await app.register(getTarget, { targets, slots, authorizer, visibility });
};
