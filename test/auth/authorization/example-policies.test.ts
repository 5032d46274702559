import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';

import { type Action, actions } from '#auth/authorization/action.ts';
import type { Circumstances, Question } from '#auth/authorization/authorizer.ts';
import { parsePolicies } from '#auth/authorization/policies/parse-policies.ts';
import { schemaText } from '#auth/authorization/policies/schema.ts';
import {
  callerIn,
  createOf,
  jobOf,
  type OpenedAuthorizer,
  openPolicyDir,
  targetOf,
} from '../policy-folder.ts';

describe('the policies in deploy/policies', () => {
  let opened: OpenedAuthorizer;
  beforeAll(async () => {
    opened = await openPolicyDir('deploy/policies');
    return () => opened[Symbol.asyncDispose]();
  });

  const task = (
    action: Action,
    context: Circumstances,
    logGroupName = '/team-a/app',
  ): Question => ({
    ...createOf({ logGroupName }),
    action,
    context,
  });
  const to = { destination: 'team-a-logs', destinationPrefix: 'team-a/x' };

  test.each<[string, Question, teamA: boolean, operators: boolean, administrators: boolean]>([
    ['create a task', createOf(), true, false, true],
    ['… under the bare prefix', createOf({ destinationPrefix: 'team-a' }), true, false, true],
    [
      '… under a prefix that only begins so',
      createOf({ destinationPrefix: 'team-ab/x' }),
      false,
      false,
      true,
    ],
    ['… under another prefix', createOf({ destinationPrefix: 'exportedlogs' }), false, false, true],
    ['… to another bucket', createOf({ destination: 'team-b-logs' }), false, false, true],
    ['… of another log group', createOf({ logGroupName: '/team-b/app' }), false, false, true],
    [
      '… of one that only begins so',
      createOf({ logGroupName: '/team-ab/app' }),
      false,
      false,
      true,
    ],
    [
      'create a job',
      { ...createOf({ priority: 0 }), action: 'CreateExportJob' },
      true,
      false,
      true,
    ],
    [
      '… behind everybody else',
      { ...createOf({ priority: -10 }), action: 'CreateExportJob' },
      true,
      false,
      true,
    ],
    [
      '… before everybody else',
      { ...createOf({ priority: 1 }), action: 'CreateExportJob' },
      false,
      false,
      true,
    ],
    [
      '… of everything under a prefix',
      { ...createOf({ logGroupName: '/team-a/', priority: 0 }), action: 'CreateExportJob' },
      true,
      false,
      true,
    ],
    [
      '… of everything there is',
      { ...createOf({ logGroupName: '/', priority: 0 }), action: 'CreateExportJob' },
      false,
      false,
      true,
    ],
    ['see a task', task('DescribeExportTasks', to), true, true, true],
    [
      '… of another team',
      task('DescribeExportTasks', { destination: 'b', destinationPrefix: 'b' }, '/team-b/app'),
      false,
      true,
      true,
    ],
    ['… whose bucket AWS leaves out', task('DescribeExportTasks', {}), false, true, true],
    ['… whose log group AWS leaves out', task('DescribeExportTasks', to, ''), false, true, true],
    ['cancel a task', task('CancelExportTask', to), true, false, true],
    ['… of another team', task('CancelExportTask', to, '/team-b/app'), false, false, true],
    ['read a job of somebody else', jobOf('ReadExportJob', false), true, true, true],
    ['cancel one', jobOf('CancelExportJob', false), true, false, true],
    ['retry one', jobOf('RetryExportJob', false), true, false, true],
    ['cancel one’s own', jobOf('CancelExportJob', true), true, true, true],
    [
      'create an archive',
      { ...createOf({ priority: -5 }), action: 'CreateArchive' },
      true,
      false,
      true,
    ],
    [
      '… of a higher priority',
      { ...createOf({ priority: 1 }), action: 'CreateArchive' },
      false,
      false,
      true,
    ],
    ['read an archive of somebody else', jobOf('ReadArchive', false), true, true, true],
    ['change one', jobOf('ChangeArchive', false), true, false, true],
    ['read the coverage', { ...createOf(), action: 'ReadCoverage', context: {} }, true, true, true],
    [
      '… of another team',
      { ...createOf({ logGroupName: '/team-b/app' }), action: 'ReadCoverage', context: {} },
      false,
      true,
      true,
    ],
    ['read a target', targetOf('ReadTarget'), true, true, true],
    ['check what the policies say', targetOf('CheckAuthorization'), false, true, true],
  ])('permit exactly the right callers to %s', (_what, question, ...expected) => {
    const groups = ['team-a', 'operators', 'administrators'];

    const answers = groups.map((group) => opened.ask(callerIn([group]), question).isPermitted);

    expect(answers).toEqual(expected);
  });

  test('permit nothing to groups of another issuer and to callers without a group', () => {
    const others = [
      callerIn(['team-b']),
      callerIn([]),
      callerIn(['administrators'], { issuer: 'https://a.example' }),
    ];

    expect(others.map((other) => opened.ask(other, createOf()).isPermitted)).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('cause no warning', () => {
    expect(opened.log).toEqual([]);
  });
});

describe('docs/policies.md', () => {
  const page = readFileSync('docs/policies.md', 'utf8');
  const shown = [...page.matchAll(/^```cedar\n(.*?)^```$/gms)].map(([, text = '']) => text);

  test('contains only valid policies', async () => {
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs');

    const parsed = parsePolicies(
      cedar,
      shown.map((text, index) => ({ name: `${index}`, text })),
    );

    expect([...parsed.byId.keys()]).toEqual([
      'team-a',
      'team-a-coverage',
      'team-a-targets',
      'team-a-webhooks',
      'payments-since-2024',
      'secrets',
      'nightly-archiver',
      'no-own-jobs',
      'try-it-here',
      'own-export-jobs',
    ]);
    expect(parsed.warnings).toEqual([]);
  });

  test('shows the file of one team as it is in deploy/policies', () => {
    const withoutComments = readFileSync(
      'deploy/policies/one-team-one-prefix.cedar',
      'utf8',
    ).replaceAll(/^ *\/\/.*\n/gm, '');

    expect(shown[0]).toBe(withoutComments);
  });

  test('has a row for every action, with its context in the schema', async () => {
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
    const answer = cedar.schemaToJsonWithResolvedTypes(schemaText);
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
    const schema = answer.json[''];
    const context = (name: string): string[] => {
      const found = schema?.commonTypes?.[name] as
        | { attributes?: Record<string, { required?: boolean }> }
        | undefined;
      return Object.entries(found?.attributes ?? {}).map(
        ([member, { required = true }]) => `\`${member}${required ? '' : '?'}\``,
      );
    };
    const rows = Object.fromEntries(
      [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \| `(\w+)` \| (.*?) ?\|$/gm)].map(
        ([, action = '', kind, on, told]) => [action, { kind, on, told }],
      ),
    );

    expect(Object.keys(rows).sort()).toEqual(Object.keys(actions).sort());
    for (const [action, { kind, on, told }] of Object.entries(rows)) {
      const { appliesTo, memberOf } = schema?.actions[action] ?? {};
      const type = (appliesTo?.context as { type?: string } | undefined)?.type ?? '';
      expect({ action, kind, on }).toEqual({
        action,
        kind: memberOf?.[0]?.id,
        on: appliesTo?.resourceTypes[0],
      });
      const members = told
        ?.replace('the same, and', '`destination`, `destinationPrefix`, `from`, `to`,')
        .match(/`[^`]+`/g);
      expect(members?.sort() ?? [], action).toEqual(context(type).sort());
    }
  });
});
