import { CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteBucketPolicyCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { bucket, logGroupName, openAws, refusal } from '../aws.ts';

const arn = `arn:aws:s3:::${bucket}`;
const failed = (call: string) =>
  `${call} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.`;
const sourceArn = (account: string) => `arn:aws:logs:us-east-1:${account}:log-group:*`;

/** The two statements of the user guide, with changes. */
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

/** Returns the error message of an export under that policy, or undefined if it is accepted. */
async function answerUnder(statements: unknown, order: Record<string, unknown> = {}) {
  await using aws = await openAws();
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await aws.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  return (await refusal(aws.create(order)))?.message;
}

describe('a bucket policy permits an export', () => {
  it.each<[string, unknown]>([
    ['from the user guide', documented()],
    [
      'with the global principal and without conditions',
      ['s3:GetBucketAcl', 's3:PutObject'].map((Action) => ({
        Effect: 'Allow',
        Principal: { Service: 'logs.amazonaws.com' },
        Action,
        Resource: [arn, `${arn}/*`],
      })),
    ],
    ['with one statement for everyone', forEveryone],
    ['with every service as principal', { ...forEveryone, Principal: { Service: '*' } }],
    ['with wildcards and any case in the action', { ...forEveryone, Action: 'S3:*' }],
    [
      'with NotAction for another action',
      { ...forEveryone, Action: undefined, NotAction: 's3:DeleteObject' },
    ],
    [
      'with NotPrincipal for another service',
      { ...forEveryone, Principal: undefined, NotPrincipal: { Service: 'sns.amazonaws.com' } },
    ],
    [
      'with NotResource for another bucket',
      { ...forEveryone, Resource: undefined, NotResource: 'arn:aws:s3:::x' },
    ],
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
      `with the condition ${operator}`,
      { ...forEveryone, Condition: { [operator]: keys } },
    ]),
  ])('%s', async (_, statements) => {
    expect(await answerUnder(statements)).toBeUndefined();
  });

  it('for one prefix only', async () => {
    const statements = documented({ put: { Resource: `${arn}/team-a/*` } });

    expect(await answerUnder(statements, { destinationPrefix: 'team-a' })).toBeUndefined();
    expect(await answerUnder(statements, { destinationPrefix: 'team-b' })).toBe(
      failed('PutObject'),
    );
    expect(await answerUnder(statements)).toBe(failed('PutObject'));
  });
});

describe('a bucket policy rejects an export', () => {
  it.each<[string, string, unknown]>([
    ['GetBucketAcl', 'without statements', []],
    [
      'GetBucketAcl',
      'without the ARN of the bucket',
      documented({ acl: { Resource: `${arn}/*` } }),
    ],
    ['PutObject', 'without the ARN of the keys', documented({ put: { Resource: arn } })],
    [
      'PutObject',
      'with an explicit Deny',
      [forEveryone, { ...forEveryone, Effect: 'Deny', Action: ['s3:Put*'] }],
    ],
    [
      'GetBucketAcl',
      'with the principal of another Region',
      documented({
        acl: { Principal: { Service: 'logs.eu-west-1.amazonaws.com' } },
      }),
    ],
    ['GetBucketAcl', 'with another kind of principal', { ...forEveryone, Principal: { AWS: '*' } }],
    ['GetBucketAcl', 'without a principal', { ...forEveryone, Principal: undefined }],
    [
      'GetBucketAcl',
      'with the condition of another account',
      documented({
        acl: { Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } },
      }),
    ],
    [
      'GetBucketAcl',
      'with the ARN of another account',
      documented({
        acl: { Condition: { ArnLike: { 'aws:SourceArn': sourceArn('1111*') } } },
      }),
    ],
    [
      'PutObject',
      'with the condition of another ACL',
      documented({
        put: { Condition: { StringEquals: { 's3:x-amz-acl': 'private' } } },
      }),
    ],
    [
      'GetBucketAcl',
      'with a condition key that is not sent',
      {
        ...forEveryone,
        Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } },
      },
    ],
    [
      'GetBucketAcl',
      'with an unknown operator',
      {
        ...forEveryone,
        Condition: { Peculiar: { 'aws:SourceAccount': '123456789012' } },
      },
    ],
    [
      'GetBucketAcl',
      'with the condition of an insecure transport',
      {
        ...forEveryone,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  ])('at %s, %s', async (call, _, statements) => {
    expect(await answerUnder(statements)).toBe(failed(call));
  });

  it('with AccessDeniedException, or with the older InvalidParameterException as an option', async () => {
    await using today = await openAws();
    await using before = await openAws({ bucketPolicyErrorCode: 'InvalidParameterException' });

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

describe('the caller of CreateExportTask needs s3:PutObject', () => {
  const needed =
    'Please ensure that the CreateExportTask caller has been granted s3:PutObject access to the bucket.';
  const roleArn = 'arn:aws:iam::111122223333:role/exporter';

  /** Returns the error when a session of the role exports to a bucket of 123456789012. */
  async function answerToRole(statements: object[], sessionPolicy?: object) {
    await using aws = await openAws();
    const accountId = '111122223333';
    aws.emulator.seed.logGroup({ logGroupName, accountId });
    const Policy = JSON.stringify({ Statement: [...documented(), ...statements] });
    await aws.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    const { Credentials } = await aws.sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: 'test',
        Policy: sessionPolicy && JSON.stringify({ Statement: sessionPolicy }),
      }),
    );
    const logs = aws.logsFor({
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    });
    return await refusal(logs.send(new CreateExportTaskCommand(aws.order)));
  }

  const grant = (name: string) => ({
    Effect: 'Allow',
    Principal: { AWS: name },
    Action: 's3:PutObject',
    Resource: `${arn}/*`,
    Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
  });

  it('from the bucket policy, for a bucket of another account', async () => {
    expect(await answerToRole([])).toMatchObject({
      name: 'AccessDeniedException',
      message: needed,
    });
    expect(await answerToRole([grant('arn:aws:iam::111122223333:role/else')])).toBeDefined();
    expect(await answerToRole([grant(roleArn)])).toBeUndefined();
    expect(await answerToRole([grant('arn:aws:iam::111122223333:root')])).toBeUndefined();
  });

  it('from its session policy, which must allow the operation too', async () => {
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
