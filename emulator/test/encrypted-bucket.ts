import type { EmulatorOptions } from '../src/emulator.ts';
import { bucket, openAws } from './aws.ts';

/** The account of the emulator. */
export const account = '123456789012';

/** The statement of the user guide for CloudWatch Logs, with changes. */
export const forLogs = (changes: object = {}) => ({
  Sid: 'Allow CWL Service Principal usage',
  Effect: 'Allow',
  Principal: { Service: 'logs.us-east-1.amazonaws.com' },
  Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
  Resource: '*',
  ...changes,
});
/** The statement that gives the account its key. */
export const forAccount = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: 'kms:*',
  Resource: '*',
};

/** What is special about a key. */
export type KeySeed = { state?: 'Disabled'; region?: string; statements?: object[] };

/** Opens an emulator whose bucket has a key. */
export async function openEncrypted(
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
