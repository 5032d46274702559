import { bucket } from '../aws.ts';

export const arn = `arn:aws:s3:::${bucket}`;
export const sourceArn = (account: string) => `arn:aws:logs:us-east-1:${account}:log-group:*`;

/** The two statements of the user guide, with changes. */
export function documented(changes: { acl?: object; put?: object } = {}) {
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
