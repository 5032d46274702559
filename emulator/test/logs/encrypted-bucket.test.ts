import { CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../../src/emulator.ts';
import { bucket, logGroupName, openAws, refusal, startAt } from '../aws.ts';
import { sourceArn } from './documented-policy.ts';

const account = '123456789012';
const failed =
  'PutObject call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.';

/** The statement of the user guide for CloudWatch Logs, with changes. */
const forLogs = (changes: object = {}) => ({
  Sid: 'Allow CWL Service Principal usage',
  Effect: 'Allow',
  Principal: { Service: 'logs.us-east-1.amazonaws.com' },
  Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
  Resource: '*',
  ...changes,
});
const forAccount = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: 'kms:*',
  Resource: '*',
};

type KeySeed = { state?: 'Disabled'; region?: string; statements?: object[] };

/** Opens an emulator whose bucket has a key. */
async function openEncrypted(
  { statements = [forLogs(), forAccount], ...key }: KeySeed = {},
  options: EmulatorOptions = {},
) {
  const aws = await openAws(options);
  const { seed } = aws.emulator;
  const policy = JSON.stringify({ Statement: statements });
  const keyArn = seed.key({ ...key, policy });
  seed.bucket({ bucket, encryption: { algorithm: 'aws:kms', keyId: keyArn } });
  return Object.assign(aws, { keyArn });
}

async function answerWith(key: KeySeed, options: EmulatorOptions = {}) {
  await using aws = await openEncrypted(key, options);
  return await refusal(aws.create());
}

describe('CreateExportTask to a bucket with SSE-KMS', () => {
  it.each<[string, object]>([
    ['of the user guide', {}],
    ['with the global principal', { Principal: { Service: 'logs.amazonaws.com' } }],
    [
      'with the source of the request',
      { Condition: { ArnLike: { 'aws:SourceArn': sourceArn(account) } } },
    ],
    [
      'with the objects of the bucket',
      {
        Condition: {
          StringLike: { 'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${bucket}/*` },
        },
      },
    ],
    [
      'with S3 as the way to the key',
      { Condition: { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } } },
    ],
  ])('accepts a key policy %s', async (_, changes) => {
    expect(await answerWith({ statements: [forLogs(changes)] })).toBeUndefined();
  });

  it.each<[string, KeySeed]>([
    ['whose policy does not name CloudWatch Logs', { statements: [forAccount] }],
    [
      'whose policy has no kms:Decrypt',
      { statements: [forLogs({ Action: 'kms:GenerateDataKey' })] },
    ],
    [
      'whose policy names another Region',
      { statements: [forLogs({ Principal: { Service: 'logs.eu-west-1.amazonaws.com' } })] },
    ],
    ['with an explicit Deny', { statements: [forLogs(), forLogs({ Effect: 'Deny' })] }],
    ['that is disabled', { state: 'Disabled' }],
    ['of another Region', { region: 'eu-west-1' }],
  ])('rejects a key %s', async (_, key) => {
    expect(await answerWith(key)).toEqual({
      name: 'AccessDeniedException',
      message: failed,
      status: 400,
    });
  });

  it('rejects a key that does not exist, and the key that AWS manages', async () => {
    await using aws = await openAws();
    const under = async (keyId?: string) => {
      aws.emulator.seed.bucket({ bucket, encryption: { algorithm: 'aws:kms', keyId } });
      return (await refusal(aws.create()))?.message;
    };

    expect(await under('alias/none')).toBe(failed);
    expect(await under()).toBe(failed);
  });

  it('sees the bucket instead of the object if the bucket has a key', async () => {
    const under = async (pattern: string) => {
      const Condition = { StringLike: { 'kms:EncryptionContext:aws:s3:arn': pattern } };
      await using aws = await openEncrypted({ statements: [forLogs({ Condition })] });
      const encryption = { algorithm: 'aws:kms', keyId: aws.keyArn, hasBucketKey: true } as const;
      aws.emulator.seed.bucket({ bucket, encryption });
      return (await refusal(aws.create()))?.message;
    };

    expect(await under(`arn:aws:s3:::${bucket}`)).toBeUndefined();
    expect(await under(`arn:aws:s3:::${bucket}/*`)).toBe(failed);
  });

  it('rejects a condition on the source if requests for keys have none', async () => {
    const statements = [
      forLogs({ Condition: { ArnLike: { 'aws:SourceArn': sourceArn(account) } } }),
    ];

    expect(await answerWith({ statements }, { keySource: 'absent' })).toBeDefined();
  });

  it('has the message and the code of its options', async () => {
    const options = {
      encryptionMessage: 'The key is not usable.',
      bucketPolicyErrorCode: 'InvalidParameterException',
    } as const;

    expect(await answerWith({ state: 'Disabled' }, options)).toEqual({
      name: 'InvalidParameterException',
      message: 'The key is not usable.',
      status: 400,
    });
  });

  it('of another account takes permissions of the caller too', async () => {
    const caller = '111122223333';
    const roleArn = `arn:aws:iam::${caller}:role/exporter`;
    const answerTo = async (...more: object[]) => {
      await using aws = await openEncrypted({ statements: [forLogs(), ...more] });
      const forEveryone = { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' };
      aws.emulator.seed.bucket({
        bucket,
        policy: JSON.stringify({ Statement: forEveryone }),
        encryption: { algorithm: 'aws:kms', keyId: aws.keyArn },
      });
      aws.emulator.seed.logGroup({ logGroupName, accountId: caller });
      const logs = aws.logsFor(await aws.assume({ RoleArn: roleArn }));
      return await refusal(logs.send(new CreateExportTaskCommand(aws.order)));
    };

    expect((await answerTo())?.message).toBe(failed);
    expect(await answerTo(forLogs({ Principal: { AWS: roleArn } }))).toBeUndefined();
  });
});

it.each([
  ['refuse', failed],
  ['accept', undefined],
] as const)('DSSE-KMS is handled by doubleEncryption: %s', async (doubleEncryption, message) => {
  await using aws = await openAws({ doubleEncryption });
  const keyId = aws.emulator.seed.key({ policy: JSON.stringify({ Statement: forLogs() }) });
  aws.emulator.seed.bucket({ bucket, encryption: { algorithm: 'aws:kms:dsse', keyId } });

  expect((await refusal(aws.create()))?.message).toBe(message);
});

it('a task ends FAILED when its key stops working before it writes', async () => {
  await using aws = await openEncrypted();
  const events = [{ timestamp: startAt - 1, message: 'paid' }];
  aws.emulator.seed.logEvents({ logGroupName, logStreamName: 'web', events });
  const taskId = await aws.create();

  aws.emulator.seed.key({ keyId: aws.keyArn.split('/')[1] ?? '', state: 'Disabled' });
  aws.emulator.clock.advance(5000);

  expect((await aws.describe(taskId))?.status?.code).toBe('FAILED');
});

describe('an object with a key', () => {
  const Key = 'aws-logs-write-test';
  const read = (s3: S3Client) => s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
  const head = (s3: S3Client, ChecksumMode?: 'ENABLED') =>
    s3.send(new HeadObjectCommand({ Bucket: bucket, Key, ChecksumMode }));
  const write = (s3: S3Client) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: 'x' }));
  const md5 = '"9dd4e461268c8034f5c8564e155c67a6"';

  it('shows the key, and a tag that is not its MD5', async () => {
    await using aws = await openEncrypted();
    await aws.create();

    const shown = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: aws.keyArn };
    expect(await head(aws.s3)).toMatchObject(shown);
    const { ETag, ...written } = await write(aws.s3);
    expect(written).toMatchObject(shown);
    expect(ETag).not.toBe(md5);
    aws.emulator.seed.bucket({ bucket });
    expect(await write(aws.s3)).toMatchObject({ ServerSideEncryption: 'AES256', ETag: md5 });
  });

  it('has the encryption of its request', async () => {
    await using aws = await openEncrypted();
    const put = (changes: Partial<PutObjectCommandInput>) =>
      aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: 'x', ...changes }));
    const none = aws.keyArn.slice(0, -4).concat('0000');

    expect(await put({ ServerSideEncryption: 'AES256' })).toMatchObject({ ETag: md5 });
    const written = put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: none });
    expect(await refusal(written)).toEqual({
      name: 'KMS.NotFoundException',
      message: `Key '${none}' does not exist`,
      status: 400,
    });
  });

  it('is read and written by roles that may use the key', async () => {
    const roleArn = `arn:aws:iam::${account}:role/looker`;
    await using aws = await openEncrypted();
    await aws.create();
    const s3 = aws.s3For(await aws.assume({ RoleArn: roleArn }));
    const allowed = [await refusal(read(s3)), await refusal(write(s3))];
    aws.emulator.options.change({ deniedActions: { [roleArn]: ['kms:*'] } });

    const denied = await refusal(read(s3));

    expect(allowed).toEqual([undefined, undefined]);
    expect(denied).toEqual({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${account}:assumed-role/looker/test is not authorized to perform: kms:Decrypt on resource: ${aws.keyArn} because no identity-based policy allows the kms:Decrypt action`,
      status: 403,
    });
    expect((await refusal(write(s3)))?.message).toContain('kms:GenerateDataKey');
    expect(await refusal(head(s3))).toBeUndefined();
    expect(await refusal(head(s3, 'ENABLED'))).toMatchObject({ status: 403 });
  });

  it('is not read with a disabled key', async () => {
    await using aws = await openEncrypted();
    await aws.create();
    aws.emulator.seed.key({ keyId: aws.keyArn.split('/')[1] ?? '', state: 'Disabled' });

    expect(await refusal(read(aws.s3))).toMatchObject({
      name: 'KMS.DisabledException',
      status: 400,
    });
  });
});
