import type { FastifyPluginAsync } from 'fastify';

import { listTargets } from './routes/list-targets.ts';
import type { Targets } from './target.ts';

/** Registers what is said about targets over HTTP. */
export const targetsPlugin: FastifyPluginAsync<{ targets: Targets }> = async (app, { targets }) => {
  await app.register(listTargets, { targets });
};
