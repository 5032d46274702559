import { Type } from '@sinclair/typebox';

import { onOrOff } from '../variables/rules.ts';

/** The variables of AWS clients. */
export const wireVariables = {
  WIRE: onOrOff(
    'off',
    'Whether AWS clients can use the service as an endpoint of CloudWatch Logs, at `/` and `/aws/{target}`.',
  ),
  WIRE_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'Secret that the keys of AWS clients are derived from. Required for `api-key` if WIRE is on.',
      'x-secret': true,
      'x-rule': 'at least 32 characters',
    }),
  ),
  WIRE_SECRET_PREVIOUS: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'The secret before WIRE_SECRET. Keys derived from it stay valid during a rotation.',
      'x-secret': true,
      'x-rule': 'at least 32 characters',
    }),
  ),
};
