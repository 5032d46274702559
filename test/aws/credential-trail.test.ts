import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { toAwsProblem } from '#aws/error-meaning.ts';
import type { Aws } from '#aws/regions/open-aws.ts';
import { makeRoleSessions, readCallerAccount } from '#aws/sessions/sts.ts';
import { toErrorFacts } from '#telemetry/error-facts.ts';
import { pointSdkAt, region } from '../world.ts';
import { openTestAws } from './open-logs.ts';

const closedPort = 'http://127.0.0.1:1'; // no process listens on port 1
const record = () => {};

let aws: Aws;
beforeEach(() => {
  aws = openTestAws();
});
afterEach(() => aws[Symbol.dispose]());

/** Reads the account of the gateway itself. */
const readOwnAccount = () =>
  readCallerAccount({ region: aws.region(region), credentials: undefined, record });

/** Removes all credentials from the environment of the SDK. */
function withoutCredentials(env: NodeJS.ProcessEnv = {}): void {
  pointSdkAt(closedPort);
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
  Object.assign(process.env, env);
}

/** Returns the logged error of a call that failed for lack of credentials. */
async function whyNot(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('it was possible'),
    (found: Error) => found,
  );
  return JSON.stringify(toErrorFacts(error));
}

describe('a call without credentials', () => {
  test('logs which sources were tried, and why they failed', async () => {
    withoutCredentials();

    const why = await whyNot(readOwnAccount());

    expect(why).toContain(
      'Tried: fromEnv (Unable to find environment variable credentials.) fromSSO',
    );
    expect(why).toContain('fromTokenFile (Web identity configuration not specified)');
    expect(why).toContain('(EC2 Instance Metadata Service access disabled)');
    expect(why).not.toContain('HttpPutResponseHopLimit');
  });

  test('shows callers only that credentials are missing', async () => {
    withoutCredentials();

    const error = await readOwnAccount().catch((found: Error) => found);
    const { slug, detail } = toAwsProblem('DescribeExportTasks', error);

    expect(slug).toBe('service-role-unusable');
    expect(detail).toBe(
      'The credentials of the service role are missing, or AWS does not accept them.',
    );
  });

  test('logs the same for a role that cannot be assumed without credentials', async () => {
    withoutCredentials();
    const role = { roleArn: 'arn:aws:iam::123456789012:role/log-export' };
    const how = { region: aws.region(region), sessionName: 'test', record };
    const sessions = makeRoleSessions({ role, ...how });

    expect(await whyNot(sessions.credentials())).toContain('Tried: fromEnv (Unable');
  });

  test('logs a hint about the hop limit when instance metadata was tried', async () => {
    withoutCredentials({
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: closedPort,
    });

    const why = await whyNot(readOwnAccount());

    expect(why).toContain('fromInstanceMetadata');
    expect(why).toContain('set HttpPutResponseHopLimit of the instance to 2');
  });

  test('logs why the credential endpoint of the container failed', async () => {
    withoutCredentials({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${closedPort}/v1/credentials` });

    const why = await whyNot(readOwnAccount());

    expect(why).toContain('fromHttp/fromContainerMetadata (Error: connect ECONNREFUSED');
  });
});
