import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { type Keys, openAws, refusal, startAt } from '../aws.ts';
import { openSession, RoleArn } from './open-session.ts';

describe('a session', () => {
  it('acts in the account of its role', async () => {
    await using aws = await openSession();
    aws.emulator.seed.logGroup({ logGroupName: '/theirs', accountId: '111122223333' });

    const { logGroups } = await aws.logsFor(aws.keys).send(new DescribeLogGroupsCommand({}));

    expect(logGroups).toMatchObject([{ logGroupName: '/theirs' }]);
  });

  it('lasts an hour, or DurationSeconds, by the clock', async () => {
    await using hour = await openSession();
    await using quarter = await openSession({ DurationSeconds: 900 });
    const list = new DescribeLogGroupsCommand({});

    expect(hour.expiration?.getTime()).toBe(startAt + 3_600_000);
    expect(quarter.expiration?.getTime()).toBe(startAt + 900_000);
    quarter.emulator.clock.advance(899_999);
    expect(await refusal(quarter.logsFor(quarter.keys).send(list))).toBeUndefined();
    quarter.emulator.clock.advance(1);
    expect(await refusal(quarter.logsFor(quarter.keys).send(list))).toEqual({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
      status: 400,
    });
  });

  it('expires with the error of STS and of S3', async () => {
    await using aws = await openSession();
    aws.emulator.clock.advance(3_600_000);

    const sts = aws.stsFor(aws.keys).send(new GetCallerIdentityCommand({}));
    const s3 = aws.s3For(aws.keys).send(new ListBucketsCommand({}));

    expect(await refusal(sts)).toMatchObject({ name: 'ExpiredToken', status: 403 });
    expect(await refusal(s3)).toMatchObject({ name: 'ExpiredToken', status: 400 });
  });

  it('rejects calls with a wrong session token, with no session token, and with an unknown access key', async () => {
    await using aws = await openSession();
    const { accessKeyId, secretAccessKey } = aws.keys;
    const made = { accessKeyId: 'ASIAMADEUP', secretAccessKey: 'x', sessionToken: 'y' };
    const all: Keys[] = [
      { accessKeyId, secretAccessKey, sessionToken: 'other' },
      { accessKeyId, secretAccessKey },
      made,
    ];

    for (const keys of all) {
      expect(await refusal(aws.logsFor(keys).send(new DescribeLogGroupsCommand({})))).toEqual({
        name: 'UnrecognizedClientException',
        message: 'The security token included in the request is invalid.',
        status: 400,
      });
    }
    expect(await refusal(aws.stsFor(made).send(new GetCallerIdentityCommand({})))).toMatchObject({
      name: 'InvalidClientTokenId',
      status: 403,
    });
    expect(await refusal(aws.s3For(made).send(new ListBucketsCommand({})))).toMatchObject({
      name: 'InvalidAccessKeyId',
      status: 403,
    });
  });

  it('rejects a permanent access key that comes with a session token', async () => {
    await using aws = await openAws();
    const plain = { accessKeyId: 'test', secretAccessKey: 'test' };
    const keys = { ...plain, sessionToken: 'test' };
    const list = (given: Keys) => aws.logsFor(given).send(new DescribeLogGroupsCommand({}));

    expect((await list(plain)).logGroups).toHaveLength(1);
    expect(await refusal(list(keys))).toMatchObject({ name: 'UnrecognizedClientException' });
    expect(await refusal(aws.stsFor(keys).send(new GetCallerIdentityCommand({})))).toMatchObject({
      name: 'InvalidClientTokenId',
      status: 403,
    });
    expect(await refusal(aws.s3For(keys).send(new ListBucketsCommand({})))).toMatchObject({
      name: 'InvalidToken',
      status: 400,
    });
  });

  it('assumes another role for one hour at most', async () => {
    await using aws = await openSession();
    const chain = (DurationSeconds: number) =>
      aws
        .stsFor(aws.keys)
        .send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'chained', DurationSeconds }));

    expect(await refusal(chain(3600))).toBeUndefined();
    expect(await refusal(chain(3601))).toMatchObject({ name: 'ValidationError', status: 400 });
  });

  it('records its name, policy and expiry in the journal', async () => {
    const Policy = '{"Statement":[]}';
    await using aws = await openSession({ Policy, ExternalId: 'e-1' });

    const [entry] = aws.emulator.journal.entries();

    expect(entry).toMatchObject({
      service: 'sts',
      operation: 'AssumeRole',
      input: { RoleArn, RoleSessionName: 'nightly', Policy, ExternalId: 'e-1' },
      status: 200,
      effect: {
        kind: 'session-issued',
        accessKeyId: aws.keys.accessKeyId,
        expiresAt: startAt + 3_600_000,
      },
    });
  });
});
