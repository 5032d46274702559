import { lastOf, readHealthCheck, readStages, stepsUpTo } from '../container/dockerfile.ts';

const steps = stepsUpTo('gateway', readStages());

/** What the recipes must know about the image of the gateway, from the Dockerfile. */
export const image = {
  /** The environment that the image sets. */
  env: Object.assign(
    {},
    ...steps.map(({ keyword, properties }) => keyword === 'ENV' && properties),
  ) as Record<string, string>,
  port: Number(lastOf('EXPOSE', steps)),
  user: Number(lastOf('USER', steps)?.split(':')[0]),
  volume: String(JSON.parse(lastOf('VOLUME', steps) ?? '[]')[0]),
  healthCheck: readHealthCheck(steps),
};
