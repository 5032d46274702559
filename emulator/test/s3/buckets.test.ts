import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  type ListBucketsCommandInput,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openAws, refusal, sendRaw, startAt } from '../aws.ts';

type Aws = Awaited<ReturnType<typeof openAws>>;

describe('buckets', () => {
  const create = (aws: Aws, Bucket: string, region?: string, constraint?: string) =>
    aws.s3For(undefined, region).send(
      new CreateBucketCommand({
        Bucket,
        ...(constraint && {
          CreateBucketConfiguration: { LocationConstraint: constraint as BucketLocationConstraint },
        }),
      }),
    );

  it('are created in us-east-1, or in the Region of the constraint', async () => {
    await using aws = await openAws();
    await create(aws, 'near');
    await create(aws, 'far', 'eu-west-1', 'EU');

    const look = async (Bucket: string, region: string) => {
      const location = await aws.s3.send(new GetBucketLocationCommand({ Bucket }));
      const head = await aws.s3For(undefined, region).send(new HeadBucketCommand({ Bucket }));
      return [location.LocationConstraint, head.BucketRegion, head.BucketArn];
    };

    expect(await look('near', 'us-east-1')).toEqual([undefined, 'us-east-1', 'arn:aws:s3:::near']);
    expect(await look('far', 'eu-west-1')).toEqual(['eu-west-1', 'eu-west-1', 'arn:aws:s3:::far']);
  });

  it('are listed to their owner', async () => {
    await using aws = await openAws();
    aws.emulator.seed.bucket({ bucket: 'another' });
    aws.emulator.seed.bucket({ bucket: 'somebody-elses', accountId: '111122223333' });

    const { Buckets } = await aws.s3.send(new ListBucketsCommand({}));

    expect(Buckets).toEqual([
      { Name: 'another', CreationDate: new Date(startAt) },
      { Name: bucket, CreationDate: new Date(startAt) },
    ]);
  });

  it('are listed in pages, also only those with a prefix or in a Region', async () => {
    await using aws = await openAws();
    for (const name of ['ci-1', 'ci-2', 'ci-3']) aws.emulator.seed.bucket({ bucket: name });
    aws.emulator.seed.bucket({ bucket: 'ci-far', region: 'eu-west-1' });
    const list = async (input: ListBucketsCommandInput) => {
      const { Buckets, ...page } = await aws.s3.send(new ListBucketsCommand(input));
      return { names: Buckets?.map(({ Name }) => Name), Buckets, ...page };
    };

    const first = await list({ Prefix: 'ci-', MaxBuckets: 2 });
    const ContinuationToken = first.ContinuationToken;
    const second = await list({ Prefix: 'ci-', MaxBuckets: 2, ContinuationToken });

    expect([first.names, first.Prefix]).toEqual([['ci-1', 'ci-2'], 'ci-']);
    expect([second.names, second.ContinuationToken]).toEqual([['ci-3', 'ci-far'], undefined]);
    expect((await list({ BucketRegion: 'eu-west-1' })).Buckets).toMatchObject([
      { Name: 'ci-far', BucketRegion: 'eu-west-1' },
    ]);
    expect((await list({ Prefix: 'none' })).names).toEqual([]);
    for (const MaxBuckets of [0, 10_001]) {
      expect(await refusal(list({ MaxBuckets }))).toMatchObject({ name: 'InvalidArgument' });
    }
  });

  it('are created once, in the Region of the request', async () => {
    await using aws = await openAws();
    aws.emulator.seed.bucket({ bucket: 'somebody-elses', accountId: '111122223333' });
    await create(aws, 'mine', 'eu-west-1', 'eu-west-1');

    const codeOf = async (call: Promise<unknown>) => (await refusal(call))?.name;

    expect(await codeOf(create(aws, bucket))).toBeUndefined();
    expect(await codeOf(create(aws, 'mine', 'eu-west-1', 'eu-west-1'))).toBe(
      'BucketAlreadyOwnedByYou',
    );
    expect(await codeOf(create(aws, 'somebody-elses'))).toBe('BucketAlreadyExists');
    expect(await codeOf(create(aws, 'no', 'eu-west-1'))).toBe('InvalidBucketName');
    expect(await codeOf(create(aws, 'lost', 'eu-west-1', 'eu-west-2'))).toBe(
      'IllegalLocationConstraintException',
    );
  });

  it('are refused if their LocationConstraint is us-east-1', async () => {
    await using aws = await openAws();
    const refused = await refusal(create(aws, 'near', 'us-east-1', 'us-east-1'));

    expect(refused).toMatchObject({ name: 'InvalidLocationConstraint', status: 400 });
  });

  it('need a constraint outside us-east-1, which the SDK adds', async () => {
    await using aws = await openAws();
    const authorization = 'AWS4-HMAC-SHA256 Credential=AK/20260301/eu-west-1/s3/aws4_request,';

    const url = `${aws.emulator.url}/lost`;
    const response = await fetch(url, { method: 'PUT', headers: { authorization } });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('The unspecified location constraint is incompatible');
  });

  it('keep the text of a policy', async () => {
    await using aws = await openAws();
    aws.emulator.seed.bucket({ bucket: 'closed', policy: null });
    const Policy = '{ "Statement": [] }';
    const look = () => aws.s3.send(new GetBucketPolicyCommand({ Bucket: 'closed' }));

    expect(await refusal(look())).toEqual({
      name: 'NoSuchBucketPolicy',
      message: 'The bucket policy does not exist',
      status: 404,
    });
    await aws.s3.send(new PutBucketPolicyCommand({ Bucket: 'closed', Policy }));
    expect((await look()).Policy).toBe(Policy);
    const bad = new PutBucketPolicyCommand({ Bucket: 'closed', Policy: '{"Statement":["no"]}' });
    expect(await refusal(aws.s3.send(bad))).toMatchObject({ name: 'MalformedPolicy' });
  });

  it('that do not exist are answered with 404', async () => {
    await using aws = await openAws();
    const list = new ListObjectsV2Command({ Bucket: 'none' });

    expect(await refusal(aws.s3.send(list))).toMatchObject({ name: 'NoSuchBucket', status: 404 });
    expect(await refusal(aws.s3.send(new HeadBucketCommand({ Bucket: 'none' })))).toMatchObject({
      name: 'NotFound',
      status: 404,
    });
  });
});

describe('a bucket of another Region', () => {
  const elsewhere = { region: 'eu-west-1', bucket: 'elsewhere' };
  const errorOf = async (call: Promise<unknown>) => {
    const error = await call.then(() => undefined).catch((caught) => caught);
    const { $metadata, $response, name } = error ?? {};
    return [name, $metadata?.httpStatusCode, $response?.headers['x-amz-bucket-region']];
  };

  it.each([
    ['ListObjectsV2', new ListObjectsV2Command({ Bucket: 'elsewhere' })],
    ['GetObject', new GetObjectCommand({ Bucket: 'elsewhere', Key: 'key' })],
    ['PutObject', new PutObjectCommand({ Bucket: 'elsewhere', Key: 'key', Body: 'x' })],
    ['GetBucketPolicy', new GetBucketPolicyCommand({ Bucket: 'elsewhere' })],
  ])('is redirected by %s', async (_, command) => {
    await using aws = await openAws();
    aws.emulator.seed.bucket(elsewhere);

    const sent = aws.s3.send(command as GetObjectCommand);

    expect(await errorOf(sent)).toEqual(['PermanentRedirect', 301, 'eu-west-1']);
  });

  it('makes HeadBucket answer 301 without a body, which clients follow', async () => {
    await using aws = await openAws();
    aws.emulator.seed.bucket(elsewhere);
    const head = new HeadBucketCommand({ Bucket: 'elsewhere' });
    const follower = new S3Client({
      endpoint: aws.emulator.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
      forcePathStyle: true,
      followRegionRedirects: true,
      maxAttempts: 1,
    });

    const [, status, region] = await errorOf(aws.s3.send(head));
    const { BucketRegion } = await follower.send(head);
    follower.destroy();

    expect([status, region]).toEqual([301, 'eu-west-1']);
    expect(BucketRegion).toBe('eu-west-1');
  });
});

describe('ExpectedBucketOwner', () => {
  it.each([
    ['HeadBucket', new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: '111122223333' })],
    [
      'ListObjectsV2',
      new ListObjectsV2Command({ Bucket: bucket, ExpectedBucketOwner: '111122223333' }),
    ],
  ])('is checked by %s', async (_, command) => {
    await using aws = await openAws();

    const refused = await refusal(aws.s3.send(command as HeadBucketCommand));

    expect(refused?.status).toBe(403);
  });

  it('lets the account of the bucket in', async () => {
    await using aws = await openAws();
    const head = new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: '123456789012' });

    expect((await aws.s3.send(head)).BucketRegion).toBe('us-east-1');
  });
});

it('PutBucketPolicy rejects a policy of more than 20 KiB', async () => {
  await using aws = await openAws();
  const put = (bytes: number) => {
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }];
    const Policy = JSON.stringify({ Id: '', Statement });
    const Id = 'x'.repeat(bytes - Policy.length);
    return aws.s3.send(
      new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Id, Statement }) }),
    );
  };

  expect(await refusal(put(20 * 1024))).toBeUndefined();
  expect(await refusal(put(20 * 1024 + 1))).toMatchObject({ name: 'MalformedPolicy' });
});

it('S3 operations that are not emulated are answered with 501', async () => {
  await using aws = await openAws();
  const { url } = aws.emulator;
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
