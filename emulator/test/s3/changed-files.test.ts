import { createHash } from 'node:crypto';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openAws } from '../aws.ts';
import { look, makeDirectory } from './data-directories.ts';

describe('in a data directory that changed while no emulator ran', () => {
  it('a file from elsewhere is an object under its name', async () => {
    const dataDir = makeDirectory();
    await using before = await openAws({ dataDir });
    writeFileSync(join(dataDir, bucket, '100%.txt'), 'by hand');
    await before.emulator.close();
    await using after = await openAws({ dataDir });

    expect(await after.keys()).toEqual(['100%.txt']);
  });

  it('starts with files that a kill has left incomplete', async () => {
    const dataDir = makeDirectory();
    await using before = await openAws({ dataDir });
    const keys = ['a', 'b', 'x'.repeat(300), 'y'.repeat(300)];
    for (const key of keys) await before.put(key, `body of ${key}`);
    before.emulator.seed.bucket({ bucket: 'other' });
    await before.emulator.close();
    const aside = join(dataDir, '.objects', bucket);
    const propertiesOf = (key: string) =>
      join(aside, `${createHash('sha256').update(key).digest('hex')}.json`);

    for (const file of [propertiesOf('a'), join(dataDir, '.buckets', 'other.json')])
      truncateSync(file, 10);
    truncateSync(propertiesOf('x'.repeat(300)), 0);
    rmSync(propertiesOf('b'));
    await using after = await openAws({ dataDir });

    expect(await after.keys()).toEqual(['a', 'b', 'y'.repeat(300)]);
    expect((await after.get('a')).text).toBe('body of a');
  });

  it.each(['another body', 'its body'])(
    'a file that is removed and added by hand has no old properties: %s',
    async (body) => {
      const dataDir = makeDirectory();
      await using before = await openAws({ dataDir });
      await before.s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: 'key',
          Body: 'its body',
          ContentType: 'application/json',
          ChecksumAlgorithm: 'SHA256',
          ServerSideEncryption: 'aws:kms',
        }),
      );
      await before.emulator.close();
      const file = join(dataDir, bucket, 'key');
      rmSync(file);
      writeFileSync(file, body);
      await using after = await openAws({ dataDir });

      const { heads } = await look(after);

      expect(heads).toMatchObject([{ ServerSideEncryption: 'AES256' }]);
      expect(heads[0]).not.toHaveProperty('ChecksumSHA256');
      expect(heads[0]).not.toMatchObject({ ContentType: 'application/json' });
    },
  );
});
