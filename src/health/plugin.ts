import type { FastifyPluginAsync } from 'fastify';

import { getLiveness } from './routes/get-liveness.ts';
import { getReadiness, type ReadinessOptions } from './routes/get-readiness.ts';

/** Registers the probes of orchestrators and load balancers. */
export const healthPlugin: FastifyPluginAsync<ReadinessOptions> = async (app, options) => {
  await getLiveness(app, {});
  await getReadiness(app, options);
};
