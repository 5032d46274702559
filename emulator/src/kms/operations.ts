import { readPolicy } from '../iam/policy.ts';
import { awsError } from '../wire/aws-error.ts';
import { type JsonOperation, makeJsonOperation, type Outcome } from '../wire/aws-json.ts';
import {
  flag,
  list,
  optional,
  required,
  type Shape,
  type StructureValue,
  text,
} from '../wire/json-input.ts';
import type { KmsKey } from './keys.ts';
import { findKey, type KmsContext } from './operation.ts';

/** KeyIdType of the service model. */
const keyId = text({ min: 1, max: 2048 });
/** PolicyNameType of the service model. The only policy has the name default. */
const policyName = text({ min: 1, max: 128, pattern: '[\\w]+' });

const make = <M extends Record<string, Shape<unknown>>>(
  members: M,
  run: (input: StructureValue<M>, context: KmsContext) => Outcome,
) => makeJsonOperation('ValidationException', members, run);

/** DescribeKey: by id, ARN or alias. */
const describeKey = make(
  { KeyId: required(keyId), GrantTokens: optional(list(text())) },
  ({ KeyId }, context) => ({
    output: { KeyMetadata: showKey(findKey(KeyId, 'kms:DescribeKey', context)) },
  }),
);

/** GetKeyPolicy: the text of the policy. Aliases are not accepted (documentation). */
const getKeyPolicy = make(
  { KeyId: required(keyId), PolicyName: optional(policyName) },
  ({ KeyId, PolicyName = 'default' }, context) => {
    const key = findKeyForPolicy(KeyId, PolicyName, 'kms:GetKeyPolicy', context);
    return { output: { Policy: key.policy.document, PolicyName } };
  },
);

/** PutKeyPolicy: replaces the policy. The lockout safety check is not emulated. */
const putKeyPolicy = make(
  {
    KeyId: required(keyId),
    PolicyName: optional(policyName),
    Policy: required(text({ min: 1, max: 131_072 })),
    BypassPolicyLockoutSafetyCheck: optional(flag()),
  },
  ({ KeyId, PolicyName = 'default', Policy }, context) => {
    const key = findKeyForPolicy(KeyId, PolicyName, 'kms:PutKeyPolicy', context);
    const policy = readPolicy(Policy);
    if (!policy || key.isAwsManaged) throw awsError('MalformedPolicyDocumentException');
    context.keys.setPolicy(key, policy);
    return { effect: { kind: 'key-policy-changed', keyArn: key.arn } };
  },
);

/** The operations of KMS by name. */
export const kmsOperations: ReadonlyMap<string, JsonOperation<KmsContext>> = new Map([
  ['DescribeKey', describeKey],
  ['GetKeyPolicy', getKeyPolicy],
  ['PutKeyPolicy', putKeyPolicy],
]);

function findKeyForPolicy(id: string, name: string, action: string, context: KmsContext): KmsKey {
  const { accountId } = context.caller;
  if (id.includes('alias/')) throw awsError('NotFoundException', `Invalid keyId '${id}'`);
  const key = findKey(id, action, context);
  // These operations do not work across accounts (documentation).
  if (key.accountId !== accountId || name !== 'default') {
    throw awsError('NotFoundException', `No such policy exists`);
  }
  return key;
}

/** A symmetric key as AWS shows it. Times are seconds. */
function showKey(key: KmsKey) {
  const isPendingDeletion = key.state === 'PendingDeletion';
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: key.createdAt / 1000,
    Enabled: key.state === 'Enabled',
    Description: '',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.state,
    DeletionDate: isPendingDeletion ? key.createdAt / 1000 + 30 * 86_400 : undefined,
    Origin: key.state === 'PendingImport' ? 'EXTERNAL' : 'AWS_KMS',
    KeyManager: key.isAwsManaged ? 'AWS' : 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: key.keyId.startsWith('mrk-'),
  };
}
