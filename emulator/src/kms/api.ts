import type { AuthFailure, Caller } from '../sts/sessions.ts';
import { readJsonCall } from '../wire/aws-json.ts';
import type { Call, WireRequest } from '../wire/exchange.ts';
import type { KmsContext } from './operation.ts';
import { kmsOperations } from './operations.ts';

/** Reads a request to KMS. Policies decide in each operation, which knows the key. */
export function readKmsCall(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: Omit<KmsContext, 'caller'>,
): Call {
  return readJsonCall<KmsContext>(request, caller, {
    service: 'kms',
    targetPrefix: 'TrentService.',
    operations: kmsOperations,
    admit: (_name, known) => ({ ...world, caller: known }),
  });
}
