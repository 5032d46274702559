import type { FastifyPluginAsync } from 'fastify';

import { getTarget } from './routes/get-target.ts';
import { listTargets } from './routes/list-targets.ts';
import type { TargetAccess } from './target-access.ts';

/** Registers the routes of targets. */
export const targetsPlugin: FastifyPluginAsync<{ access: TargetAccess }> = async (app, options) => {
  await listTargets(app, options);
  await getTarget(app, options);
};
