import { CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../../src/emulator.ts';
import { bucket, logGroupName, openAws, refusal, startAt } from '../aws.ts';
import { account, forAccount, forLogs, type KeySeed, openEncrypted } from '../encrypted-bucket.ts';
import { sourceArn } from './documented-policy.ts';

const failed =
  'PutObject call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.';

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
