import { createHash, randomUUID } from 'node:crypto';
import { partitionOf } from '../iam/partitions.ts';
import { type Policy, readPolicy } from '../iam/policy.ts';

/** A key. `aliases` begin with `alias/`. */
export interface KmsKey {
  keyId: string;
  arn: string;
  accountId: string;
  region: string;
  createdAt: number;
  /** Only an Enabled key encrypts and decrypts. */
  state: 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport';
  /** AWS manages the key and its policy. */
  isAwsManaged: boolean;
  policy: Policy;
  aliases: string[];
}

interface KeyPlace {
  accountId: string;
  region: string;
}

/** The keys of all accounts and Regions. */
export interface Keys {
  /** Adds a key, or replaces the key of that id in that account and Region. */
  add(key: KeyPlace & Pick<KmsKey, 'createdAt'> & Partial<KmsKey>): KmsKey;
  /** Finds a key by its ARN or alias ARN, or at a place by its id or alias name. */
  find(keyId: string, place: KeyPlace): KmsKey | undefined;
  setPolicy(key: KmsKey, policy: Policy): void;
}

/** The alias of the key that AWS makes for S3 in each account and Region. */
export const s3KeyAlias = 'alias/aws/s3';

/** Makes the keys: none, except those of S3, which appear when they are looked for. */
export function makeKeys(): Keys {
  const keys = new Map<string, KmsKey>();

  const add: Keys['add'] = (key) => {
    const { accountId, region } = key;
    const keyId = key.keyId ?? randomUUID();
    const added: KmsKey = {
      state: 'Enabled',
      isAwsManaged: false,
      policy: defaultPolicy(key),
      aliases: [],
      ...key,
      keyId,
      arn: arnOf({ accountId, region }, `key/${keyId}`),
    };
    keys.set(added.arn, added);
    return added;
  };

  return {
    add,
    find(keyId, place) {
      const arn = keyId.startsWith('arn:') ? keyId : arnOf(place, resourceOf(keyId));
      const found =
        keys.get(arn) ??
        [...keys.values()].find((key) => key.aliases.some((alias) => arnOf(key, alias) === arn));
      if (found || !arn.endsWith(`:${s3KeyAlias}`)) return found;
      const [, , , region = '', accountId = ''] = arn.split(':');
      return add({ ...keyOfS3({ accountId, region }), createdAt: 0 });
    },
    setPolicy(key, policy) {
      key.policy = policy;
    },
  };
}

/** Returns the ARN of a key (`key/<id>`) or of an alias (`alias/<name>`). */
export function arnOf({ region, accountId }: KeyPlace, resource: string): string {
  return `arn:${partitionOf(region).name}:kms:${region}:${accountId}:${resource}`;
}

function resourceOf(keyId: string): string {
  return keyId.startsWith('alias/') ? keyId : `key/${keyId}`;
}

/** The policy of a key that was made without one (documentation): the account decides. */
function defaultPolicy({ accountId, region }: KeyPlace): Policy {
  return policyOf([
    {
      Sid: 'Enable IAM User Permissions',
      Effect: 'Allow',
      Principal: { AWS: rootOf({ accountId, region }) },
      Action: 'kms:*',
      Resource: '*',
    },
  ]);
}

/** The key of S3. Its policy is for principals of the account through S3 (documentation). */
function keyOfS3({ accountId, region }: KeyPlace) {
  const { suffix } = partitionOf(region);
  const policy = policyOf([
    {
      Sid: 'Allow access through S3 for all principals in the account that are authorized to use S3',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncrypt*',
        'kms:GenerateDataKey*',
        'kms:DescribeKey',
      ],
      Resource: '*',
      Condition: {
        StringEquals: {
          'kms:CallerAccount': accountId,
          'kms:ViaService': `s3.${region}.${suffix}`,
        },
      },
    },
    {
      Sid: 'Allow direct access to key metadata to the account',
      Effect: 'Allow',
      Principal: { AWS: rootOf({ accountId, region }) },
      Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
      Resource: '*',
    },
  ]);
  const keyId = keyIdOfS3(accountId, region);
  return { keyId, accountId, region, policy, aliases: [s3KeyAlias], isAwsManaged: true };
}

/** The id of the key of S3. It is the same after a restart, because objects outlive it. */
function keyIdOfS3(accountId: string, region: string): string {
  const digest = createHash('sha256').update(`${accountId}:${region}`).digest('hex');
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

function rootOf({ accountId, region }: KeyPlace): string {
  return `arn:${partitionOf(region).name}:iam::${accountId}:root`;
}

function policyOf(Statement: object[]): Policy {
  const document = JSON.stringify({ Version: '2012-10-17', Statement });
  const policy = readPolicy(document);
  if (!policy) throw new Error(`This is no policy: ${document}`);
  return policy;
}
