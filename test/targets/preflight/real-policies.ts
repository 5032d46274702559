// Bucket policies as people write them: from user guides, from questions of people whose export did not
// start, and from rules of security teams. Account 123456789012, eu-west-1, bucket `archive`, log group
// `/app`, prefix `exports/app`.

/** The name of a policy, what a preflight says of it, and its statements or the whole document. */
export type PolicyRow = [
  name: string,
  verdict: 'pass' | 'warn' | 'fail' | 'unknown',
  policy: unknown,
];

type Statement = Record<string, unknown>;

const bucket = 'arn:aws:s3:::archive';
const keys = `${bucket}/*`;
const both = [bucket, keys];
const logs = { Service: 'logs.eu-west-1.amazonaws.com' };
const account = '123456789012';
const sourceArn = `arn:aws:logs:eu-west-1:${account}:log-group:*`;
const sources = {
  StringEquals: { 'aws:SourceAccount': [account] },
  ArnLike: { 'aws:SourceArn': [sourceArn] },
};
const owned = { 's3:x-amz-acl': 'bucket-owner-full-control' };

/** The two statements of the user guide, with changes. */
function guide({ acl = {}, put = {} }: { acl?: Statement; put?: Statement } = {}): Statement[] {
  return [
    {
      Sid: 'AllowGetBucketAcl',
      Effect: 'Allow',
      Principal: logs,
      Action: 's3:GetBucketAcl',
      Resource: bucket,
      Condition: sources,
      ...acl,
    },
    {
      Sid: 'AllowPutObject',
      Effect: 'Allow',
      Principal: logs,
      Action: 's3:PutObject',
      Resource: keys,
      Condition: { ...sources, StringEquals: { ...owned, ...sources.StringEquals } },
      ...put,
    },
  ];
}

const allow = (members: Statement): Statement => ({
  Effect: 'Allow',
  Principal: logs,
  Action: 's3:*',
  Resource: both,
  ...members,
});
const deny = (members: Statement): Statement => ({
  Sid: 'Deny',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:*',
  Resource: both,
  ...members,
});
/** The guide, and a statement that denies under a condition. */
const denyIf = (Condition: object, members: Statement = {}) => [
  ...guide(),
  deny({ Condition, ...members }),
];
const onlyIf = (Condition: object) => allow({ Condition });

export const realPolicies: PolicyRow[] = [
  // What the user guides of AWS have.
  ['the policy of the user guide', 'pass', guide()],
  [
    'the older guide, without source conditions',
    'pass',
    guide({ acl: { Condition: undefined }, put: { Condition: { StringEquals: owned } } }),
  ],
  [
    'the global principal',
    'pass',
    guide({
      acl: { Principal: { Service: 'logs.amazonaws.com' } },
      put: { Principal: { Service: 'logs.amazonaws.com' } },
    }),
  ],
  [
    'several accounts and Regions in one policy',
    'pass',
    guide({
      acl: {
        Principal: { Service: ['logs.us-east-1.amazonaws.com', 'logs.eu-west-1.amazonaws.com'] },
        Condition: { StringEquals: { 'aws:SourceAccount': ['111122223333', account] } },
      },
    }),
  ],
  [
    'one statement with both actions',
    'pass',
    allow({ Action: ['s3:GetBucketAcl', 's3:PutObject'] }),
  ],
  ['a single statement that is no array', 'pass', { Version: '2012-10-17', Statement: allow({}) }],
  ['version 2008-10-17', 'pass', { Version: '2008-10-17', Statement: guide() }],
  ['no version', 'pass', { Statement: guide() }],
  [
    'an Id and statements without Sid',
    'pass',
    {
      Version: '2012-10-17',
      Id: 'LogExport',
      Statement: guide({ acl: { Sid: undefined }, put: { Sid: undefined } }),
    },
  ],

  // Wildcards, case, and the elements that say not.
  ['actions in lower case', 'pass', allow({ Action: ['s3:getbucketacl', 's3:putobject'] })],
  ['actions in upper case', 'pass', [allow({ Action: 'S3:GET*' }), allow({ Action: 'S3:PUT*' })]],
  [
    'a question mark in the action',
    'pass',
    [allow({ Action: 's3:GetBucketAc?' }), allow({ Action: 's3:?utObject' })],
  ],
  ['every action of every service', 'pass', allow({ Action: '*' })],
  ['everything to everybody', 'pass', allow({ Principal: '*', Action: '*', Resource: '*' })],
  [
    'a wildcard at the end of the name of the bucket',
    'pass',
    allow({ Resource: ['arn:aws:s3:::arch*', 'arn:aws:s3:::archive*'] }),
  ],
  ['the whole service S3 as resource', 'pass', allow({ Resource: 'arn:aws:s3:::*' })],
  ['a wildcard over parts of the ARN', 'unknown', allow({ Resource: 'arn:*archive*' })],
  [
    'NotAction of a deletion',
    'pass',
    allow({ Action: undefined, NotAction: ['s3:DeleteObject', 's3:DeleteBucket'] }),
  ],
  ['NotAction of all writes', 'fail', allow({ Action: undefined, NotAction: 's3:Put*' })],
  [
    'NotResource of another folder',
    'pass',
    allow({ Resource: undefined, NotResource: `${bucket}/private/*` }),
  ],
  [
    'NotResource of this folder',
    'fail',
    allow({ Resource: undefined, NotResource: `${bucket}/exports/*` }),
  ],
  [
    'NotPrincipal of another service',
    'pass',
    allow({ Principal: undefined, NotPrincipal: { Service: 'sns.amazonaws.com' } }),
  ],
  [
    'a denial of everybody but an administrator',
    'fail',
    [
      ...guide(),
      deny({ Principal: undefined, NotPrincipal: { AWS: `arn:aws:iam::${account}:role/admin` } }),
    ],
  ],
  [
    'a denial of everybody but CloudWatch Logs',
    'unknown',
    [...guide(), deny({ Principal: undefined, NotPrincipal: logs })],
  ],
  [
    'a denial of all actions but reads',
    'fail',
    [...guide(), deny({ Action: undefined, NotAction: ['s3:Get*', 's3:List*'] })],
  ],
  [
    'a denial of other folders',
    'pass',
    [
      ...guide(),
      deny({ Action: 's3:PutObject', Resource: undefined, NotResource: [`${bucket}/exports/*`] }),
    ],
  ],
  [
    'a denial of this folder',
    'fail',
    [...guide(), deny({ Action: 's3:Put*', Resource: `${bucket}/exports/*` })],
  ],

  // Prefixes.
  ['a prefix of the export', 'pass', guide({ put: { Resource: `${bucket}/exports/*` } })],
  ['another prefix', 'fail', guide({ put: { Resource: `${bucket}/other/*` } })],
  ['the prefix without a wildcard', 'fail', guide({ put: { Resource: `${bucket}/exports/app` } })],
  ['a prefix in another case', 'fail', guide({ put: { Resource: `${bucket}/Exports/*` } })],
  [
    'only the test object',
    'warn',
    guide({ put: { Resource: `${bucket}/exports/app/aws-logs-write-test` } }),
  ],
  [
    'a denial of compressed objects',
    'warn',
    [...guide(), deny({ Action: 's3:PutObject', Resource: `${bucket}/*.gz` })],
  ],
  [
    'a variable in the resource',
    'unknown',
    guide({ put: { Resource: `${bucket}/$\{aws:SourceAccount}/*` } }).concat(
      allow({ Action: 's3:PutObject', Resource: `${bucket}/$\{aws:PrincipalTag/team}/*` }),
    ),
  ],
  [
    'an escaped wildcard in the resource',
    'fail',
    guide({ put: { Resource: `${bucket}/exports/$\{*}` } }),
  ],
  [
    'a variable in an old version',
    'unknown',
    {
      Version: '2008-10-17',
      Statement: guide({ put: { Resource: `${bucket}/$\{aws:username}/*` } }),
    },
  ],

  // What is missing or wrong.
  ['no bucket policy', 'fail', null],
  ['no statement', 'fail', []],
  ['only GetBucketAcl', 'fail', guide().slice(0, 1)],
  ['only PutObject', 'fail', guide().slice(1)],
  ['the resources swapped', 'fail', guide({ acl: { Resource: keys }, put: { Resource: bucket } })],
  ['another bucket', 'fail', allow({ Resource: ['arn:aws:s3:::other', 'arn:aws:s3:::other/*'] })],
  [
    'ARNs of China',
    'fail',
    allow({ Resource: ['arn:aws-cn:s3:::archive', 'arn:aws-cn:s3:::archive/*'] }),
  ],
  [
    'the principal of another Region',
    'fail',
    allow({ Principal: { Service: 'logs.us-east-1.amazonaws.com' } }),
  ],
  [
    'the principal of load balancers',
    'fail',
    allow({ Principal: { Service: 'delivery.logs.amazonaws.com' } }),
  ],
  [
    'the account as principal',
    'fail',
    allow({ Principal: { AWS: `arn:aws:iam::${account}:root` } }),
  ],
  ['every account as principal', 'pass', allow({ Principal: { AWS: '*' } })],
  ['every service as principal', 'unknown', allow({ Principal: { Service: '*' } })],
  [
    'a canonical user as principal',
    'fail',
    allow({
      Principal: {
        CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be',
      },
    }),
  ],
  ['no principal', 'fail', allow({ Principal: undefined })],
  ['an unconditional denial', 'fail', [...guide(), deny({})]],
  [
    'a denial of all services',
    'fail',
    [...guide(), deny({ Principal: { Service: ['logs.amazonaws.com', 'sns.amazonaws.com'] } })],
  ],
  ['a denial of all accounts', 'fail', [...guide(), deny({ Principal: { AWS: '*' } })]],
  [
    'a denial of a role',
    'pass',
    [...guide(), deny({ Principal: { AWS: `arn:aws:iam::${account}:role/intern` } })],
  ],
  [
    'a denial of deletions',
    'pass',
    [...guide(), deny({ Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'] })],
  ],

  // Source conditions.
  [
    'another source account',
    'fail',
    guide({ acl: { Condition: { StringEquals: { 'aws:SourceAccount': '999999999999' } } } }),
  ],
  [
    'the source account with a wildcard',
    'pass',
    guide({ acl: { Condition: { StringLike: { 'aws:SourceAccount': '1234*' } } } }),
  ],
  [
    'a wildcard where none is possible',
    'fail',
    guide({ acl: { Condition: { StringEquals: { 'aws:SourceAccount': '1234*' } } } }),
  ],
  [
    'condition keys in lower case',
    'pass',
    guide({ acl: { Condition: { StringEquals: { 'aws:sourceaccount': account } } } }),
  ],
  [
    'another Region in the source ARN',
    'fail',
    guide({
      put: { Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:logs:us-east-1:${account}:*` } } },
    }),
  ],
  [
    'every Region in the source ARN',
    'pass',
    guide({ put: { Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:logs:*:${account}:*` } } } }),
  ],
  [
    'the source ARN with StringLike',
    'pass',
    guide({ put: { Condition: { StringLike: { 'aws:SourceArn': 'arn:aws:logs:*' } } } }),
  ],
  [
    'one log group with a wildcard',
    'pass',
    guide({
      put: {
        Condition: {
          ArnLike: { 'aws:SourceArn': `arn:aws:logs:eu-west-1:${account}:log-group:/app*` },
        },
      },
    }),
  ],
  [
    'one log group without a wildcard',
    'unknown',
    guide({
      put: {
        Condition: {
          ArnEquals: { 'aws:SourceArn': `arn:aws:logs:eu-west-1:${account}:log-group:/app` },
        },
      },
    }),
  ],
  [
    'another log group',
    'fail',
    guide({
      put: {
        Condition: {
          ArnLike: { 'aws:SourceArn': `arn:aws:logs:eu-west-1:${account}:log-group:/other:*` },
        },
      },
    }),
  ],
  [
    'a source ARN that is no ARN',
    'unknown',
    guide({ put: { Condition: { ArnLike: { 'aws:SourceArn': '/app' } } } }),
  ],
  [
    'another ACL',
    'fail',
    guide({ put: { Condition: { StringEquals: { 's3:x-amz-acl': 'private' } } } }),
  ],
  [
    'a required ACL for the call that reads it',
    'fail',
    guide({ acl: { Condition: { StringEquals: owned } } }),
  ],

  // Rules of security teams.
  ['TLS only', 'pass', denyIf({ Bool: { 'aws:SecureTransport': 'false' } })],
  ['TLS only, with a boolean', 'pass', denyIf({ Bool: { 'aws:SecureTransport': false } })],
  [
    'TLS only, for all accounts',
    'pass',
    denyIf({ Bool: { 'aws:SecureTransport': 'false' } }, { Principal: { AWS: '*' } }),
  ],
  [
    'TLS only, as a condition of the permission',
    'pass',
    onlyIf({ Bool: { 'aws:SecureTransport': 'true' } }),
  ],
  ['TLS 1.2 only', 'unknown', denyIf({ NumericLessThan: { 's3:TlsVersion': '1.2' } })],
  [
    'one VPC endpoint only',
    'fail',
    denyIf({ StringNotEquals: { 'aws:SourceVpce': 'vpce-1a2b3c4d' } }),
  ],
  ['one VPC only', 'fail', denyIf({ StringNotEquals: { 'aws:SourceVpc': 'vpc-111bbb22' } })],
  [
    'one VPC only, if there is one',
    'fail',
    denyIf({ StringNotEqualsIfExists: { 'aws:SourceVpc': 'vpc-111bbb22' } }),
  ],
  [
    'calls through another VPC endpoint',
    'pass',
    denyIf({ StringEquals: { 'aws:SourceVpce': 'vpce-9' } }),
  ],
  [
    'one VPC only, except for services',
    'pass',
    denyIf({
      StringNotEquals: { 'aws:SourceVpc': 'vpc-111bbb22' },
      Bool: { 'aws:PrincipalIsAWSService': 'false' },
    }),
  ],
  [
    'one VPC only, except for services, if there is such a key',
    'pass',
    denyIf({
      StringNotEqualsIfExists: { 'aws:SourceVpc': 'vpc-111bbb22' },
      BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
    }),
  ],
  [
    'one organization only',
    'fail',
    denyIf({ StringNotEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } }),
  ],
  [
    'one organization only, except for services',
    'pass',
    denyIf({
      StringNotEqualsIfExists: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' },
      BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
    }),
  ],
  [
    'members of an organization',
    'fail',
    allow({
      Principal: '*',
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } },
    }),
  ],
  [
    'an organization of the source',
    'unknown',
    denyIf({ StringNotEquals: { 'aws:SourceOrgID': 'o-a1b2c3d4e5' } }),
  ],
  [
    'organization paths of any value',
    'pass',
    denyIf({ 'ForAnyValue:StringNotLike': { 'aws:PrincipalOrgPaths': 'o-a/*' } }),
  ],
  [
    'organization paths of all values',
    'fail',
    denyIf({ 'ForAllValues:StringNotLike': { 'aws:PrincipalOrgPaths': 'o-a/*' } }),
  ],
  ['source addresses', 'unknown', denyIf({ NotIpAddress: { 'aws:SourceIp': ['203.0.113.0/24'] } })],
  [
    'source addresses, except for services',
    'pass',
    denyIf({
      NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' },
      Bool: { 'aws:PrincipalIsAWSService': 'false' },
    }),
  ],
  ['addresses of a VPC', 'fail', denyIf({ NotIpAddress: { 'aws:VpcSourceIp': '10.0.0.0/8' } })],
  [
    'unencrypted objects',
    'unknown',
    denyIf(
      { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
      { Action: 's3:PutObject' },
    ),
  ],
  [
    'no encryption header',
    'unknown',
    denyIf({ Null: { 's3:x-amz-server-side-encryption': 'true' } }, { Action: 's3:PutObject' }),
  ],
  [
    'no multi-factor authentication',
    'unknown',
    denyIf({ BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } }),
  ],
  ['requests without an organization', 'fail', denyIf({ Null: { 'aws:PrincipalOrgID': 'true' } })],
  ['requests without a source account', 'pass', denyIf({ Null: { 'aws:SourceAccount': true } })],
  [
    'other source accounts',
    'pass',
    denyIf({ StringNotEquals: { 'aws:SourceAccount': [account, '111122223333'] } }),
  ],
  ['a date', 'unknown', denyIf({ DateGreaterThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } })],
  [
    'other roles by their id',
    'unknown',
    denyIf({ StringNotLike: { 'aws:userId': ['AROAEXAMPLEID:*', account] } }),
  ],
  [
    'other roles by their ARN',
    'unknown',
    denyIf({ ArnNotLike: { 'aws:PrincipalArn': `arn:aws:iam::${account}:role/admin` } }),
  ],
  [
    'a tag of the principal',
    'unknown',
    denyIf({ StringNotEquals: { 'aws:PrincipalTag/team': 'a' } }),
  ],
  [
    'a condition that nobody knows',
    'unknown',
    onlyIf({ Peculiar: { 'aws:SourceAccount': account } }),
  ],
  [
    'a condition on an unknown key that does not matter',
    'pass',
    denyIf({
      StringNotEquals: { 'aws:SourceIp': '203.0.113.7' },
      Bool: { 'aws:SecureTransport': 'false' },
    }),
  ],
  [
    'several conditions that hold',
    'pass',
    onlyIf({
      StringEqualsIgnoreCase: { 'aws:SourceAccount': account },
      ArnNotLike: { 'aws:SourceArn': 'arn:aws:logs:*:999999999999:*' },
      StringNotLike: { 'aws:SourceAccount': '9*' },
    }),
  ],
  [
    'several conditions of which one does not hold',
    'fail',
    onlyIf({ StringEquals: { 'aws:SourceAccount': account, 'aws:PrincipalOrgID': 'o-1' } }),
  ],
  [
    'a condition key that every object of JavaScript has',
    'unknown',
    onlyIf({ StringEqualsIgnoreCase: { constructor: account } }),
  ],
];
