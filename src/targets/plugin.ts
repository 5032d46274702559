import type { FastifyPluginAsync } from 'fastify';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { JobVisibility } from './job-visibility.ts';
import { getTarget } from './routes/get-target.ts';
import { listTargets } from './routes/list-targets.ts';
import type { SlotReader } from './slot-reader.ts';
import type { Targets } from './target.ts';

/** What is told about targets comes from here. */
export interface TargetsPluginOptions {
  targets: Targets;
  slots: SlotReader;
  authorizer: Authorizer;
  /** What may be told of export jobs; absent where there are none. */
  visibility: JobVisibility | undefined;
}

/** Registers what is said about targets over HTTP. */
export const targetsPlugin: FastifyPluginAsync<TargetsPluginOptions> = async (app, options) => {
  const { targets, slots, authorizer, visibility } = options;
  await app.register(listTargets, { targets, authorizer });
  await app.register(getTarget, { targets, slots, authorizer, visibility });
};
