import { describe, expect, test } from 'vitest';

import { makePolicyFolder, openPolicyDir } from '../policy-folder.ts';

/** The error of a start with these files. */
async function startWith(texts: Record<string, string>): Promise<string> {
  using folder = makePolicyFolder(texts);
  try {
    await using _opened = await openPolicyDir(folder.path);
    return 'started';
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigError' });
    return (error as Error).message.replace(folder.path, 'policies');
  }
}

const good = '@id("good")\npermit(principal, action, resource);\n';

describe('rejects an invalid policy with file and line:', () => {
  test.each([
    [
      'of syntax',
      `${good}permit(principal, action, resource)\nwhen { resource.name = "/app" };`,
      "line 4: '=' is not a valid operator in Cedar (try using '==' instead).",
    ],
    ['an end too soon', `${good}\npermit(principal`, 'line 4: unexpected end of input.'],
    [
      'an unknown attribute, in the second policy',
      `${good}permit(principal, action == Action::"CreateExportTask", resource)\nwhen {\n  context.from > 0 &&\n  resource.nam == "/app"\n};`,
      'line 6: attribute `nam` on entity type `LogGroup` not found (did you mean `name`?).',
    ],
    [
      'an unknown action',
      `${good}\n\npermit(principal, action == Action::"CreateTask", resource);`,
      'line 5: unrecognized action `Action::"CreateTask"` (did you mean',
    ],
    [
      'an unknown type of entity',
      'permit(\n  principal in Team::"a",\n  action, resource);',
      'line 2: unrecognized entity type `Team`',
    ],
    [
      'a value of the wrong type',
      'permit(principal, action, resource)\nwhen { resource.name == 3 };',
      'line 2: the types Long and String are not compatible',
    ],
    [
      'what AWS may leave out, not asked for first',
      'permit(principal, action == Action::"CancelExportTask", resource)\nwhen { context.destination == "a" };',
      'line 2: unable to guarantee safety of access to optional attribute `destination`',
    ],
    [
      'a claim, not asked for first',
      'permit(principal, action, resource)\nwhen { principal.getTag("team").contains("a") };',
      'line 2: unable to guarantee safety of access to tag',
    ],
    [
      'a template',
      `${good}permit(principal == ?principal, action, resource);`,
      'line 3: templates (?principal, ?resource) are not supported; name the principal or the group.',
    ],
    [
      'behind letters of several bytes',
      '// Größe 大きさ 😀😀😀\npermit(principal, action, resource)\nwhen { nobody };\n',
      'line 3: invalid variable: nobody',
    ],
    [
      'behind lines that end as on Windows',
      'permit(principal, action, resource);\r\n\r\npermit(principal, action, resource)\r\nwhen { nobody };\r\n',
      'line 4: invalid variable: nobody',
    ],
  ])('%s', async (_what, text, sentence) => {
    const told = await startWith({
      'a.cedar': good.replaceAll('good', 'other'),
      'team-b.cedar': text,
    });

    expect(told).toContain(`POLICY_DIR is "policies": team-b.cedar, ${sentence}`);
  });

  test('the first of several', async () => {
    const text = 'permit(principal, action, resource) when { resource.b == 1 };\n'.repeat(12);

    const told = await startWith({ 'a.cedar': text });

    expect(told).toContain('a.cedar, line 1: attribute `b`');
  });

  test('an id that another file uses', async () => {
    const told = await startWith({ 'a.cedar': good, 'b.cedar': `// Here.\n${good}` });

    expect(told).toBe(
      'POLICY_DIR is "policies": b.cedar, line 2: the policy id "good" already belongs to a policy of a.cedar.',
    );
  });

  test('a duplicate id in one file', async () => {
    const told = await startWith({
      'a.cedar': `${good}\n@id("good") forbid(principal, action, resource);`,
    });

    expect(told).toBe(
      'POLICY_DIR is "policies": a.cedar, line 4: the policy id "good" already belongs to a policy of a.cedar.',
    );
  });

  test('the id of the built-in policy', async () => {
    const told = await startWith({ 'a.cedar': good.replace('good', 'own-export-jobs') });

    expect(told).toContain(
      'line 1: the policy id "own-export-jobs" already belongs to a policy of the gateway.',
    );
  });

  test('bytes that are not UTF-8', async () => {
    using folder = makePolicyFolder();
    const files = { list: async () => ['a.cedar'], read: async () => Uint8Array.of(0xff) };

    await expect(openPolicyDir(folder.path, { files })).rejects.toThrow(
      /: a\.cedar must be a readable file in UTF-8 \(/,
    );
  });

  test('a missing directory', async () => {
    await expect(openPolicyDir('/nonexistent')).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        /^POLICY_DIR is "\/nonexistent": it must be the path of a readable directory \(ENOENT/,
      ),
    });
  });
});

test('warns of a policy that can never apply, and activates the others', async () => {
  using folder = makePolicyFolder({
    'a.cedar': `${good}permit(principal, action == Action::"ReadTarget", resource is LogGroup);`,
  });

  await using opened = await openPolicyDir(folder.path);

  expect(opened.log).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      msg: expect.stringMatching(/^POLICY_DIR: a\.cedar, line 3: policy is impossible/),
    }),
  );
  expect(opened.authorizer.version()).toBe(1);
});
