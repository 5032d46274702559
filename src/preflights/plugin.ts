import type { FastifyPluginAsync } from 'fastify';
import { type CreatePreflightOptions, createPreflight } from './routes/create-preflight.ts';

/** Registers the preflight of exports. */
export const preflightsPlugin: FastifyPluginAsync<CreatePreflightOptions> = async (
  app,
  options,
) => {
  await createPreflight(app, options);
};
