import { Type } from '@sinclair/typebox';

import { filePath, onOrOff } from '../variables/rules.ts';

/** The fewest characters of a secret that keys are derived from. */
export const wireSecretMinLength = 32;

const wireSecret = (description: string) =>
  Type.Optional(
    Type.String({
      minLength: wireSecretMinLength,
      description,
      'x-secret': true,
      'x-rule': `at least ${wireSecretMinLength} characters`,
    }),
  );

/** The variables of AWS clients. */
export const wireVariables = {
  WIRE: onOrOff(
    'off',
    'Whether AWS clients can use the service as an endpoint of CloudWatch Logs, at `/` and `/aws/{target}`.',
  ),
  WIRE_SECRET: wireSecret(
    'Secret that the keys of AWS clients are derived from. Required for `api-key` if WIRE is on, unless WIRE_SECRET_FILE is set.',
  ),
  WIRE_SECRET_FILE: filePath(
    'File with the secret, instead of WIRE_SECRET. It is read when the service starts.',
  ),
  WIRE_SECRET_PREVIOUS: wireSecret(
    'The secret before WIRE_SECRET. Keys derived from it stay valid during a rotation.',
  ),
  WIRE_SECRET_PREVIOUS_FILE: filePath(
    'File with the previous secret, instead of WIRE_SECRET_PREVIOUS.',
  ),
};
