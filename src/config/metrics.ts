import { configError } from '#problems/config-error.ts';
import type { Environment } from './variables.ts';

/** Where metrics are served, and which. */
export interface MetricsConfig {
  host: string;
  port: number;
  /** Whether each target has series of its own. Default: with at most 200 targets. */
  isPerTarget: boolean | undefined;
}

/** Reads where metrics are served; undefined if METRICS_PORT is not set. @throws an error named ConfigError */
export function readMetrics(env: Environment): MetricsConfig | undefined {
  const { PORT, METRICS_PORT: port, METRICS_HOST: host, METRICS_PER_TARGET: perTarget } = env;
  if (port === undefined) return undefined;
  if (port === PORT && port !== 0) {
    throw configError(`METRICS_PORT is ${port}, which is PORT, too; choose another port.`);
  }
  return { host, port, isPerTarget: perTarget && perTarget === 'on' };
}
