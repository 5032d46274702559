import { describe, expect, test } from 'vitest';
import type { Question } from '#auth/authorization/authorizer.ts';
import type { Principal } from '#auth/principal.ts';
import { callerIn, createOf, jobOf, makePolicyFolder, openPolicyDir } from '../policy-folder.ts';

/** The decisions of one policy for the questions of one caller, each asked twice. */
async function answersTo(policy: string, questions: readonly Question[], caller: Principal) {
  using folder = makePolicyFolder({ 'a.cedar': policy });
  await using opened = await openPolicyDir(folder.path);
  const ask = () => questions.map((question) => opened.ask(caller, question).isPermitted);
  return { answers: [ask(), ask()], audited: opened.audit.length };
}

const on = (condition: string) =>
  `permit(principal, action, resource is LogGroup) when { ${condition} };`;
const job = (priority: number): Question => ({
  ...createOf({ priority }),
  action: 'CreateExportJob',
});

describe('a question that differs from an earlier one', () => {
  test.for<[string, string, Question[], boolean[]]>([
    [
      'in its window',
      on('context has from && context.from >= 10 && context.to < 20'),
      [createOf({ from: 9n }), createOf({ from: 10n }), createOf({ from: 10n, to: 20n })],
      [false, true, false],
    ],
    [
      'in a window beyond what a number holds',
      on('context has to && context.to == 9007199254740993'),
      [createOf({ to: 9007199254740992n }), createOf({ to: 9007199254740993n })],
      [false, true],
    ],
    [
      'in its bucket and prefix',
      on(
        'context has destination && context.destination == "b" && context has destinationPrefix && context.destinationPrefix == "p"',
      ),
      [
        createOf({ destination: 'b', destinationPrefix: 'q' }),
        createOf({ destination: 'b', destinationPrefix: 'p' }),
        createOf({ destination: 'bp', destinationPrefix: '' }),
      ],
      [false, true, false],
    ],
    [
      'in its priority',
      on('context has priority && context.priority > 0'),
      [job(0), job(1)],
      [false, true],
    ],
    [
      'in a member whose name is written with an escape',
      on('context has from && context["\\u{66}rom"] >= 10'),
      [createOf({ from: 9n }), createOf({ from: 10n })],
      [false, true],
    ],
    [
      'in anything, where the context is taken as a whole',
      '@id("it") permit(principal, action == Action::"ReadExportJob", resource) when { context == {isOwn: false, destination: "team-a-logs", destinationPrefix: "team-a/{jobId}"} };',
      [
        jobOf('ReadExportJob', false),
        {
          ...jobOf('ReadExportJob', false),
          context: { isOwn: false, destination: 'x', destinationPrefix: 'y' },
        },
      ],
      [true, false],
    ],
    [
      'in its log group, target, account or Region',
      on(
        'resource.name == "/g" && resource.target == "t" && resource.account == "1" && resource.region == "r"',
      ),
      [
        createOf({ logGroupName: '/g', target: { name: 't', accountId: '1', region: 'r' } }),
        createOf({ logGroupName: '/h', target: { name: 't', accountId: '1', region: 'r' } }),
        createOf({ logGroupName: '/g', target: { name: 'u', accountId: '1', region: 'r' } }),
        createOf({ logGroupName: '/g', target: { name: 't', accountId: '2', region: 'r' } }),
        createOf({ logGroupName: '/g', target: { name: 't', accountId: '1', region: 's' } }),
      ],
      [true, false, false, false, false],
    ],
    ...[
      'resource == LogGroup::"arn:aws:logs:eu-west-1:123456789012:log-group:/g"',
      'resource in LogGroup::"arn:aws:logs:eu-west-1:123456789012:log-group:/g"',
      'resource is LogGroup in LogGroup::"arn:aws:logs:eu-west-1:123456789012:log-group:/g"',
    ].map((scope): [string, string, Question[], boolean[]] => [
      `in its log group, where a policy has "${scope}"`,
      `permit(principal, action, ${scope});`,
      [createOf({ logGroupName: '/h' }), createOf({ logGroupName: '/g' })],
      [false, true],
    ]),
    [
      'in its target, which a policy names',
      'permit(principal, action, resource in Target::"default");',
      [createOf(), createOf({ target: { name: 'other' } })],
      [true, false],
    ],
    [
      'in a member beside one whose name is that of variables',
      on('{"Var": 1, "it": context has from && context.from > 1}.it'),
      [createOf({ from: 1n }), createOf({ from: 2n })],
      [false, true],
    ],
    [
      'in what is done',
      'permit(principal, action == Action::"CreateExportTask", resource);',
      [createOf(), job(0), createOf()],
      [true, false, true],
    ],
    [
      'in whether its context is known',
      on('context has destination && context.destination == "b"'),
      [
        { ...job(0), context: {} },
        { ...job(0), context: {}, isForAnyContext: true },
      ],
      [false, true],
    ],
    [
      'in whose job it is',
      'permit(principal == Caller::"nobody", action, resource);',
      [jobOf('ReadExportJob', true), jobOf('ReadExportJob', false)],
      [true, false],
    ],
  ])('is evaluated again: %s', async ([, policy, questions, expected]) => {
    const { answers } = await answersTo(policy, questions, callerIn([]));

    expect(answers).toEqual([expected, expected]);
  });
});

test('evaluates an equal question of two callers separately', async () => {
  using folder = makePolicyFolder({ 'a.cedar': on('principal.subject == "ann"') });
  await using opened = await openPolicyDir(folder.path);
  const [ann, tom] = [callerIn([], { subject: 'ann' }), callerIn([], { subject: 'tom' })];

  const answers = [ann, tom, ann, tom].map((caller) => opened.ask(caller, createOf()).isPermitted);

  expect(answers).toEqual([true, false, true, false]);
});

test('writes an audit line for each cached decision, too', async () => {
  const { audited } = await answersTo(on('true'), [createOf(), createOf()], callerIn([]));

  expect(audited).toBe(4);
});

test('evaluates a question again when the policies have changed', async () => {
  using folder = makePolicyFolder({ 'a.cedar': on('true') });
  await using opened = await openPolicyDir(folder.path);
  const caller = callerIn([]);
  const before = opened.ask(caller, createOf()).isPermitted;

  folder.write('a.cedar', on('resource.name == "/other"'));
  await opened.look();

  expect([before, opened.ask(caller, createOf()).isPermitted]).toEqual([true, false]);
});

test('does not cache a decision that failed, and logs each failure', async () => {
  using folder = makePolicyFolder({
    'a.cedar': on('context has from && context.from * 9223372036854775807 > 0'),
  });
  await using opened = await openPolicyDir(folder.path);
  const caller = callerIn([]);

  const answers = [1, 2, 3].map(() => opened.ask(caller, createOf({ from: 2n })).isPermitted);

  expect(answers).toEqual([false, false, false]);
  expect(opened.log.filter(({ level }) => level === 'error')).toHaveLength(3);
});

test.for([
  ['none looks at', 'permit(principal, action, resource is LogGroup in Target::"default");', 1],
  ['one looks at', on('resource has name && resource.name != "x"'), 300],
] as const)(
  'evaluates log groups together or separately when they %s',
  async ([, policy, decided]) => {
    using folder = makePolicyFolder({ 'a.cedar': policy });
    await using opened = await openPolicyDir(folder.path);
    const request = { principal: callerIn([]), id: 'r-1' };

    const answers = Array.from({ length: 300 }, (_, number) =>
      opened.authorizer.decide(request, createOf({ logGroupName: `/${number}` })),
    );

    expect(answers.every(({ isPermitted }) => isPermitted)).toBe(true);
    expect(new Set(answers).size).toBe(decided); // a cached decision is the same object
  },
);

test('evaluates a question about any context once', async () => {
  using folder = makePolicyFolder({ 'a.cedar': on('resource.name like "/team-a/*"') });
  await using opened = await openPolicyDir(folder.path);
  const request = { principal: callerIn([]), id: 'r-1' };
  const question: Question = { ...job(0), isForAnyContext: true };

  const answers = [1, 2].map(() => opened.authorizer.decide(request, question));

  expect(answers[0]?.isPermitted).toBe(true);
  expect(new Set(answers).size).toBe(1); // a cached decision is the same object
});

test('returns the right decisions to a caller with more questions than the cache holds', async () => {
  using folder = makePolicyFolder({ 'a.cedar': on('resource.name like "*7"') });
  await using opened = await openPolicyDir(folder.path);
  const caller = callerIn([]);
  const names = Array.from({ length: 600 }, (_, number) => `/app/${number}`);

  const wrong = [...names, ...names].filter(
    (logGroupName) =>
      opened.ask(caller, createOf({ logGroupName })).isPermitted !== logGroupName.endsWith('7'),
  );

  expect(wrong).toEqual([]);
});
