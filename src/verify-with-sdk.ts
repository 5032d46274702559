import { awsTimeouts } from '#aws/client/timeouts.ts';
import { readDefaultRegion } from '#aws/regions/default-region.ts';
import { openAws } from '#aws/regions/open-aws.ts';
import { readProxy, withProxyNames } from '#config/proxy.ts';
import { type VerifyOptions, verifyManifest } from './verify-manifest.ts';

/**
 * Compares a manifest with S3, with the credentials of the environment. Returns the exit code.
 * @throws ConfigError if the proxy of the environment cannot be used
 */
export async function verifyWithSdk(
  words: string[],
  env: NodeJS.ProcessEnv,
  output: Omit<VerifyOptions, 'aws' | 'defaultRegion'>,
): Promise<number> {
  const proxyEnv = readProxy(withProxyNames(env));
  const clocks = { now: Date.now, elapsed: () => performance.now() };
  using aws = openAws({ timeouts: awsTimeouts, proxyEnv, ...clocks });
  const defaultRegion = await readDefaultRegion();
  return await verifyManifest(words, { aws, defaultRegion, ...output });
}
