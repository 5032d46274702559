import { type Static, Type } from '@sinclair/typebox';
import { effectivePrefix } from '#aws/destination-prefix.ts';
import { Int64 } from '#validation/int64.ts';
import { Text } from '#validation/text.ts';
import type { Principal } from '../principal.ts';
import { type Action, actions, policyGroupOf } from './action.ts';
import { noTarget, type Question, type Resource, type TargetIdentity } from './authorizer.ts';
import { contextMembers } from './policies/schema.ts';

const name = (description: string) =>
  Text({ minLength: 1, maxLength: 1_024, rule: 'text of 1 to 1024 characters', description });
const names = (description: string, ofOne: string) =>
  Type.Array(name(ofOne), {
    maxItems: 100,
    description,
    'x-rule': 'at most 100 texts',
  });
const value = (description: string) =>
  Text({ maxLength: 1_024, rule: 'text of at most 1024 characters', description });

const Caller = Type.Object(
  {
    issuer: Text({
      ...name('Source of the identity: the URL of a token issuer, `api-key` or `mtls`.'),
      pattern: String.raw`^[^#\p{Cc}\p{Cs}]*$`,
      rule: 'text of 1 to 1024 characters, without #',
    }),
    subject: name(
      'Name of the caller at the issuer: the `sub` claim of a token, or the name of an API key. For `mtls`, the URI in the certificate or, without one, its DNS name.',
    ),
    groups: Type.Optional(names('Groups of the caller. Default: none.', 'Name of one group.')),
    claims: Type.Optional(
      // Type.Record leaves a name with a line break, and what it names, unchecked.
      Type.Unsafe<Record<string, string[]>>({
        type: 'object',
        propertyNames: name('Name of a claim.'),
        additionalProperties: names('Values of one claim.', 'One value of the claim.'),
        description: 'Other claims of the caller, each with its values. Default: none.',
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

const actionDescription = `The action to test. The members that matter, beside \`principal\` and \`target\`:

- \`CreateExportTask\`: \`logGroupName\`, \`destination\`, \`destinationPrefix\`, \`from\`, \`to\`.
- \`CreateExportJob\`: \`logGroupName\`, \`destination\`, \`destinationPrefix\`, \`from\`, \`to\`, \`priority\`. The policies are checked for the new job and again before each of its tasks. POST /preflights also requires this action.
- \`DescribeExportTasks\`, \`CancelExportTask\`: \`logGroupName\`, \`destination\`, \`destinationPrefix\`.
- \`ReadExportJob\`, \`CancelExportJob\`, \`RetryExportJob\`: \`logGroupName\`, \`destination\`, \`destinationPrefix\`, \`isOwn\`. A retry also needs \`CreateExportJob\`.
- \`CreateArchive\`: the same as for \`CreateExportJob\`. Each export of the archive also needs \`CreateExportJob\`.
- \`ReadArchive\`, \`ChangeArchive\`: \`logGroupName\`, \`destination\`, \`destinationPrefix\`, \`isOwn\`.
- \`ReadCoverage\`: \`logGroupName\`.
- \`CreateWebhookEndpoint\`, \`ReadWebhookEndpoint\`, \`ChangeWebhookEndpoint\`: \`webhookOrigin\`, \`isOwn\`. They have no target. A caller sees and changes only endpoints of its own.
- \`ReadTarget\`: none.
- \`CheckAuthorization\`: none.`;

/** The body of POST /authorization-checks: who would do what. */
export type AuthorizationCheck = Static<typeof AuthorizationCheck>;
export const AuthorizationCheck = Type.Object(
  {
    principal: Type.Optional({ ...Caller, description: 'The caller to test. Default: you.' }),
    action: Type.Unsafe<Action>({
      title: 'Action',
      type: 'string',
      enum: Object.keys(actions),
      description: actionDescription,
      'x-rule': `one of ${Object.keys(actions).join(', ')}`,
    }),
    target: Type.Optional(name('Name of the target. Default: the first configured target.')),
    logGroupName: Type.Optional(
      value('Name of the log group, or `logGroupNamePrefix` of a job or archive. Default: empty.'),
    ),
    destination: Type.Optional(value('Name of the destination bucket. Default: empty.')),
    destinationPrefix: Type.Optional(
      value(
        'Destination prefix. For `CreateExportTask` and `CreateExportJob`: the final prefix, with all placeholders filled in. For `CreateArchive`: the same, for the first partition. A new job or archive has no id yet: write any text in place of `{jobId}`. For the other actions on a job or archive: its template. For the actions on an existing task: the prefix of the task. Default: `exportedlogs` for `CreateExportTask`, otherwise empty.',
      ),
    ),
    from: Type.Optional(
      Int64({
        description:
          'Start of the time range, inclusive, in milliseconds since 1970-01-01T00:00:00Z. Default: 0.',
      }),
    ),
    to: Type.Optional(
      Int64({
        description:
          'End of the time range, inclusive, in milliseconds since 1970-01-01T00:00:00Z. For a job or archive, its `to` minus 1. For an archive without an end: 1152921504606846976. Default: 0.',
      }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: -10,
        maximum: 10,
        description: 'Priority of the job or archive. Default: 0.',
        'x-rule': 'an integer from -10 to 10',
      }),
    ),
    isOwn: Type.Optional(
      Type.Boolean({
        description:
          'Whether the job, archive or webhook endpoint belongs to the tested caller (`principal`). Default: false.',
        'x-rule': 'true or false',
      }),
    ),
    webhookOrigin: Type.Optional(
      value('Origin of the webhook endpoint, such as `https://hooks.example.com`. Default: empty.'),
    ),
  },
  {
    title: 'AuthorizationCheck',
    description: 'An action of a caller, to test against the policies.',
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
    isPermitted: Type.Boolean({ description: 'Whether the policies permit the action.' }),
    policies: Type.Array(Type.String(), {
      description:
        'Ids of the policies that decide. If the action is denied, they are the policies that forbid it (`forbid` of Cedar). Empty if no policy applies, or if there are no policies.',
    }),
    principal: Type.String({
      description: 'Id of the tested caller: `<issuer>#<subject>`, or `anonymous`.',
    }),
  },
  {
    title: 'AuthorizationAnswer',
    description: 'The decision of the policies.',
    examples: [{ isPermitted: true, policies: ['team-a'], principal: 'api-key#checkout' }],
  },
);

/** Turns the caller of a check into a principal. */
export function toPrincipal({
  issuer,
  subject,
  groups = [],
  claims = {},
}: Static<typeof Caller>): Principal {
  return { id: `${issuer}#${subject}`, issuer, subject, groups, claims };
}

/** Turns a check into a question. Every circumstance of its action has a value, so that no policy fails on a missing one. */
export function toQuestion(target: TargetIdentity, check: AuthorizationCheck): Question {
  const { action, logGroupName = '', destination = '' } = check;
  const { destinationPrefix: prefix = '' } = check;
  const destinationPrefix = action === 'CreateExportTask' ? effectivePrefix(prefix) : prefix;
  const { from = 0n, to = 0n, priority = 0, isOwn = false, webhookOrigin: origin = '' } = check;
  const resource: Resource =
    policyGroupOf(action) === 'webhooks'
      ? { target: noTarget, webhookEndpoint: { id: '', origin } }
      : { target, logGroupName };
  const values = { destination, destinationPrefix, from, to, priority, isOwn };
  // With others, policies that test for them would decide as they never do.
  const context = Object.fromEntries(contextMembers[action].map((name) => [name, values[name]]));
  return { action, resource, context };
}
