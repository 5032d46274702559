import { expect, test } from 'vitest';

import type { Problem } from '#problems/problem.ts';
import { openStorage } from './open-storage.ts';

const bucket = 'archive';
const key = 'key';

test('a call about objects throws service-role-not-permitted when the role may not make it', async () => {
  await using opened = await openStorage({
    deniedActions: { '*': ['s3:ListBucket', 's3:GetObject', 's3:PutObject'] },
  });
  const { storage } = opened;
  const object = { bucket, key, body: Buffer.from('content'), contentType: 'text/plain' };

  const slugs = await Promise.all(
    [
      storage.listObjects({ bucket, prefix: '' }),
      storage.readChecksum({ bucket, key }),
      storage.readObject({ bucket, key }),
      storage.writeOnce(object),
    ].map((call: Promise<unknown>) => call.catch(({ slug }: Problem) => slug)),
  );

  expect(new Set(slugs)).toEqual(new Set(['service-role-not-permitted']));
});

test('settings that the role may not read are denied', async () => {
  await using opened = await openStorage({ deniedActions: { '*': ['s3:GetBucketPolicy'] } });

  expect(await opened.storage.readBucketPolicy(bucket)).toEqual({ outcome: 'denied' });
});
