import { ListObjectsV2Command, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openAws, refusal } from '../aws.ts';

type Aws = Awaited<ReturnType<typeof openAws>>;

describe('ListObjectsV2', () => {
  const list = ({ s3 }: Aws, input: Omit<ListObjectsV2CommandInput, 'Bucket'>) =>
    s3.send(new ListObjectsV2Command({ Bucket: bucket, ...input }));
  const keysOf = (page: Awaited<ReturnType<typeof list>>) => page.Contents?.map(({ Key }) => Key);

  it('lists in the order of UTF-8 bytes, in pages', async () => {
    await using aws = await openAws();
    for (const key of ['b', 'B', 'ä', '\u{1F40E}', '\uFF5E']) await aws.put(key);

    const first = await list(aws, { MaxKeys: 3 });
    const second = await list(aws, {
      MaxKeys: 3,
      ContinuationToken: first.NextContinuationToken,
    });

    expect(keysOf(first)).toEqual(['B', 'b', 'ä']);
    expect(first).toMatchObject({ KeyCount: 3, MaxKeys: 3, IsTruncated: true });
    expect(keysOf(second)).toEqual(['\uFF5E', '\u{1F40E}']);
    expect(second).toMatchObject({ KeyCount: 2, IsTruncated: false });
    expect(second.NextContinuationToken).toBeUndefined();
  });

  it('groups keys by a delimiter, also across pages', async () => {
    await using aws = await openAws();
    for (const key of ['p/a/1', 'p/a/2', 'p/b', 'p/c/1', 'q']) await aws.put(key);

    const whole = await list(aws, { Prefix: 'p/', Delimiter: '/' });
    const first = await list(aws, { Prefix: 'p/', Delimiter: '/', MaxKeys: 1 });
    const next = first.NextContinuationToken;
    const second = await list(aws, { Prefix: 'p/', Delimiter: '/', ContinuationToken: next });

    expect(keysOf(whole)).toEqual(['p/b']);
    expect(whole.CommonPrefixes).toEqual([{ Prefix: 'p/a/' }, { Prefix: 'p/c/' }]);
    expect(whole).toMatchObject({ KeyCount: 3, MaxKeys: 1000, Prefix: 'p/', Delimiter: '/' });
    expect(first.CommonPrefixes).toEqual([{ Prefix: 'p/a/' }]);
    expect([keysOf(second), second.CommonPrefixes]).toEqual([['p/b'], [{ Prefix: 'p/c/' }]]);
  });

  it('encodes keys with encoding-type, and begins after a key', async () => {
    await using aws = await openAws();
    for (const key of ['a b/ü+', 'z']) await aws.put(key);

    const encoded = await list(aws, { EncodingType: 'url' });
    const after = await list(aws, { StartAfter: 'a b/ü+' });

    expect(keysOf(encoded)).toEqual(['a+b/%C3%BC%2B', 'z']);
    expect(encoded.EncodingType).toBe('url');
    expect(keysOf(after)).toEqual(['z']);
    expect(after.StartAfter).toBe('a b/ü+');
  });

  it('returns nothing for max-keys 0, and rejects invalid values', async () => {
    await using aws = await openAws();
    await aws.put('key');

    expect(await list(aws, { MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
    expect(await refusal(list(aws, { MaxKeys: -1 }))).toMatchObject({ name: 'InvalidArgument' });
    expect(await refusal(list(aws, { ContinuationToken: 'x' }))).toMatchObject({
      name: 'InvalidArgument',
    });
  });
});
