import { readXmlElement, writeXmlContent, type XmlNode } from '../wire/xml/xml.ts';

/** A configuration of a bucket: the root of its document, and the error of a bucket without it. */
interface ConfigurationKind {
  root: string;
  code: string;
  message: string;
}

/** The configurations by the subresource that names them in a query. */
export const configurationKinds = {
  encryption: {
    root: 'ServerSideEncryptionConfiguration',
    code: 'ServerSideEncryptionConfigurationNotFoundError',
    message: 'The server side encryption configuration was not found',
  },
  ownershipControls: {
    root: 'OwnershipControls',
    code: 'OwnershipControlsNotFoundError',
    message: 'The bucket ownership controls were not found',
  },
  'object-lock': {
    root: 'ObjectLockConfiguration',
    code: 'ObjectLockConfigurationNotFoundError',
    message: 'Object Lock configuration does not exist for this bucket',
  },
  lifecycle: {
    root: 'LifecycleConfiguration',
    code: 'NoSuchLifecycleConfiguration',
    message: 'The lifecycle configuration does not exist',
  },
  publicAccessBlock: {
    root: 'PublicAccessBlockConfiguration',
    code: 'NoSuchPublicAccessBlockConfiguration',
    message: 'The public access block configuration was not found',
  },
} satisfies Record<string, ConfigurationKind>;

/** The name of a configuration. */
export type ConfigurationName = keyof typeof configurationKinds;

/** The configurations of a bucket, as the XML inside of their root. */
export type Configurations = Partial<Record<ConfigurationName, string>>;

/** Encryption of a bucket or of an object. `keyId` may be an id, an ARN or an alias. */
export interface Encryption {
  algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  keyId?: string | undefined;
  /** Whether all objects of the bucket share a key of S3, which the key of KMS protects. */
  hasBucketKey?: boolean;
}

/** Who owns new objects, and whether ACLs have an effect. */
export type ObjectOwnership = 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';

/** The settings of a bucket that a test may choose. null removes one that S3 gives every bucket. */
export interface BucketSettings {
  encryption?: Encryption;
  objectOwnership?: ObjectOwnership | null;
  /** Object Lock, with a default retention if there is a mode. */
  objectLock?: { mode?: 'GOVERNANCE' | 'COMPLIANCE'; days?: number };
  lifecycle?: readonly {
    id?: string;
    prefix?: string;
    expirationDays?: number;
    isEnabled?: boolean;
  }[];
  /** Whether all four kinds of public access are blocked. It is shown, but has no effect. */
  publicAccessBlock?: boolean | null;
}

/** Writes the configurations of a new bucket. Without settings it is like one from the console. */
export function writeConfigurations({
  encryption = { algorithm: 'AES256' },
  objectOwnership = 'BucketOwnerEnforced',
  objectLock,
  lifecycle,
  publicAccessBlock = true,
}: BucketSettings = {}): Configurations {
  const settings: Partial<Record<ConfigurationName, XmlNode | null | undefined>> = {
    encryption: {
      Rule: {
        ApplyServerSideEncryptionByDefault: {
          SSEAlgorithm: encryption.algorithm,
          KMSMasterKeyID: encryption.keyId,
        },
        BucketKeyEnabled: encryption.hasBucketKey ?? false,
      },
    },
    ownershipControls: objectOwnership && { Rule: { ObjectOwnership: objectOwnership } },
    'object-lock': objectLock && {
      ObjectLockEnabled: 'Enabled',
      Rule: objectLock.mode && {
        DefaultRetention: { Mode: objectLock.mode, Days: objectLock.days ?? 1 },
      },
    },
    lifecycle: lifecycle && {
      Rule: lifecycle.map(({ id, prefix = '', expirationDays, isEnabled = true }, number) => ({
        ID: id ?? `rule-${number + 1}`,
        Filter: { Prefix: prefix },
        Status: isEnabled ? 'Enabled' : 'Disabled',
        Expiration: expirationDays === undefined ? undefined : { Days: expirationDays },
      })),
    },
    publicAccessBlock:
      publicAccessBlock === null
        ? null
        : {
            BlockPublicAcls: publicAccessBlock,
            IgnorePublicAcls: publicAccessBlock,
            BlockPublicPolicy: publicAccessBlock,
            RestrictPublicBuckets: publicAccessBlock,
          },
  };
  const given = Object.entries(settings).filter(([, content]) => content);
  return Object.fromEntries(given.map(([name, content]) => [name, writeXmlContent(content ?? {})]));
}

/** Reads the default encryption of a bucket. Since 2023 every bucket has one (documentation). */
export function readEncryption({ encryption = '' }: Configurations): Encryption {
  const algorithm = readXmlElement(encryption, 'SSEAlgorithm') ?? 'AES256';
  const keyId = readXmlElement(encryption, 'KMSMasterKeyID');
  const hasBucketKey = readXmlElement(encryption, 'BucketKeyEnabled') === 'true';
  return { algorithm: algorithm as Encryption['algorithm'], keyId, hasBucketKey };
}

/** Reads who owns new objects. Without the controls it is the writer (documentation). */
export function readObjectOwnership({ ownershipControls = '' }: Configurations): ObjectOwnership {
  const given = readXmlElement(ownershipControls, 'ObjectOwnership');
  return (given as ObjectOwnership | undefined) ?? 'ObjectWriter';
}
