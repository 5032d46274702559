import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { IHttpRequest } from '@smithy/core/protocols';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readAuthorization } from '#auth/authentication/signature/authorization-header.ts';
import { hashCanonicalRequest } from '#auth/authentication/signature/canonical-request.ts';
import { isOneOf, signatureOf } from '#auth/authentication/signature/signature.ts';
import { collectHeaders } from '#auth/authentication/signature/signed-headers.ts';

/** Returns the signature that a request with these headers must have. */
function signatureFor(
  {
    path = '/',
    headers,
    body = '',
  }: { path?: string; headers: string[]; body?: string | Uint8Array },
  secretAccessKey: string,
): string {
  const values = collectHeaders({ rawHeaders: headers });
  const authorization = readAuthorization(values);
  const { signedHeaders } = authorization;
  const parts = {
    path,
    signedHeaders,
    headers: values,
    body: typeof body === 'string' ? Buffer.from(body) : body,
  };
  const canonicalHash = hashCanonicalRequest(parts);
  const at = values.get('x-amz-date')?.[0] ?? '';
  return signatureOf(secretAccessKey, authorization, { at, canonicalHash }).toString('hex');
}

const secretOfVectors = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const formType = 'application/x-www-form-urlencoded';
const vectors: [name: string, names: string, headers: string[], body: string, signature: string][] =
  [
    [
      'post-vanilla',
      'host;x-amz-date',
      [],
      '',
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
    [
      'post-header-key-sort',
      'host;my-header1;x-amz-date',
      ['My-Header1', 'value1'],
      '',
      'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
    ],
    [
      'post-header-value-case',
      'host;my-header1;x-amz-date',
      ['My-Header1', 'VALUE1'],
      '',
      'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
    ],
    [
      'post-x-www-form-urlencoded',
      'content-type;host;x-amz-date',
      ['Content-Type', formType],
      'Param1=value1',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ];

test.each(vectors)(
  'a signature is that of the test suite of AWS: %s',
  (_name, names, more, body, signature) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`;
    const host = ['Host', 'example.amazonaws.com'];
    const date = ['X-Amz-Date', '20150830T123600Z'];
    const headers = [...host, ...date, 'Authorization', authorization, ...more];

    expect(signatureFor({ headers, body }, secretOfVectors)).toBe(signature);
  },
);

/** Returns the request that the SDK makes and signs. It is not sent. */
async function requestOfSdk(
  endpoint: string,
  secretAccessKey: string,
  { headers, input }: { headers: Record<string, string>; input: object },
): Promise<IHttpRequest> {
  let made: IHttpRequest | undefined;
  const client = new CloudWatchLogsClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'team-a.exports_1', secretAccessKey },
    maxAttempts: 1,
    requestHandler: {
      async handle(request: IHttpRequest) {
        made = request;
        throw new Error('never sent');
      },
    },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as IHttpRequest).headers, headers);
      return next(args);
    },
    { step: 'build' },
  );
  await client.send(new DescribeLogGroupsCommand(input)).catch(() => {});
  if (!made) throw new Error('the SDK made no request');
  return made;
}

const visible = fc.string({ unit: fc.constantFrom(...'abcXYZ019 ;:,=/"\'()'), maxLength: 30 });
const headerName = fc
  .string({ unit: fc.constantFrom(...'abcxyz-'), minLength: 1, maxLength: 12 })
  .map((name) => `x-test-${name}`);
const anyRequest = fc.record({
  secretAccessKey: fc.string({ minLength: 1 }),
  path: fc.constantFrom('', '/', '/aws/team-a', '/aws/team_a.b~c/', '/base/aws/a'),
  headers: fc.dictionary(headerName, visible, { maxKeys: 5 }),
  input: fc.record({ logGroupNamePrefix: fc.string({ unit: 'binary' }), limit: fc.integer() }),
});

describe('the signer of the SDK', () => {
  test('makes the same signature for any request', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async ({ secretAccessKey, path, ...request }) => {
        const endpoint = `http://127.0.0.1:8080${path}`;
        const made = await requestOfSdk(endpoint, secretAccessKey, request);
        const headers = Object.entries(made.headers).flat();
        const { signature } = readAuthorization(collectHeaders({ rawHeaders: headers }));

        const sent = { path: made.path, headers, body: Buffer.from(made.body) };
        expect(signatureFor(sent, secretAccessKey)).toBe(signature);
        expect(signatureFor(sent, `${secretAccessKey}x`)).not.toBe(signature);
        expect(signatureFor({ ...sent, body: `${sent.body} ` }, secretAccessKey)).not.toBe(
          signature,
        );
      }),
      { numRuns: 100 },
    );
  });
});

test('a signature is compared with every valid one', () => {
  const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

  expect(isOneOf(one, [one, other])).toBe(true);
  expect(isOneOf(other, [one, other])).toBe(true);
  expect(isOneOf(Buffer.alloc(32, 3), [one, other])).toBe(false);
  expect(isOneOf(one, [])).toBe(false);
});
