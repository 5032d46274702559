import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { type Keys, openAws } from '../aws.ts';

export const RoleArn = 'arn:aws:iam::111122223333:role/teams/exporter';

/** The emulator and its clients, with the keys of an assumed role. */
export async function openSession(changes: Partial<AssumeRoleCommandInput> = {}) {
  const aws = await openAws();
  const input = { RoleArn, RoleSessionName: 'nightly', ...changes };
  const { Credentials, AssumedRoleUser } = await aws.sts.send(new AssumeRoleCommand(input));
  const keys: Keys = {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
  return { ...aws, keys, expiration: Credentials?.Expiration, AssumedRoleUser };
}
