import { type Static, Type } from '@sinclair/typebox';

/** The checks of a preflight, in their order. */
export const checkNames = [
  'role',
  'bucket',
  'bucket-region',
  'bucket-owner',
  'bucket-policy',
  'caller-permission',
  'object-ownership',
  'encryption',
  'key-policy',
  'object-lock',
  'lifecycle',
  'verification',
  'log-groups',
  'log-group-class',
  'log-group-age',
  'retention',
  'deletion-protection',
  'events',
  'slot',
  'queue',
] as const;
type CheckName = (typeof checkNames)[number];

/** The checks about the bucket and its key. */
const destinationChecks: readonly CheckName[] = checkNames.slice(
  checkNames.indexOf('bucket'),
  checkNames.indexOf('log-groups'),
);

const verdicts = ['pass', 'warn', 'fail', 'unknown'] as const;
type Verdict = (typeof verdicts)[number];

const VerdictName = (description: string) =>
  Type.Unsafe<Verdict>({ title: 'PreflightVerdict', type: 'string', enum: verdicts, description });

/** The result of one check. */
export type Check = Static<typeof Check>;
export const Check = Type.Object(
  {
    name: Type.Unsafe<CheckName>({
      title: 'CheckName',
      type: 'string',
      enum: checkNames,
      description:
        'Name of the check. A check that does not apply is absent, such as `key-policy` for a bucket without SSE-KMS.',
    }),
    verdict: VerdictName(
      'Result of the check. `pass`: the export can run. `warn`: the export runs, but may not do what you want. `fail`: AWS refuses the export, or it fails. `unknown`: this service could not find out, for example because the service role may not look.',
    ),
    detail: Type.String({ description: 'Explanation of the result.' }),
    remedy: Type.Optional(
      Type.String({ description: 'How to fix it. Present if there is something to do.' }),
    ),
    fix: Type.Optional(
      Type.Object(
        {},
        {
          title: 'PolicyFix',
          additionalProperties: true,
          description:
            'The whole policy to paste: all existing statements, and the new statements that are missing. Only the checks `bucket-policy` and `key-policy` have it. Present if the check fails and new statements can repair the policy. Absent if the service role may not read the policy.',
        },
      ),
    ),
  },
  { title: 'PreflightCheck', description: 'One check of a preflight.' },
);

/** A preflight for the examples of the API document. */
export const examplePreflight = {
  verdict: 'fail' as const,
  checks: [
    {
      name: 'role' as const,
      verdict: 'pass' as const,
      detail: 'AWS STS has confirmed the account of the service role.',
    },
    {
      name: 'bucket' as const,
      verdict: 'fail' as const,
      detail: 'S3 has no bucket with the name demo-log-archive.',
      remedy: 'Create the bucket in eu-west-1, or correct `destination`.',
    },
  ],
};

/** The answer to a preflight. */
export type Preflight = Static<typeof Preflight>;
export const Preflight = Type.Object(
  {
    verdict: VerdictName(
      `The worst verdict of the checks: \`fail\`, then \`warn\`, then \`pass\`. An \`unknown\` check counts as \`pass\`. The checks of the bucket are ${destinationChecks.map((name) => `\`${name}\``).join(', ')}. If all checks of the bucket are \`unknown\` and no other check is \`fail\`, this verdict is \`unknown\` instead.`,
    ),
    checks: Type.Array(Check, { description: 'The checks, always in the same order.' }),
  },
  {
    title: 'Preflight',
    description: 'The checks of an export before it runs. Nothing was changed.',
    examples: [examplePreflight],
  },
);

/** Puts checks in their order, and finds the worst verdict. */
export function toPreflight(unordered: readonly Check[]): Preflight {
  const placeOf = ({ name }: Check) => checkNames.indexOf(name);
  const checks = unordered.toSorted((one, other) => placeOf(one) - placeOf(other));
  const has = (verdict: Verdict) => checks.some((check) => check.verdict === verdict);
  if (has('fail')) return { verdict: 'fail', checks };
  const ofDestination = checks.filter(({ name }) => destinationChecks.includes(name));
  if (ofDestination.every(({ verdict }) => verdict === 'unknown')) {
    return { verdict: 'unknown', checks };
  }
  return { verdict: has('warn') ? 'warn' : 'pass', checks };
}
