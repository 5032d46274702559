import { type Static, Type } from '@sinclair/typebox';

import { effectivePrefix } from '#aws/export-task.ts';
import { Int64 } from '#validation/int64.ts';
import { Text } from '#validation/text.ts';
import type { Principal } from '../principal.ts';
import { type Action, actions } from './action.ts';
import type { Question, TargetIdentity } from './authorizer.ts';

const name = (description: string) =>
  Text({ minLength: 1, maxLength: 1_024, rule: 'text of 1 to 1024 characters', description });
const names = (description: string) =>
  Type.Array(name('One of them.'), { maxItems: 100, description, 'x-rule': 'at most 100 texts' });
const value = (description: string) =>
  Text({ maxLength: 1_024, rule: 'text of at most 1024 characters', description });

const Caller = Type.Object(
  {
    issuer: Text({
      ...name('Who vouches for it: the URL of an issuer of tokens, `api-key` or `mtls`.'),
      pattern: String.raw`^[^#\p{Cc}\p{Cs}]*$`,
      rule: 'text of 1 to 1024 characters, none of them a #',
    }),
    subject: name('What the issuer calls it: `sub` of a token, the name of an API key.'),
    groups: Type.Optional(names('The groups the issuer says it is in.')),
    claims: Type.Optional(
      // Type.Record leaves a name with a line break, and what it names, unchecked.
      Type.Unsafe<Record<string, string[]>>({
        type: 'object',
        propertyNames: name('The name of a claim.'),
        additionalProperties: names('The values of one claim.'),
        description: 'What else the issuer says of it.',
        'x-rule': 'a JSON object of arrays of texts',
      }),
    ),
  },
  {
    title: 'Principal',
    additionalProperties: false,
    'x-rule': 'a JSON object with issuer and subject',
  },
);

/** The body of POST /authorization-checks: who would do what. */
export type AuthorizationCheck = Static<typeof AuthorizationCheck>;
export const AuthorizationCheck = Type.Object(
  {
    principal: Type.Optional({ ...Caller, description: 'Who would ask; you, when left out.' }),
    action: Type.Unsafe<Action>({
      title: 'Action',
      type: 'string',
      enum: Object.keys(actions),
      description: 'What they would do.',
      'x-rule': `one of ${Object.keys(actions).join(', ')}`,
    }),
    target: Type.Optional(name('Where; the first configured target when left out.')),
    logGroupName: Type.Optional(value('The log group.')),
    destination: Type.Optional(value('The bucket.')),
    destinationPrefix: Type.Optional(
      value(
        'The prefix as it would be sent to AWS, `exportedlogs` for a task that names none; of a job that is read, cancelled or retried, its template.',
      ),
    ),
    from: Type.Optional(Int64({ description: 'As it would be sent to AWS.' })),
    to: Type.Optional(Int64({ description: 'As it would be sent to AWS.' })),
    priority: Type.Optional(
      Type.Integer({
        minimum: -10,
        maximum: 10,
        description: 'Of a job.',
        'x-rule': 'an integer from -10 to 10',
      }),
    ),
    isOwn: Type.Optional(
      Type.Boolean({ description: 'Whether the job is their own.', 'x-rule': 'true or false' }),
    ),
  },
  {
    title: 'AuthorizationCheck',
    additionalProperties: false,
    'x-rule': 'a JSON object with action',
    examples: [
      {
        principal: { issuer: 'api-key', subject: 'checkout', groups: ['team-a'] },
        action: 'CreateExportTask',
        logGroupName: '/team-a/checkout',
        destination: 'team-a-logs',
        destinationPrefix: 'team-a/2024-05-01',
        from: 1714521600000,
        to: 1714607999999,
      },
    ],
  },
);

/** The answer to POST /authorization-checks. */
export const AuthorizationAnswer = Type.Object(
  {
    isPermitted: Type.Boolean({ description: 'Whether they may.' }),
    policies: Type.Array(Type.String(), {
      description: 'Ids of the policies that decide; none where no policy permits it.',
    }),
    principal: Type.String({ description: 'The one name of who would ask.' }),
  },
  {
    title: 'AuthorizationAnswer',
    description: 'What the policies in force say.',
    examples: [{ isPermitted: true, policies: ['team-a'], principal: 'api-key#checkout' }],
  },
);

/** Who would do it: the caller a check describes. */
export function toPrincipal({
  issuer,
  subject,
  groups = [],
  claims = {},
}: Static<typeof Caller>): Principal {
  return { id: `${issuer}#${subject}`, issuer, subject, groups, claims };
}

/** May it be done? Every policy finds the circumstances it may speak of, so that none fails. */
export function toQuestion(target: TargetIdentity, check: AuthorizationCheck): Question {
  const { action, logGroupName = '', destination = '' } = check;
  const { destinationPrefix: prefix = '' } = check;
  const destinationPrefix = action === 'CreateExportTask' ? effectivePrefix(prefix) : prefix;
  const { from = 0n, to = 0n, priority = 0, isOwn = false } = check;
  return {
    action,
    resource: { target, logGroupName },
    context: { destination, destinationPrefix, from, to, priority, isOwn },
  };
}
