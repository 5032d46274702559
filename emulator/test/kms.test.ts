import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../src/emulator.ts';
import { type Keys, openAws, refusal, sendRaw, startAt } from './aws.ts';

const account = '123456789012';
const roleArn = `arn:aws:iam::${account}:role/looker`;
const keyId = '0b2ad402-1f53-46ac-b1a6-5a0c9f3e7d22';
const keyArn = `arn:aws:kms:us-east-1:${account}:key/${keyId}`;

/** Opens an emulator with a key, and clients of KMS. */
async function openKms(options: EmulatorOptions = {}) {
  const aws = await openAws(options);
  aws.emulator.seed.key({ keyId, alias: 'alias/logs' });
  const clients: KMSClient[] = [];
  const kmsFor = (credentials: Keys = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }) => {
    const config = { endpoint: aws.emulator.url, region: 'us-east-1', credentials, maxAttempts: 1 };
    const client = new KMSClient(config);
    clients.push(client);
    return {
      describe: (KeyId: string) => client.send(new DescribeKeyCommand({ KeyId })),
      readPolicy: (KeyId: string, PolicyName?: string) =>
        client.send(new GetKeyPolicyCommand({ KeyId, PolicyName })),
      putPolicy: (KeyId: string, Policy: string) =>
        client.send(new PutKeyPolicyCommand({ KeyId, Policy })),
    };
  };
  return {
    ...aws,
    ...kmsFor(),
    kmsFor,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await aws[Symbol.asyncDispose]();
    },
  };
}

describe('DescribeKey', () => {
  it('finds a key by id, ARN and both forms of its alias', async () => {
    await using aws = await openKms();
    const alias = `arn:aws:kms:us-east-1:${account}:alias/logs`;

    for (const id of [keyId, keyArn, 'alias/logs', alias]) {
      const { KeyMetadata } = await aws.describe(id);
      expect(KeyMetadata).toMatchObject({
        AWSAccountId: account,
        KeyId: keyId,
        Arn: keyArn,
        Enabled: true,
        KeyState: 'Enabled',
        KeyManager: 'CUSTOMER',
        CreationDate: new Date(startAt),
      });
    }
  });

  it.each(['Disabled', 'PendingDeletion', 'PendingImport'] as const)(
    'shows the state %s',
    async (state) => {
      await using aws = await openKms();
      const arn = aws.emulator.seed.key({ state });

      const { KeyMetadata } = await aws.describe(arn);

      expect(KeyMetadata).toMatchObject({ Enabled: false, KeyState: state });
    },
  );

  it('shows the key of S3, which AWS manages', async () => {
    await using aws = await openKms();

    const { KeyMetadata } = await aws.describe('alias/aws/s3');

    expect(KeyMetadata).toMatchObject({ KeyManager: 'AWS', Enabled: true });
    expect((await aws.describe('alias/aws/s3')).KeyMetadata?.Arn).toBe(KeyMetadata?.Arn);
  });

  it.each([
    [`${keyId.slice(0, -1)}0`, `Key '${keyArn.slice(0, -1)}0' does not exist`],
    ['alias/none', `Alias arn:aws:kms:us-east-1:${account}:alias/none is not found.`],
    ['none', "Invalid keyId 'none'"],
    [keyArn.replace('us-east-1', 'eu-west-1'), 'Invalid arn eu-west-1'],
  ])('does not find %s', async (id, message) => {
    await using aws = await openKms();

    expect(await refusal(aws.describe(id))).toEqual({
      name: 'NotFoundException',
      message,
      status: 400,
    });
  });

  it('answers a missing key of another account like a denied one', async () => {
    await using aws = await openKms();

    const refused = await refusal(aws.describe(keyArn.replace(account, '111122223333')));

    expect(refused).toMatchObject({ name: 'AccessDeniedException', status: 400 });
  });
});

describe('a key policy', () => {
  it('shows what PutKeyPolicy wrote', async () => {
    await using aws = await openKms();
    const Policy = JSON.stringify({ Statement: [] });

    const before = await aws.readPolicy(keyId);
    await aws.putPolicy(keyArn, Policy);

    expect(JSON.parse(before.Policy ?? '').Statement[0].Sid).toBe('Enable IAM User Permissions');
    expect(await aws.readPolicy(keyArn, 'default')).toMatchObject({ Policy });
    expect(aws.emulator.journal.entries().at(-2)).toMatchObject({
      service: 'kms',
      operation: 'PutKeyPolicy',
      effect: { kind: 'key-policy-changed', keyArn },
    });
  });

  it('has its own name, and a key id or ARN finds it', async () => {
    await using aws = await openKms();

    expect(await refusal(aws.readPolicy('alias/logs'))).toMatchObject({
      name: 'NotFoundException',
    });
    expect(await refusal(aws.readPolicy(keyId, 'other'))).toMatchObject({
      name: 'NotFoundException',
    });
    expect(await refusal(aws.putPolicy(keyId, 'none'))).toMatchObject({
      name: 'MalformedPolicyDocumentException',
    });
    expect(() => aws.emulator.seed.key({ policy: 'none' })).toThrow('not valid');
  });

  it('lets a role in, or its account', async () => {
    await using aws = await openKms();
    const role = aws.kmsFor(await aws.assume({ RoleArn: roleArn }));
    const open = await refusal(role.describe(keyId));
    const allow = (AWS: string) =>
      JSON.stringify({
        Statement: { Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' },
      });

    await aws.putPolicy(keyId, allow(`arn:aws:iam::${account}:role/other`));
    const closed = await refusal(role.describe(keyId));
    await aws.putPolicy(keyId, allow(roleArn));

    expect(open).toBeUndefined();
    expect(closed).toEqual({
      name: 'AccessDeniedException',
      message: `User: arn:aws:sts::${account}:assumed-role/looker/test is not authorized to perform: kms:DescribeKey on resource: ${keyArn} because no resource-based policy allows the kms:DescribeKey action`,
      status: 400,
    });
    expect(await refusal(role.describe(keyId))).toBeUndefined();
  });
});

it('deniedActions apply to KMS', async () => {
  await using aws = await openKms({ deniedActions: { '*': ['kms:Get*'] } });

  expect((await refusal(aws.readPolicy(keyId)))?.message).toMatch(
    /because no identity-based policy allows the kms:GetKeyPolicy action$/,
  );
  expect(await refusal(aws.describe(keyId))).toBeUndefined();
});

it('KMS rejects invalid members and unknown operations', async () => {
  await using aws = await openKms();
  const send = (operation: string, body: string) =>
    sendRaw(aws.emulator.url, body, {
      service: 'kms',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
      },
    });

  expect((await send('DescribeKey', '{}')).text).toContain('ValidationException');
  expect((await send('Encrypt', '{}')).text).toContain('UnknownOperationException');
});
