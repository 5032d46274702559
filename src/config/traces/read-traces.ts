import { configError } from '#problems/config-error.ts';
import type { Environment } from '../variables.ts';

/** How traces are made. The exporter itself reads where it sends them. */
export interface TracesConfig {
  sampler: Environment['OTEL_TRACES_SAMPLER'];
  /** The share of new traces that a sampler with `traceidratio` records, from 0 to 1. */
  ratio: number;
  serviceName: string;
}

/** Reads how traces are made; undefined if there are none. @throws an error named ConfigError */
export function readTraces(env: Environment): TracesConfig | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = env;
  const endpoints = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT };
  for (const [name, endpoint] of Object.entries(endpoints)) {
    if (endpoint === undefined || URL.canParse(endpoint)) continue;
    throw configError(`${name} is set, but is not a URL; check its host and port.`);
  }
  const hasReceiver = Object.values(endpoints).some((endpoint) => endpoint !== undefined);
  if (!hasReceiver || env.OTEL_SDK_DISABLED) return undefined;
  return {
    sampler: env.OTEL_TRACES_SAMPLER,
    ratio: Number(env.OTEL_TRACES_SAMPLER_ARG),
    serviceName: env.OTEL_SERVICE_NAME,
  };
}
