import type { ProxyEnv } from 'node:http';
import type { Logger } from 'pino';
import { readEndpointOverride } from '#aws/endpoint/endpoint-override.ts';
import { partitionOf } from '#aws/endpoint/partition.ts';
import { configError } from '#problems/config-error.ts';
import type { TargetSettings } from '#targets/target.ts';
import type { Config } from './config.ts';

/**
 * Looks at the surroundings the gateway is configured for, and logs what is unusual about them.
 * @throws an error named ConfigError where it cannot work there
 */
export async function checkSurroundings(config: Config, log: Logger): Promise<void> {
  const { targets, proxyEnv } = config;
  if (proxyEnv) logProxy(proxyEnv, log);
  for (const target of targets) refuseRoleOfOtherPartition(target);
  for (const region of new Set(targets.map((target) => target.region))) {
    warnOfUnlistedRegion(region, log);
    await warnOfRedirect(region, log);
  }
}

function logProxy({ HTTPS_PROXY, HTTP_PROXY, NO_PROXY: noProxy }: ProxyEnv, log: Logger): void {
  const httpsProxy = HTTPS_PROXY && withoutCredentials(HTTPS_PROXY);
  const httpProxy = HTTP_PROXY && withoutCredentials(HTTP_PROXY);
  log.info({ httpsProxy, httpProxy, noProxy }, 'calls to AWS and to issuers go through a proxy');
  if (httpsProxy === undefined) {
    log.warn('AWS is called over HTTPS: set HTTPS_PROXY for these calls to go through a proxy');
  }
}

function withoutCredentials(url: string): string {
  return new URL(url).origin;
}

/** A role can only be used in the partition it is in, and STS would say no more than that it is denied. */
function refuseRoleOfOtherPartition({ name, region, roleArn }: TargetSettings): void {
  const partition = partitionOf(region);
  const [, partitionOfRole = ''] = roleArn?.split(':') ?? [];
  if (!roleArn || !partition.isListed || partitionOfRole === partition.name) return;
  throw configError(
    `Target "${name}" is in ${region}, which is in the partition ${partition.name}, but its role ${roleArn} is in ${partitionOfRole}; the ARN must begin with arn:${partition.name}:iam::.`,
  );
}

function warnOfUnlistedRegion(region: string, log: Logger): void {
  const { name: partition, dnsSuffix, isListed } = partitionOf(region);
  if (isListed) return;
  log.warn(
    { region, partition, dnsSuffix },
    'the AWS SDK does not list this Region: check its spelling, and its partition if it is new',
  );
}

async function warnOfRedirect(region: string, log: Logger): Promise<void> {
  const url = await readUsableRedirect(region, 'logs');
  if (url) log.warn({ region, url }, 'AWS_ENDPOINT_URL redirects AWS: calls do NOT go to AWS');
  const stsUrl = await readUsableRedirect(region, 'sts');
  if (stsUrl && stsUrl !== url) {
    const text = 'STS is redirected: accounts and roles are NOT looked up at AWS';
    log.warn({ region, url: stsUrl }, text);
  }
}

async function readUsableRedirect(region: string, service: 'logs' | 'sts') {
  const named = { logs: 'CloudWatch Logs', sts: 'STS' }[service];
  return readEndpointOverride(region, service).catch((error: Error) => {
    throw configError(
      `There is no usable endpoint of ${named} for ${region} (${error.message}); AWS_ENDPOINT_URL and its like must be URLs such as http://127.0.0.1:4566.`,
    );
  });
}
