import { describe, expect, test } from 'vitest';

import { type Action, actions, policyGroupOf } from '#auth/authorization/action.ts';
import { schemaText } from '#auth/authorization/policies/schema.ts';
import { anonymous } from '#auth/principal.ts';
import {
  callerIn,
  createOf,
  jobOf,
  makePolicyFolder,
  type OpenedAuthorizer,
  openPolicyDir,
  targetOf,
} from '../policy-folder.ts';

/** Runs a test with one file of active policies. */
async function under(text: string, act: (opened: OpenedAuthorizer) => void): Promise<void> {
  using folder = makePolicyFolder({ 'a.cedar': text });
  await using opened = await openPolicyDir(folder.path);
  act(opened);
}

const toCreate = (condition: string) =>
  `@id("it") permit(principal, action == Action::"CreateExportTask", resource) when { ${condition} };`;

const permitted = { isPermitted: true, policies: ['it'] };
const refused = { isPermitted: false, policies: [] };

describe('a caller', () => {
  test('is in the groups of its own issuer, and in no group of another issuer', () =>
    under(
      '@id("it") permit(principal in Group::"https://a.example#admins", action, resource);',
      ({ ask }) => {
        expect(
          ask(callerIn(['users', 'admins'], { issuer: 'https://a.example' }), createOf()),
        ).toEqual(permitted);
        expect(ask(callerIn(['admins'], { issuer: 'https://b.example' }), createOf())).toEqual(
          refused,
        );
        expect(ask(callerIn(['admins']), createOf())).toEqual(refused);
        expect(ask(callerIn(['users'], { issuer: 'https://a.example' }), createOf())).toEqual(
          refused,
        );
        expect(
          ask(callerIn(['https://a.example#admins'], { issuer: 'api-key' }), createOf()),
        ).toEqual(refused);
      },
    ));

  test('is identified by issuer and subject', () =>
    under(
      '@id("it") permit(principal == Caller::"mtls#spiffe://x/y", action, resource);',
      ({ ask }) => {
        expect(ask(callerIn([], { issuer: 'mtls', subject: 'spiffe://x/y' }), createOf())).toEqual(
          permitted,
        );
        expect(
          ask(callerIn([], { issuer: 'api-key', subject: 'spiffe://x/y' }), createOf()),
        ).toEqual(refused);
      },
    ));

  test('has its issuer, subject and groups as attributes', () =>
    under(
      toCreate(
        'principal.issuer == "api-key" && principal.subject == "b" && principal.groups.contains("c")',
      ),
      ({ ask }) => {
        expect(ask(callerIn(['c'], { subject: 'b' }), createOf())).toEqual(permitted);
        expect(ask(callerIn(['c'], { subject: 'c' }), createOf())).toEqual(refused);
      },
    ));

  test('has its claims as tags', () =>
    under(
      toCreate(
        'principal.hasTag("department") && principal.getTag("department").contains("payments")',
      ),
      ({ ask }) => {
        const withClaims = (claims: Record<string, string[]>) => callerIn([], { claims });

        expect(ask(withClaims({ department: ['a', 'payments'] }), createOf())).toEqual(permitted);
        expect(ask(withClaims({ department: ['a'] }), createOf())).toEqual(refused);
        expect(ask(withClaims({ other: ['payments'] }), createOf())).toEqual(refused);
      },
    ));
});

describe('the resource', () => {
  test('is a log group with its ARN, in its target', () =>
    under(
      `@id("it") permit(principal, action, resource == LogGroup::"arn:aws:logs:eu-west-1:123456789012:log-group:/app")
       when { resource in Target::"default" && resource.target == "default" && resource.account == "123456789012" && resource.region == "eu-west-1" && resource.name == "/app" };`,
      ({ ask }) => {
        expect(ask(anonymous, createOf({ logGroupName: '/app' }))).toEqual(permitted);
        expect(ask(anonymous, createOf({ logGroupName: '/app2' }))).toEqual(refused);
        expect(ask(anonymous, createOf({ logGroupName: '/app', target: { name: 'b' } }))).toEqual(
          refused,
        );
        expect(
          ask(anonymous, createOf({ logGroupName: '/app', target: { region: 'cn-north-1' } })),
        ).toEqual(refused);
      },
    ));

  test('has the ARN of its own partition', () =>
    under(
      '@id("it") permit(principal, action, resource == LogGroup::"arn:aws-cn:logs:cn-north-1:123456789012:log-group:/app");',
      ({ ask }) => {
        expect(
          ask(anonymous, createOf({ logGroupName: '/app', target: { region: 'cn-north-1' } })),
        ).toEqual(permitted);
      },
    ));

  test('is the target when there is no log group', () =>
    under(
      '@id("it") permit(principal, action in Action::"read", resource == Target::"default") when { resource.account == "123456789012" };',
      ({ ask }) => {
        expect(ask(anonymous, targetOf('ReadTarget'))).toEqual(permitted);
        expect(ask(anonymous, targetOf('CheckAuthorization'))).toEqual(permitted);
      },
    ));

  test('has no name when AWS omits the log group: only callers with access to all log groups are permitted', async () => {
    const nameless = { ...createOf(), action: 'DescribeExportTasks' as const, context: {} };
    const question = { ...nameless, resource: { target: nameless.resource.target } };

    for (const pattern of ['/*', '*/*', '*a*']) {
      await under(
        `permit(principal, action, resource is LogGroup) when { resource.name like "${pattern}" };`,
        ({ ask }) => expect(ask(anonymous, question)).toEqual(refused),
      );
    }
    await under(
      '@id("it") permit(principal, action, resource is LogGroup) when { resource.name like "*" };',
      ({ ask }) => expect(ask(anonymous, question)).toEqual(permitted),
    );
  });

  const groups = (Object.keys(actions) as Action[]).map((action) => ({
    action,
    kind: policyGroupOf(action),
  }));

  test.each(groups)('puts $action in the action group $kind', async ({ action, kind }) => {
    const { action: _, ...rest } = jobOf('ReadExportJob', false);
    const question = { ...rest, action };

    for (const other of new Set(groups.map((each) => each.kind))) {
      await under(
        `@id("it") permit(principal, action in Action::"${other}", resource);`,
        ({ ask }) => expect(ask(anonymous, question)).toEqual(other === kind ? permitted : refused),
      );
    }
    expect(schemaText).toContain(`action ${action} in [${kind}] `);
  });
});

describe('the circumstances', () => {
  test.each([2n ** 53n + 1n, 2n ** 60n, 0n])('keep the integer %s exact', (exact) =>
    under(toCreate(`context.from == ${exact} && context.to == ${exact}`), ({ ask }) => {
      const at = (from: bigint, to: bigint) => ask(anonymous, createOf({ from, to }));

      expect(at(exact, exact)).toEqual(permitted);
      expect(at(exact + 1n, exact)).toEqual(refused);
      expect(at(exact, exact - 1n)).toEqual(refused);
    }),
  );

  test('compare bucket and prefix as text', () =>
    under(
      toCreate('context.destination == "b" && context.destinationPrefix like "team-a/*"'),
      ({ ask }) => {
        const to = (destination: string, destinationPrefix: string) =>
          ask(anonymous, createOf({ destination, destinationPrefix }));

        expect(to('b', 'team-a/x')).toEqual(permitted);
        expect(to('b', 'team-ab/x')).toEqual(refused);
        expect(to('B', 'team-a/x')).toEqual(refused);
        expect(to('b', 'team-a\\/x')).toEqual(refused);
        expect(to('b', '*')).toEqual(refused);
      },
    ));

  test('contain the priority', () =>
    under(
      '@id("it") permit(principal, action == Action::"CreateExportJob", resource) when { context.priority <= 0 };',
      ({ ask }) => {
        const at = (priority: number) =>
          ask(anonymous, { ...createOf({ priority }), action: 'CreateExportJob' });

        expect(at(-10)).toEqual(permitted);
        expect(at(1)).toEqual(refused);
      },
    ));
});

describe('the export jobs and archives of a caller', () => {
  const jobActions = [
    'ReadExportJob',
    'CancelExportJob',
    'RetryExportJob',
    'ReadArchive',
    'ChangeArchive',
  ] as const;
  const unrelated = '@id("it") permit(principal, action == Action::"ReadTarget", resource);';

  test.each(jobActions)('are permitted for their owner by a built-in policy: %s', (action) =>
    under(unrelated, ({ ask }) => {
      expect(ask(anonymous, jobOf(action, true))).toEqual({
        isPermitted: true,
        policies: ['own-export-jobs'],
      });
      expect(ask(anonymous, jobOf(action, false))).toEqual(refused);
    }),
  );

  test('are refused to their owner when a policy forbids it', () =>
    under(
      `${unrelated}@id("no") forbid(principal, action == Action::"CancelExportJob", resource);`,
      ({ ask }) => {
        expect(ask(anonymous, jobOf('CancelExportJob', true))).toEqual({
          isPermitted: false,
          policies: ['no'],
        });
        expect(ask(anonymous, jobOf('ReadExportJob', true))).toMatchObject({ isPermitted: true });
      },
    ));

  test('are refused to their owner when there are no policies', () =>
    under('// None yet.', ({ ask, log }) => {
      for (const action of jobActions) expect(ask(anonymous, jobOf(action, true))).toEqual(refused);
      expect(log).toMatchObject([
        {
          level: 'error',
          msg: 'POLICY_DIR has no policy; every request is refused, and no slice starts',
        },
      ]);
    }));
});

describe('a failed evaluation is refused and logged:', () => {
  const everything = '@id("everything") permit(principal, action, resource);';

  test('an overflow, although other policies permit the action', () =>
    under(`${everything}${toCreate('context.from + 9223372036854775807 > 0')}`, ({ ask, log }) => {
      expect(ask(anonymous, createOf({ from: 1n }))).toEqual(refused);
      expect(ask(anonymous, createOf({ from: 0n }))).toMatchObject({ isPermitted: true });
      expect(log).toMatchObject([
        {
          level: 'error',
          msg: 'failed to evaluate policies; the request was refused',
          action: 'CreateExportTask',
          errors: [expect.stringMatching(/^it: integer overflow/)],
        },
      ]);
    }));

  test('missing circumstances', () =>
    under(`${everything}${toCreate('context.destination == "a"')}`, ({ ask, log }) => {
      const question = { ...createOf(), context: {} };

      expect(ask(anonymous, question)).toEqual(refused);
      expect(log).toMatchObject([{ errors: [expect.stringMatching(/^it: .*`destination`/)] }]);
    }));

  test.each([
    ['half a character', callerIn([], { subject: '\ud800' })],
    ['half a character in a claim', callerIn([], { claims: { a: ['\udfff'] } })],
    ['what is no text', callerIn([], { claims: { a: [null as never] } })],
  ])('%s', (_what, caller) =>
    under(everything, ({ ask, log }) => {
      expect(ask(caller, createOf())).toEqual(refused);
      expect(ask(anonymous, createOf())).toMatchObject({ isPermitted: true });
      expect(log).toMatchObject([{ level: 'error' }]);
    }),
  );

  test('accepts claims with names that are keywords of Cedar', () =>
    under(everything, ({ ask }) => {
      const claims = { __entity: ['a'], __extn: ['b'], '': ['c'], ['__proto__']: ['d'] };

      expect(ask(callerIn(['a', 'a'], { claims }), createOf())).toMatchObject({
        isPermitted: true,
      });
    }));
});

describe('policies', () => {
  test('get numbers in their file when they have no id', () =>
    under(
      Array.from(
        { length: 12 },
        (_, number) =>
          `permit(principal, action, resource is LogGroup) when { resource.name == "/${number + 1}" };\n`,
      ).join('// Next.\n'),
      ({ ask }) => {
        const decidedBy = Array.from(
          { length: 12 },
          (_, number) => ask(anonymous, createOf({ logGroupName: `/${number + 1}` })).policies,
        );

        expect(decidedBy).toEqual(
          Array.from({ length: 12 }, (_, number) => [`a.cedar#${number + 1}`]),
        );
      },
    ));

  test('are all returned in alphabetical order when they decide together', () => {
    const ids = Array.from(
      { length: 20 },
      (_, number) => `policy-${String.fromCharCode(97 + number)}`,
    );
    const text = ids.toReversed().map((id) => `@id("${id}") permit(principal, action, resource);`);

    return under(text.join(''), ({ ask }) => {
      expect(ask(anonymous, createOf()).policies).toEqual(ids);
    });
  });
});
