import type { ProxyEnv } from 'node:http';
import { readEndpointOverride } from '#aws/endpoint/endpoint-override.ts';
import { partitionOf } from '#aws/endpoint/partition.ts';
import { configError } from '#problems/config-error.ts';
import type { TargetSettings } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { Config } from './read-config.ts';

/**
 * Checks that Regions, partitions, endpoints and the proxy fit together, and logs what is unusual.
 * @throws an error named ConfigError if they do not
 */
export async function checkSurroundings(
  { targets, proxyEnv }: Pick<Config, 'targets' | 'proxyEnv'>,
  log: Log,
): Promise<void> {
  if (proxyEnv) logProxy(proxyEnv, log);
  await checkRegions(targets, log);
}

/**
 * Checks that the Regions of targets fit their roles and endpoints, and logs what is unusual. `known` are
 * the Regions that were checked before.
 * @throws an error named ConfigError if they do not
 */
export async function checkRegions(
  targets: readonly TargetSettings[],
  log: Log,
  known: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const target of targets) refuseRoleOfOtherPartition(target);
  const regions = new Set(targets.map((target) => target.region));
  for (const region of regions.difference(known)) {
    warnIfUnlisted(region, log);
    await warnIfOverridden(region, log);
  }
}

function logProxy({ HTTPS_PROXY, HTTP_PROXY, NO_PROXY: noProxy }: ProxyEnv, log: Log): void {
  const httpsProxy = HTTPS_PROXY && withoutCredentials(HTTPS_PROXY);
  const httpProxy = HTTP_PROXY && withoutCredentials(HTTP_PROXY);
  log.info(
    { httpsProxy, httpProxy, noProxy },
    'forward proxy configured for AWS and token issuers',
  );
  if (httpsProxy === undefined) {
    log.warn({}, 'HTTP_PROXY has no effect on calls to AWS, set HTTPS_PROXY');
  }
}

function withoutCredentials(url: string): string {
  return new URL(url).origin;
}

/** Refuses a role of another partition: it cannot be assumed there, and STS only answers AccessDenied. */
function refuseRoleOfOtherPartition({ name, region, roleArn }: TargetSettings): void {
  const partition = partitionOf(region);
  const [, partitionOfRole = ''] = roleArn?.split(':') ?? [];
  if (!roleArn || !partition.isListed || partitionOfRole === partition.name) return;
  throw configError(
    `Target "${name}" is in ${region}, in the partition ${partition.name}, but its role ${roleArn} is in the partition ${partitionOfRole}; the ARN must begin with arn:${partition.name}:iam::.`,
  );
}

function warnIfUnlisted(region: string, log: Log): void {
  const { name: partition, dnsSuffix, isListed } = partitionOf(region);
  if (isListed) return;
  log.warn(
    { region, partition, dnsSuffix },
    'the AWS SDK does not list this Region; check its spelling and partition',
  );
}

async function warnIfOverridden(region: string, log: Log): Promise<void> {
  const url = await readUsableOverride(region, 'logs');
  if (url)
    log.warn(
      { region, url },
      'the CloudWatch Logs endpoint is overridden; exports do not run at AWS',
    );
  const stsUrl = await readUsableOverride(region, 'sts');
  if (stsUrl && stsUrl !== url) {
    const text = 'the STS endpoint is overridden; accounts and roles are not checked at AWS';
    log.warn({ region, url: stsUrl }, text);
  }
}

async function readUsableOverride(region: string, service: 'logs' | 'sts') {
  const named = { logs: 'CloudWatch Logs', sts: 'STS' }[service];
  return readEndpointOverride(region, service).catch((error: Error) => {
    throw configError(
      `The endpoint of ${named} for ${region} is not usable (${error.message}); AWS_ENDPOINT_URL and the other endpoint variables must be URLs such as http://127.0.0.1:4566.`,
    );
  });
}
