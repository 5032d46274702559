import { expect, test } from 'vitest';

import {
  suggestBucket,
  suggestLogGroup,
  suggestLogGroupPrefix,
} from '#export-tasks/name-corrections.ts';

test.for([
  ['arn:aws:s3:::archive', 'write "archive"'],
  ['arn:aws-eusc:s3:::archive', 'write "archive"'],
  ['arn:aws-cn:s3:::b/x', 'write "b", and "x" as destinationPrefix'],
  ['b/x', 'write "b", and "x" as destinationPrefix'],
  ['arn:aws:s3:::archive/a/b', 'write "archive", and "a/b" as destinationPrefix'],
  ['arn:aws:s3:::archive/*', 'write "archive"'],
  ['s3://archive', 'write "archive"'],
  ['S3://Good-b/', 'write "Good-b"'],
  ['HTTPS://archive.s3.eu-west-1.amazonaws.com', 'write "archive"'],
  ['s3://archive/', 'write "archive"'],
  [' archive\u00a0', 'write "archive"'],
  ['arch\u200bive', 'write "archive"'],
  ['my archive', undefined],
  ['s3a://my.archive/x', 'write "my.archive", and "x" as destinationPrefix'],
  ['archive/x/', 'write "archive", and "x/" as destinationPrefix'],
  ['https://archive.s3.eu-west-1.amazonaws.com/x', 'write "archive", and "x" as destinationPrefix'],
  ['https://archive.s3-eu-west-1.amazonaws.com', 'write "archive"'],
  [
    'https://s3.cn-north-1.amazonaws.com.cn/archive/x',
    'write "archive", and "x" as destinationPrefix',
  ],
  ['arn:aws:iam::123456789012:role/x', undefined],
  ['https://example.com/archive', undefined],
  ['/archive', undefined],
  [':', undefined],
  [`s3://archive/${'x'.repeat(10_000)}`, undefined],
] as const)('suggests for the bucket %s: %s', ([text, words]) => {
  expect(suggestBucket(text)).toBe(words);
});

const arn = 'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/pay';
const wholeName =
  'logGroupName is the whole name of one log group; to export all whose name begins with it, create an export job with logGroupNamePrefix "/aws/lambda/"';

test.for([
  [arn, 'write "/aws/lambda/pay"', 'write "/aws/lambda/pay"'],
  [`${arn}:*`, 'write "/aws/lambda/pay"', 'write "/aws/lambda/pay"'],
  [`${arn}:log-stream:web`, 'write "/aws/lambda/pay"', 'write "/aws/lambda/pay"'],
  ['/aws/lambda/*', wholeName, 'write "/aws/lambda/"'],
  [
    'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/*',
    wholeName,
    'write "/aws/lambda/"',
  ],
  ['/aws/*/pay', undefined, undefined],
  ['*', undefined, undefined],
  ['a:b', undefined, undefined],
  [`${'/'.repeat(10_000)}*`, undefined, undefined],
] as const)('instead of the log group %s: %s, or as a prefix: %s', ([text, name, prefix]) => {
  expect(suggestLogGroup(text)).toBe(name);
  expect(suggestLogGroupPrefix(text)).toBe(prefix);
});
