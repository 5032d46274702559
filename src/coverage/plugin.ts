import type { FastifyPluginAsync } from 'fastify';

import { type FindCoverageOptions, findCoverage } from './routes/find-coverage.ts';

/** Registers the operation on coverage. */
export const coveragePlugin: FastifyPluginAsync<FindCoverageOptions> = async (app, options) => {
  await findCoverage(app, options);
};
