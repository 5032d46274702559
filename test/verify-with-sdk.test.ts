import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { verifyWithSdk } from '#verify-with-sdk.ts';
import { openStorage } from './aws/storage/open-storage.ts';
import { memoryFolder } from './memory-folder.ts';

const keys = 'aws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret-of-the-test';
const config = `[default]\nregion = eu-south-1\n${keys}\n[profile auditor]\nregion = eu-north-1\n${keys}\n[profile bare]\n${keys}\n`;
const auditor = { AWS_PROFILE: 'auditor' };

describe('the Region in which a bucket is looked for first', () => {
  test.each([
    ['the one of the profile', auditor, 'eu-north-1'],
    ['the one of the default profile', {}, 'eu-south-1'],
    [
      'AWS_DEFAULT_REGION before that',
      { ...auditor, AWS_DEFAULT_REGION: 'eu-west-2' },
      'eu-west-2',
    ],
    [
      'AWS_REGION before both',
      { ...auditor, AWS_DEFAULT_REGION: 'eu-west-2', AWS_REGION: 'eu-west-3' },
      'eu-west-3',
    ],
    [
      'the one of the profile if the variables are empty',
      { ...auditor, AWS_DEFAULT_REGION: '', AWS_REGION: '' },
      'eu-north-1',
    ],
    ['us-east-1 without any', { AWS_PROFILE: 'bare' }, 'us-east-1'],
  ])('is %s', async (_what, variables, region) => {
    await using opened = await openStorage();
    using folder = mkdtempDisposableSync(join(memoryFolder, 'profile-'));
    const file = join(folder.path, 'config');
    writeFileSync(file, config);
    delete process.env.AWS_ACCESS_KEY_ID;
    Object.assign(process.env, { AWS_CONFIG_FILE: file, ...variables });
    const written: string[] = [];

    const code = await verifyWithSdk(['s3://archive/none.json'], process.env, {
      commandName: 'verify',
      write: (line) => void written.push(line),
    });

    const [first, ...further] = opened.emulator.journal.entries();
    expect(code).toBe(2);
    expect(written).toEqual([expect.stringContaining('NoSuchKey')]);
    expect(first).toMatchObject({ accessKeyId: 'AKIDPROFILE', region });
    expect(new Set(further.map((call) => call.region))).toEqual(new Set(['eu-west-1']));
  });
});
