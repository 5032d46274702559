import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openAws, refusal, startAt } from '../aws.ts';

const other = '"00000000000000000000000000000000"';
const failed = {
  name: 'PreconditionFailed',
  message: 'At least one of the pre-conditions you specified did not hold',
  status: 412,
};

/** Opens an emulator with an object and its tag. */
async function openObject() {
  const aws = await openAws();
  const { ETag = '' } = await aws.put('key', 'first');
  return Object.assign(aws, { tag: ETag, object: { Bucket: bucket, Key: 'key' } });
}

describe('conditions of a read', () => {
  it('about the tag are fulfilled by this tag, or by *', async () => {
    await using aws = await openObject();
    const read = (conditions: object) =>
      refusal(aws.s3.send(new GetObjectCommand({ ...aws.object, ...conditions })));

    for (const tag of [aws.tag, aws.tag.replaceAll('"', ''), `${other}, ${aws.tag}`, '*']) {
      expect(await read({ IfMatch: tag })).toBeUndefined();
      expect(await read({ IfNoneMatch: tag })).toMatchObject({ status: 304 });
    }
    expect(await read({ IfMatch: other })).toEqual(failed);
    expect(await read({ IfNoneMatch: other })).toBeUndefined();
  });

  it('give 304 with the tag and the time of an object that the caller knows', async () => {
    await using aws = await openObject();
    const scope = encodeURIComponent('AK/20260301/us-east-1/s3/aws4_request');
    const url = `${aws.emulator.url}/${bucket}/key?X-Amz-Credential=${scope}&X-Amz-Signature=0`;

    const { status, headers } = await fetch(url, { headers: { 'if-none-match': aws.tag } });

    expect(status).toBe(304);
    expect(headers.get('etag')).toBe(aws.tag);
    expect(headers.get('last-modified')).toBe(new Date(startAt).toUTCString());
    expect(headers.get('content-type')).toBeNull();
  });

  it('about the time are about whole seconds', async () => {
    await using aws = await openObject();
    const read = (conditions: object) =>
      refusal(aws.s3.send(new HeadObjectCommand({ ...aws.object, ...conditions })));
    const before = new Date(startAt - 1000);

    for (const at of [new Date(startAt), new Date(startAt + 1000)]) {
      expect(await read({ IfUnmodifiedSince: at })).toBeUndefined();
      expect(await read({ IfModifiedSince: at })).toMatchObject({ status: 304 });
    }
    expect(await read({ IfUnmodifiedSince: before })).toMatchObject({ status: 412 });
    expect(await read({ IfModifiedSince: before })).toBeUndefined();
    expect(await read({ IfMatch: aws.tag, IfUnmodifiedSince: before })).toBeUndefined();
    const isOther = { IfNoneMatch: other, IfModifiedSince: new Date(startAt) };
    expect(await read(isOther)).toBeUndefined();
  });
});

describe('conditions of a change', () => {
  it('keep an object with another tag', async () => {
    await using aws = await openObject();
    const write = (IfMatch: string) =>
      aws.s3.send(new PutObjectCommand({ ...aws.object, Body: 'second', IfMatch }));
    const remove = (IfMatch: string) =>
      aws.s3.send(new DeleteObjectCommand({ ...aws.object, IfMatch }));

    expect(await refusal(write(other))).toEqual(failed);
    expect(await refusal(remove(other))).toEqual(failed);
    expect((await aws.get('key')).text).toBe('first');

    const { ETag = '' } = await write(aws.tag);
    expect((await aws.get('key')).text).toBe('second');
    await remove(ETag);
    expect(await refusal(write(ETag))).toMatchObject({ name: 'NoSuchKey', status: 404 });
    expect(await aws.keys()).toEqual([]);
  });
});
