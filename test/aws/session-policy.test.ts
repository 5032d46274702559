import { isAllowed, readPolicy } from 'cloudwatch-logs-export-emulator/source';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { ExportGrant } from '#aws/call-options.ts';
import { sessionNameOf } from '#aws/sessions/session-name.ts';
import { sessionPolicyFor } from '#aws/sessions/session-policy.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const location = { partition: 'aws', accountId: '123456789012', region: 'eu-west-1' };
const grant: ExportGrant = {
  logGroupName: '/app',
  destination: 'archive',
  destinationPrefix: 'exports/app',
};

/** Whether the emulated IAM permits an action to a session with this policy. */
function permits(policy: string, action: string, resource: string, context = {}): boolean {
  const read = readPolicy(policy);
  if (!read) throw new Error(`AWS does not understand ${policy}`);
  return isAllowed(read, { principals: 'holder', action, resource, context });
}

const mayPut = (policy: string, bucket: string, key: string) =>
  permits(policy, 's3:PutObject', `arn:aws:s3:::${bucket}/${key}`);
const logGroupArn = (name: string) => `arn:aws:logs:eu-west-1:123456789012:log-group:${name}`;
const mayCreate = (policy: string, arn: string) => permits(policy, 'logs:CreateExportTask', arn);

const variable = (name: string) => `$\{${name}}`;
const writable = [...Array(0x100).keys()].slice(0x20).map((code) => String.fromCharCode(code));
const latin = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...writable, ...'*?$*?$', ...'{}"\\/'), maxLength });
const anything = (maxLength: number) =>
  fc.string({ unit: fc.oneof(latin(1), fc.string({ unit: 'binary', maxLength: 1 })), maxLength });
const bucketName = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
const logGroupName = fc.stringMatching(/^[.\-_/#A-Za-z0-9]{1,512}$/);
const isTakenBySts = (policy: string) =>
  policy.length <= 2_048 && /^[\t\n\r\u0020-\u00ff]+$/.test(policy);

describe('the policy of a session', () => {
  test('permits what AWS documents for an export, for one log group, bucket and prefix', () => {
    const policy = JSON.parse(sessionPolicyFor(location, grant));

    expect(policy).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'logs:CreateExportTask',
          Resource: [logGroupArn('/app'), logGroupArn('/app:*')],
        },
        {
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:PutObjectAcl'],
          Resource: ['arn:aws:s3:::archive/exports/app/*'],
        },
        {
          Effect: 'Allow',
          Action: ['s3:GetBucketAcl', 's3:GetBucketLocation'],
          Resource: 'arn:aws:s3:::archive',
        },
        {
          Effect: 'Allow',
          Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
          Resource: '*',
          Condition: { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
        },
      ],
    });
  });

  test('permits nothing without a grant', () => {
    const policy = sessionPolicyFor(location, undefined);

    expect(mayCreate(policy, logGroupArn('/app'))).toBe(false);
    expect(mayPut(policy, 'archive', 'exports/app/x')).toBe(false);
    expect(JSON.parse(policy).Statement).toEqual([{ Effect: 'Deny', Action: '*', Resource: '*' }]);
  });

  test('permits the test object of AWS only with the default prefix', () => {
    const byDefault = sessionPolicyFor(location, { ...grant, destinationPrefix: 'exportedlogs' });
    const under = sessionPolicyFor(location, grant);

    expect(mayPut(byDefault, 'archive', 'aws-logs-write-test')).toBe(true);
    expect(mayPut(byDefault, 'archive', 'aws-logs-write-test/x')).toBe(false);
    expect(mayPut(under, 'archive', 'aws-logs-write-test')).toBe(false);
  });

  test.each([
    ['a*b', 'a-b'],
    ['a?b', 'a-b'],
    ['a$b', 'a-b'],
    [variable('*'), '*'],
    [variable('?'), '?'],
    [`a${variable('$')}b`, 'a$b'],
  ])('treats the prefix %s as text that does not match %s', (destinationPrefix, other) => {
    const policy = sessionPolicyFor(location, { ...grant, destinationPrefix });

    expect(mayPut(policy, 'archive', `${destinationPrefix}/x`)).toBe(true);
    expect(mayPut(policy, 'archive', `${other}/x`)).toBe(false);
  });

  test('treats variables in a prefix as text', () => {
    const policy = sessionPolicyFor(location, {
      ...grant,
      destinationPrefix: variable('aws:userid'),
    });

    expect(policy).toContain(`archive/${variable('$')}{aws:userid}/*`);
  });

  test('does not treat the part after a slash in a bucket name as a prefix', () => {
    const policy = sessionPolicyFor(location, { ...grant, destination: 'archive/mine' });

    expect(mayPut(policy, 'archive', 'mine/exports/app/x')).toBe(false);
  });

  test('permits KMS keys only through S3', () => {
    const policy = sessionPolicyFor(location, grant);
    const key = 'arn:aws:kms:eu-west-1:123456789012:key/of-the-bucket';
    const mayDecrypt = (service: string) =>
      permits(policy, 'kms:Decrypt', key, { 'kms:ViaService': service });

    expect(mayDecrypt('s3.eu-west-1.amazonaws.com')).toBe(true);
    expect(mayDecrypt('secretsmanager.eu-west-1.amazonaws.com')).toBe(false);
    expect(permits(policy, 'kms:Decrypt', key)).toBe(false);
    expect(permits(policy, 's3:GetObject', 'arn:aws:s3:::archive/exports/app/x')).toBe(false);
  });
});

describe(`the policy of a random grant (seed ${seed})`, () => {
  const keysOf = (prefix: string) => [`${prefix}/aws-logs-write-test`, `${prefix}/id/s/000000.gz`];

  test('permits its keys, and no key of another prefix or bucket', () => {
    const others = fc.record({ prefix: latin(40), bucket: bucketName });

    fc.assert(
      fc.property(latin(300), bucketName, others, (destinationPrefix, destination, other) => {
        fc.pre(other.prefix !== 'exportedlogs' && destinationPrefix !== 'exportedlogs');
        const policy = sessionPolicyFor(location, { ...grant, destination, destinationPrefix });

        expect(isTakenBySts(policy)).toBe(true);
        for (const key of keysOf(destinationPrefix)) {
          expect(mayPut(policy, destination, key)).toBe(true);
          expect(mayPut(policy, other.bucket, key)).toBe(other.bucket === destination);
        }
        for (const key of keysOf(other.prefix)) {
          const isUnder = key.startsWith(`${destinationPrefix}/`);
          expect(mayPut(policy, destination, key)).toBe(isUnder);
        }
      }),
      { numRuns: 500, seed },
    );
  });

  test('does not permit a prefix that differs in one character', () => {
    const change = fc.tuple(latin(200), fc.nat(), fc.constantFrom(...writable));

    fc.assert(
      fc.property(change, ([destinationPrefix, at, character]) => {
        const index = at % (destinationPrefix.length + 1);
        const other =
          destinationPrefix.slice(0, index) + character + destinationPrefix.slice(index + 1);
        fc.pre(other !== destinationPrefix && character !== '/');
        fc.pre(!`${other}/`.startsWith(`${destinationPrefix}/`));
        const policy = sessionPolicyFor(location, { ...grant, destinationPrefix });

        for (const key of keysOf(other)) expect(mayPut(policy, 'archive', key)).toBe(false);
      }),
      { numRuns: 500, seed },
    );
  });

  test('is accepted by STS with any length and characters; log group and bucket stay exact', () => {
    const granted = fc.record({
      logGroupName: fc.oneof(logGroupName, anything(600)),
      destination: fc.oneof(bucketName, anything(600)),
      destinationPrefix: anything(1_024),
    });

    fc.assert(
      fc.property(granted, bucketName, logGroupName, (randomGrant, bucket, group) => {
        const policy = sessionPolicyFor(location, randomGrant);

        expect(isTakenBySts(policy)).toBe(true);
        const isGranted = bucket === randomGrant.destination;
        expect(mayPut(policy, bucket, `${randomGrant.destinationPrefix}/x`)).toBe(isGranted);
        for (const arn of [logGroupArn(group), logGroupArn(`${group}:*`)]) {
          expect(mayCreate(policy, arn)).toBe(group === randomGrant.logGroupName);
        }
      }),
      { numRuns: 500, seed },
    );
  });

  test('permits the export with names of maximum length', () => {
    fc.assert(
      fc.property(logGroupName, bucketName, anything(1_024), (group, bucket, prefix) => {
        const granted = { logGroupName: group, destination: bucket, destinationPrefix: prefix };

        const policy = sessionPolicyFor(location, granted);

        expect(mayCreate(policy, logGroupArn(group))).toBe(true);
        expect(mayCreate(policy, logGroupArn(`${group}:*`))).toBe(true);
        for (const key of keysOf(prefix)) expect(mayPut(policy, bucket, key)).toBe(true);
      }),
      { numRuns: 500, seed },
    );
  });
});

describe('a prefix that is too long for a policy', () => {
  const long = { ...grant, logGroupName: `/${'g'.repeat(511)}`, destination: 'b'.repeat(63) };
  const keysIn = (prefix: string) => {
    const policy = sessionPolicyFor(location, { ...long, destinationPrefix: prefix });
    const [, { Resource }] = JSON.parse(policy).Statement;
    return {
      policy,
      keys: Resource[0].slice(`arn:aws:s3:::${long.destination}/`.length) as string,
    };
  };

  test('is matched up to the last character that STS accepts', () => {
    const { policy, keys } = keysIn('p'.repeat(1_024));

    expect(policy).toHaveLength(2_048);
    expect(keys).toMatch(/^p{100,}\*$/);
  });

  test.each([
    ['an escape', '*', /^(?:\$\{\*\})+\*$/],
    ['a quotation mark', '"', /^"+\*$/],
    ['a surrogate pair', '😀a', /^(?:\*a)*\*{1,2}$/],
  ])('is never cut inside %s', (_, text, shape) => {
    for (let shift = 0; shift < 6; shift += 1) {
      const { policy, keys } = keysIn('p'.repeat(shift) + text.repeat(1_024));

      expect(keys.slice(shift)).toMatch(shape);
      expect(policy.length).toBeGreaterThan(2_048 - 5);
      expect(policy.length).toBeLessThanOrEqual(2_048);
    }
  });

  test('permits nothing when bucket and log group are too long, too', () => {
    const granted = { ...grant, logGroupName: 'g'.repeat(900), destination: 'b'.repeat(900) };

    expect(sessionPolicyFor(location, granted)).toBe(sessionPolicyFor(location, undefined));
  });
});

describe('the name of a session', () => {
  test('is readable and accepted by STS', () => {
    expect(sessionNameOf('https://issuer.example.com/realm#order-service')).toMatch(
      /^order-service-[0-9a-f]{12}$/,
    );
    expect(sessionNameOf('mtls#CN=Jürgen Öztürk/OU=a b')).toMatch(/^CN=J-rgen-/);
  });

  test(`differs from that of every other caller (seed ${seed})`, () => {
    const caller = fc.tuple(fc.webUrl(), anything(300)).map((parts) => parts.join('#'));

    fc.assert(
      fc.property(caller, caller, (one, other) => {
        expect(sessionNameOf(one)).toMatch(/^[\w+=,.@-]{2,64}$/);
        expect(sessionNameOf(one) === sessionNameOf(other)).toBe(one === other);
      }),
      { numRuns: 1_000, seed },
    );
    const issuers = ['https://a.example', 'https://b.example'].map((url) =>
      sessionNameOf(`${url}#same`),
    );
    expect(issuers[0]).not.toBe(issuers[1]);
  });
});
