import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openBench, refusal, sendRaw, startAt } from '../bench.ts';

type Bench = Awaited<ReturnType<typeof openBench>>;

describe('buckets', () => {
  const create = (bench: Bench, Bucket: string, region?: string, constraint?: string) =>
    bench.s3For(undefined, region).send(
      new CreateBucketCommand({
        Bucket,
        ...(constraint && {
          CreateBucketConfiguration: { LocationConstraint: constraint as BucketLocationConstraint },
        }),
      }),
    );

  it('lie in us-east-1 without a constraint, else where it says', async () => {
    await using bench = await openBench();
    await create(bench, 'near');
    await create(bench, 'far', 'eu-west-1', 'EU');

    const look = async (Bucket: string) => {
      const location = await bench.s3.send(new GetBucketLocationCommand({ Bucket }));
      const head = await bench.s3.send(new HeadBucketCommand({ Bucket }));
      return [location.LocationConstraint, head.BucketRegion, head.BucketArn];
    };

    expect(await look('near')).toEqual([undefined, 'us-east-1', 'arn:aws:s3:::near']);
    expect(await look('far')).toEqual(['eu-west-1', 'eu-west-1', 'arn:aws:s3:::far']);
  });

  it('are listed to their owner', async () => {
    await using bench = await openBench();
    bench.emulator.seed.bucket({ bucket: 'another' });
    bench.emulator.seed.bucket({ bucket: 'somebody-elses', accountId: '111122223333' });

    const { Buckets } = await bench.s3.send(new ListBucketsCommand({}));

    expect(Buckets).toEqual([
      { Name: 'another', CreationDate: new Date(startAt) },
      { Name: bucket, CreationDate: new Date(startAt) },
    ]);
  });

  it('are made once, by name and in the Region spoken to', async () => {
    await using bench = await openBench();
    bench.emulator.seed.bucket({ bucket: 'somebody-elses', accountId: '111122223333' });
    await create(bench, 'mine', 'eu-west-1', 'eu-west-1');

    const codeOf = async (call: Promise<unknown>) => (await refusal(call))?.name;

    expect(await codeOf(create(bench, bucket))).toBeUndefined();
    expect(await codeOf(create(bench, 'mine', 'eu-west-1', 'eu-west-1'))).toBe(
      'BucketAlreadyOwnedByYou',
    );
    expect(await codeOf(create(bench, 'somebody-elses'))).toBe('BucketAlreadyExists');
    expect(await codeOf(create(bench, 'no', 'eu-west-1'))).toBe('InvalidBucketName');
    expect(await codeOf(create(bench, 'lost', 'eu-west-1', 'eu-west-2'))).toBe(
      'IllegalLocationConstraintException',
    );
  });

  it('need a constraint outside us-east-1, which the SDK adds by itself', async () => {
    await using bench = await openBench();
    const authorization = 'AWS4-HMAC-SHA256 Credential=AK/20260301/eu-west-1/s3/aws4_request,';

    const url = `${bench.emulator.url}/lost`;
    const response = await fetch(url, { method: 'PUT', headers: { authorization } });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('The unspecified location constraint is incompatible');
  });

  it('keep a policy as it was put', async () => {
    await using bench = await openBench();
    bench.emulator.seed.bucket({ bucket: 'closed', policy: null });
    const Policy = '{ "Statement": [] }';
    const look = () => bench.s3.send(new GetBucketPolicyCommand({ Bucket: 'closed' }));

    expect(await refusal(look())).toEqual({
      name: 'NoSuchBucketPolicy',
      message: 'The bucket policy does not exist',
      status: 404,
    });
    await bench.s3.send(new PutBucketPolicyCommand({ Bucket: 'closed', Policy }));
    expect((await look()).Policy).toBe(Policy);
    const bad = new PutBucketPolicyCommand({ Bucket: 'closed', Policy: '{"Statement":["no"]}' });
    expect(await refusal(bench.s3.send(bad))).toMatchObject({ name: 'MalformedPolicy' });
  });

  it('that do not exist are 404', async () => {
    await using bench = await openBench();
    const list = new ListObjectsV2Command({ Bucket: 'none' });

    expect(await refusal(bench.s3.send(list))).toMatchObject({ name: 'NoSuchBucket', status: 404 });
    expect(await refusal(bench.s3.send(new HeadBucketCommand({ Bucket: 'none' })))).toMatchObject({
      name: 'NotFound',
      status: 404,
    });
  });
});

it('takes policies of at most 20 KiB', async () => {
  await using bench = await openBench();
  const put = (bytes: number) => {
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }];
    const Policy = JSON.stringify({ Id: '', Statement });
    const Id = 'x'.repeat(bytes - Policy.length);
    return bench.s3.send(
      new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Id, Statement }) }),
    );
  };

  expect(await refusal(put(20 * 1024))).toBeUndefined();
  expect(await refusal(put(20 * 1024 + 1))).toMatchObject({ name: 'MalformedPolicy' });
});

it('answers 501 to what S3 can and this cannot', async () => {
  await using bench = await openBench();
  const { url } = bench.emulator;
  const send = async (method: string, path: string) => {
    const authorization = 'AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/s3/aws4_request,';
    const response = await fetch(url + path, { method, headers: { authorization } });
    return [response.status, /<Code>(\w+)/.exec(await response.text())?.[1]];
  };

  const notImplemented = [501, 'NotImplemented'];
  expect(await send('PUT', `/${bucket}/key?tagging`)).toEqual(notImplemented);
  expect(await send('POST', `/${bucket}/key?uploads`)).toEqual(notImplemented);
  expect(await send('GET', `/${bucket}?versioning`)).toEqual(notImplemented);
  expect(await send('POST', `/${bucket}?policy`)).toEqual(notImplemented);
  expect(await send('PUT', `/${bucket}?location`)).toEqual(notImplemented);
  expect(await send('PUT', `/${bucket}?list-type=2`)).toEqual(notImplemented);
  expect(await send('PUT', '/')).toEqual(notImplemented);
  expect(await send('GET', `/${bucket}/%zz`)).toEqual([400, 'InvalidURI']);
  const answer = await sendRaw(url, '', { service: 'monitoring' });
  expect(answer.text).toContain('NotImplemented');
});
