import { makeRandom } from '../../random.ts';

const bucket = 'arn:aws:s3:::archive';
const account = '123456789012';
const other = '999999999999';
const logGroups = `arn:aws:logs:eu-west-1:${account}:log-group`;

const principals: object[] = [
  { Principal: { Service: 'logs.eu-west-1.amazonaws.com' } },
  { Principal: { Service: ['sns.amazonaws.com', 'logs.amazonaws.com'] } },
  { Principal: { Service: 'logs.us-east-1.amazonaws.com' } },
  { Principal: { Service: '*' } },
  { Principal: '*' },
  { Principal: { AWS: '*' } },
  { Principal: { AWS: `arn:aws:iam::${account}:root` } },
  { NotPrincipal: { Service: 'sns.amazonaws.com' } },
  { NotPrincipal: { Service: 'logs.amazonaws.com' } },
];
const actions: object[] = [
  { Action: 's3:*' },
  { Action: ['s3:GetBucketAcl', 's3:PutObject'] },
  { Action: 's3:putobject' },
  { Action: 'S3:GetBucketA??' },
  { Action: '*' },
  { Action: 's3:GetObject' },
  { NotAction: 's3:DeleteObject' },
  { NotAction: ['s3:Put*', 's3:Delete*'] },
];
const resources: object[] = [
  { Resource: [bucket, `${bucket}/*`] },
  { Resource: '*' },
  { Resource: `${bucket}*` },
  { Resource: [bucket, `${bucket}/exports/*`] },
  { Resource: [bucket, `${bucket}/exp?rts/app/*-test`] },
  { Resource: [bucket, `${bucket}/other/*`] },
  { Resource: `${bucket}/*` },
  { Resource: 'arn:*' },
  { Resource: 'arn:aws:*archive*' },
  { Resource: [bucket, `${bucket}/$\{aws:SourceAccount}/*`] },
  { Resource: [bucket, `${bucket}/$\{*}`] },
  { NotResource: `${bucket}/exports/*` },
  { NotResource: 'arn:aws:s3:::x/*' },
];
const keys: Record<string, unknown[]> = {
  'aws:SourceAccount': [account, other, [other, account], '1234*', '????????????', `$\{aws:x}`],
  'aws:SourceArn': [
    `${logGroups}:*`,
    `${logGroups}:/app:*`,
    `${logGroups}:/app`,
    'arn:aws:logs:*',
    '*',
    `arn:aws:logs:*:${other}:*`,
  ],
  's3:x-amz-acl': ['bucket-owner-full-control', 'private', 'Bucket-Owner-Full-Control'],
  'aws:SecureTransport': ['true', false, 'FALSE'],
  'aws:PrincipalIsAWSService': ['true', 'false'],
  'aws:PrincipalOrgID': ['o-1', ['o-1', 'o-2'], 'true'],
  'AWS:SourceVpce': ['vpce-1', '*'],
  'aws:SourceIp': ['203.0.113.0/24', '*'],
  's3:x-amz-server-side-encryption': ['aws:kms', 'true', 'false'],
};
const operators = [
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'StringNotLike',
  'ArnLike',
  'ArnEquals',
  'ArnNotLike',
  'Bool',
  'IpAddress',
  'NotIpAddress',
  'NumericLessThan',
  'Null',
  'stringequals',
];
const sets = ['', '', '', 'ForAnyValue:', 'ForAllValues:'];
const ends = ['', '', 'IfExists'];

/** Makes random bucket policies; the same seed gives the same ones. */
export function randomPolicies(seed: number, count: number): object[] {
  const random = makeRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random() * items.length)];
    return item as Item;
  };
  /** The first item mostly: otherwise nearly every policy allows nothing. */
  const pickMostlyFirst = <Item>(items: readonly Item[]): Item =>
    random() < 0.5 ? (items[0] as Item) : pick(items);

  function toCondition(): object {
    const key = pick(Object.keys(keys));
    const operator = `${pick(sets)}${pick(operators)}${pick(ends)}`;
    return { [operator]: { [key]: pick(keys[key] ?? []) } };
  }

  function toStatement(): object {
    const conditions = [toCondition(), toCondition()].slice(Math.floor(random() * 3));
    return {
      Effect: random() < 0.7 ? 'Allow' : 'Deny',
      ...pickMostlyFirst(principals),
      ...pickMostlyFirst(actions),
      ...pickMostlyFirst(resources),
      ...(conditions.length > 0 && { Condition: Object.assign({}, ...conditions) }),
    };
  }

  return Array.from({ length: count }, () => ({
    Version: random() < 0.9 ? '2012-10-17' : '2008-10-17',
    Statement: Array.from({ length: 1 + Math.floor(random() * 4) }, toStatement),
  }));
}
