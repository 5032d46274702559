import { CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteBucketPolicyCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { bucket, logGroupName, openBench, refusal } from '../bench.ts';

const arn = `arn:aws:s3:::${bucket}`;
const failed = (call: string) =>
  `${call} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.`;
const sourceArn = (account: string) => `arn:aws:logs:us-east-1:${account}:log-group:*`;

/** The two statements of the user guide, changed. */
function documented(changes: { acl?: object; put?: object } = {}) {
  const Principal = { Service: 'logs.us-east-1.amazonaws.com' };
  const source = {
    StringEquals: { 'aws:SourceAccount': ['123456789012', '111122223333'] },
    ArnLike: { 'aws:SourceArn': [sourceArn('123456789012'), sourceArn('111122223333')] },
  };
  return [
    {
      Effect: 'Allow',
      Principal,
      Action: 's3:GetBucketAcl',
      Resource: arn,
      Condition: source,
      ...changes.acl,
    },
    {
      Effect: 'Allow',
      Principal,
      Action: 's3:PutObject',
      Resource: `${arn}/*`,
      Condition: {
        ...source,
        StringEquals: { ...source.StringEquals, 's3:x-amz-acl': 'bucket-owner-full-control' },
      },
      ...changes.put,
    },
  ];
}

const forEveryone = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };

/** The message an export is refused with under that policy; undefined when it is taken. */
async function answerUnder(statements: unknown, order: Record<string, unknown> = {}) {
  await using bench = await openBench();
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await bench.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  return (await refusal(bench.create(order)))?.message;
}

describe('a bucket policy lets CloudWatch Logs in', () => {
  it.each<[string, unknown]>([
    ['as the user guide writes it', documented()],
    [
      'with the principal of every Region and no conditions',
      ['s3:GetBucketAcl', 's3:PutObject'].map((Action) => ({
        Effect: 'Allow',
        Principal: { Service: 'logs.amazonaws.com' },
        Action,
        Resource: [arn, `${arn}/*`],
      })),
    ],
    ['as one statement, for everyone', forEveryone],
    ['with any service', { ...forEveryone, Principal: { Service: '*' } }],
    ['with wildcards and letters of any case in the action', { ...forEveryone, Action: 'S3:*' }],
    ['by not denying it', { ...forEveryone, Action: undefined, NotAction: 's3:DeleteObject' }],
    [
      'by leaving only somebody else out',
      { ...forEveryone, Principal: undefined, NotPrincipal: { Service: 'sns.amazonaws.com' } },
    ],
    ['by not excluding it', { ...forEveryone, Resource: undefined, NotResource: 'arn:aws:s3:::x' }],
    ...Object.entries({
      StringLike: { 'aws:SourceAccount': '1234*' },
      StringNotEquals: { 'aws:SourceAccount': '999999999999' },
      StringNotLike: { 'aws:sourceaccount': '9?9*' },
      StringEqualsIgnoreCase: { 'aws:SourceAccount': '123456789012' },
      ArnEquals: { 'AWS:SourceArn': `arn:aws:logs:*:123456789012:log-group:${logGroupName}:*` },
      ArnNotLike: { 'aws:SourceArn': sourceArn('999999999999') },
      StringEqualsIfExists: { 'aws:PrincipalOrgID': 'o-1' },
      Bool: { 'aws:SecureTransport': true },
      'ForAnyValue:StringEquals': { 'aws:SourceAccount': ['1', '123456789012'] },
      Null: { 'aws:SourceAccount': 'false', 'aws:PrincipalOrgID': true },
      StringNotEqualsIfExists: { 'aws:PrincipalOrgID': 'o-1' },
    }).map(([operator, keys]): [string, unknown] => [
      `by the condition ${operator}`,
      { ...forEveryone, Condition: { [operator]: keys } },
    ]),
  ])('%s', async (_, statements) => {
    expect(await answerUnder(statements)).toBeUndefined();
  });

  it('on the prefix of the export only', async () => {
    const statements = documented({ put: { Resource: `${arn}/team-a/*` } });

    expect(await answerUnder(statements, { destinationPrefix: 'team-a' })).toBeUndefined();
    expect(await answerUnder(statements, { destinationPrefix: 'team-b' })).toBe(
      failed('PutObject'),
    );
    expect(await answerUnder(statements)).toBe(failed('PutObject'));
  });
});

describe('a bucket policy keeps CloudWatch Logs out', () => {
  it.each<[string, string, unknown]>([
    ['GetBucketAcl', 'without statements', []],
    ['GetBucketAcl', 'with the bucket ARN missing', documented({ acl: { Resource: `${arn}/*` } })],
    ['PutObject', 'with the keys missing', documented({ put: { Resource: arn } })],
    [
      'PutObject',
      'by an explicit deny',
      [forEveryone, { ...forEveryone, Effect: 'Deny', Action: ['s3:Put*'] }],
    ],
    [
      'GetBucketAcl',
      'of another Region',
      documented({
        acl: { Principal: { Service: 'logs.eu-west-1.amazonaws.com' } },
      }),
    ],
    ['GetBucketAcl', 'for other kinds of principal', { ...forEveryone, Principal: { AWS: '*' } }],
    ['GetBucketAcl', 'without a principal', { ...forEveryone, Principal: undefined }],
    [
      'GetBucketAcl',
      'from another account',
      documented({
        acl: { Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } },
      }),
    ],
    [
      'GetBucketAcl',
      'with an ARN whose account is another',
      documented({
        acl: { Condition: { ArnLike: { 'aws:SourceArn': sourceArn('1111*') } } },
      }),
    ],
    [
      'PutObject',
      'with another ACL',
      documented({
        put: { Condition: { StringEquals: { 's3:x-amz-acl': 'private' } } },
      }),
    ],
    [
      'GetBucketAcl',
      'by a key it does not send',
      {
        ...forEveryone,
        Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } },
      },
    ],
    [
      'GetBucketAcl',
      'by an operator nobody knows',
      {
        ...forEveryone,
        Condition: { Peculiar: { 'aws:SourceAccount': '123456789012' } },
      },
    ],
    [
      'GetBucketAcl',
      'over a secure transport',
      {
        ...forEveryone,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  ])('from %s %s', async (call, _, statements) => {
    expect(await answerUnder(statements)).toBe(failed(call));
  });

  it('with AccessDeniedException, or with the older InvalidParameterException', async () => {
    await using today = await openBench();
    await using before = await openBench({ bucketPolicyErrorCode: 'InvalidParameterException' });

    for (const { s3 } of [today, before]) {
      await s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    }

    const expected = { message: failed('GetBucketAcl'), status: 400 };
    expect(await refusal(today.create())).toEqual({ ...expected, name: 'AccessDeniedException' });
    expect(await refusal(before.create())).toEqual({
      ...expected,
      name: 'InvalidParameterException',
    });
  });
});

describe('the caller needs s3:PutObject', () => {
  const needed =
    'Please ensure that the CreateExportTask caller has been granted s3:PutObject access to the bucket.';
  const roleArn = 'arn:aws:iam::111122223333:role/exporter';

  /** What a session of the role is told when it exports to a bucket of 123456789012. */
  async function answerToRole(statements: object[], sessionPolicy?: object) {
    await using bench = await openBench();
    const accountId = '111122223333';
    bench.emulator.seed.logGroup({ logGroupName, accountId });
    const Policy = JSON.stringify({ Statement: [...documented(), ...statements] });
    await bench.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    const { Credentials } = await bench.sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: 'test',
        Policy: sessionPolicy && JSON.stringify({ Statement: sessionPolicy }),
      }),
    );
    const logs = bench.logsFor({
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    });
    return await refusal(logs.send(new CreateExportTaskCommand(bench.order)));
  }

  const grant = (name: string) => ({
    Effect: 'Allow',
    Principal: { AWS: name },
    Action: 's3:PutObject',
    Resource: `${arn}/*`,
    Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
  });

  it('by the policy of a bucket in another account', async () => {
    expect(await answerToRole([])).toMatchObject({
      name: 'AccessDeniedException',
      message: needed,
    });
    expect(await answerToRole([grant('arn:aws:iam::111122223333:role/else')])).toBeDefined();
    expect(await answerToRole([grant(roleArn)])).toBeUndefined();
    expect(await answerToRole([grant('arn:aws:iam::111122223333:root')])).toBeUndefined();
  });

  it('by its session policy, which also has to allow the operation', async () => {
    const allow = (Action: string[]) => ({ Effect: 'Allow', Action, Resource: '*' });

    const withoutPut = await answerToRole([grant(roleArn)], allow(['logs:*']));
    const withoutLogs = await answerToRole([grant(roleArn)], allow(['s3:*', 'logs:Describe*']));
    const withBoth = await answerToRole([grant(roleArn)], allow(['s3:PutObject', 'logs:Create*']));

    expect(withoutPut).toMatchObject({ name: 'AccessDeniedException', message: needed });
    expect(withoutLogs).toEqual({
      name: 'AccessDeniedException',
      message:
        'User: arn:aws:sts::111122223333:assumed-role/exporter/test is not authorized to perform: logs:CreateExportTask on resource: arn:aws:logs:us-east-1:111122223333:log-group:/shop/checkout:* because no session policy allows the logs:CreateExportTask action',
      status: 400,
    });
    expect(withBoth).toBeUndefined();
  });
});
