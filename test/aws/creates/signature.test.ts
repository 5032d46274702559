import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { IHttpRequest } from '@smithy/core/protocols';
import { describe, expect, test } from 'vitest';
import { type SigningScope, signRequest } from '#aws/creates/signature.ts';
import { readRequestTemplate, signCreate } from '#aws/creates/signed-request.ts';
import { pointSdkAt, region } from '../../world.ts';

const task = {
  logGroupName: '/app',
  from: 1n,
  to: 2n ** 60n,
  destination: 'archive',
  taskName: 'naïve “task” \\ 名',
  logStreamNamePrefix: '[$LATEST]',
  destinationPrefix: 'a/b',
};
const keys = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' };
const sessionKeys = { ...keys, sessionToken: 'token/of+a=session' };

/** Returns the request that the SDK makes and signs for the task. It is not sent. */
async function requestOfSdk(credentials = sessionKeys): Promise<IHttpRequest> {
  let made: IHttpRequest | undefined;
  const handle = async (request: IHttpRequest) => {
    made = { ...request, body: Buffer.from(request.body).toString() };
    throw new Error('never sent');
  };
  const requestHandler = { handle };
  const client = new CloudWatchLogsClient({ region, credentials, requestHandler, maxAttempts: 1 });
  await client.send(new CreateExportTaskCommand(task as never)).catch(() => {});
  if (!made) throw new Error('the SDK made no request');
  return made;
}

function dateOf({ headers }: IHttpRequest): Date {
  const [year, month, day, hour, minute, second] =
    headers['x-amz-date']?.match(/^\d{4}|\d\d/g)?.map(Number) ?? [];
  return new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second));
}

const places: [where: string, env: Record<string, string>][] = [
  ['AWS', {}],
  ['a FIPS endpoint', { AWS_USE_FIPS_ENDPOINT: 'true' }],
  ['a dual-stack endpoint', { AWS_USE_DUALSTACK_ENDPOINT: 'true' }],
  ['an emulator', { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }],
  ['an endpoint of the service', { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: 'https://[::1]:1' }],
  ['an endpoint with a path', { AWS_ENDPOINT_URL: 'https://proxy.example/a//b%20c/(d)/' }],
  ['an endpoint with a query', { AWS_ENDPOINT_URL: 'https://proxy.example/?b=(2)&a=1&c' }],
];

describe.each(places)('at %s', (_where, env) => {
  const point = () => {
    pointSdkAt('');
    delete process.env.AWS_ENDPOINT_URL;
    Object.assign(process.env, env);
  };

  test('a create is the request that the SDK would make', async () => {
    point();
    const theirs = await requestOfSdk();
    const template = await readRequestTemplate(region);

    const ours = signCreate(template, task, { keys: sessionKeys, date: dateOf(theirs) });

    const id = 'amz-sdk-invocation-id';
    const comparable = ({ headers, ...of }: IHttpRequest) => ({
      ...of,
      headers: { ...headers, [id]: typeof headers[id], authorization: '' },
    });
    expect(comparable(ours)).toEqual(comparable(theirs));
  });

  test.each([
    ['long-lived keys', keys],
    ['a session', sessionKeys],
  ])('the signature with %s is that of the SDK', async (_of, credentials) => {
    point();
    const theirs = await requestOfSdk(credentials as typeof sessionKeys);
    const { scope } = await readRequestTemplate(region);

    const ours = signRequest(theirs, scope, { keys: credentials, date: dateOf(theirs) });

    expect(ours.headers).toEqual(theirs.headers);
  });
});

test('a signing key is not used on another day, or for another Region', () => {
  const scope: SigningScope = { region, service: 'logs', signedHeaders: ['host'] };
  const request = {
    method: 'POST',
    protocol: 'https:',
    hostname: 'aws.example',
    path: '/',
    headers: { host: 'aws.example' },
    body: '{}',
  };
  const sign = (ofKeys: typeof keys, day: string, changed: Partial<SigningScope> = {}) =>
    signRequest(request, { ...scope, ...changed }, { keys: ofKeys, date: new Date(day) }).headers
      .authorization;

  for (const [day, changed] of [
    ['2026-01-01', {}],
    ['2026-01-02', {}],
    ['2026-01-02', { region: 'eu-west-2' }],
  ] as const) {
    expect(sign(keys, day, changed)).toBe(sign({ ...keys }, day, changed)); // keys without a cached one
  }
});
