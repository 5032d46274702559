import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { readConfig } from '#config/read-config.ts';
import { evaluatorOf } from '../terraform.ts';
import { accountId, folder, gatewayRole, inputsIn, readRecipe } from './recipe.ts';

const { root, bucket, serviceRole, gatewayRoleModule } = await readRecipe();

test('the output targets is a TARGETS_FILE', () => {
  const value = evaluatorOf(root, inputsIn('eu-west-1'))(root.output.targets?.[0].value, {
    module: { service_role: { role_arn: `arn:aws:iam::${accountId}:role/log-export` } },
  });

  const { targets } = readConfig({ TARGETS_FILE: 'targets.json', AUTH: 'none' }, () =>
    String(value),
  );

  expect(targets).toEqual([
    {
      name: 'default',
      region: 'eu-west-1',
      roleArn: `arn:aws:iam::${accountId}:role/log-export`,
    },
  ]);
});

describe('the modules', () => {
  test('are those of the folder', () => {
    const names = ['bucket', 'gateway-role', 'service-role'];

    expect(readdirSync(`${folder}/modules`).sort()).toEqual(names);
  });

  const all = () => ({
    '.': root,
    bucket,
    'service-role': serviceRole,
    'gateway-role': gatewayRoleModule,
  });

  test('describe each variable and output', () => {
    const undescribed = Object.values(all()).flatMap(({ variable, output }) =>
      Object.entries({ ...variable, ...output }).filter(([, [block]]) => !block.description),
    );

    expect(undescribed).toEqual([]);
  });

  test('refer only to what is declared, and use what they declare', () => {
    for (const [name, module] of Object.entries(all())) {
      const used = (pattern: RegExp) =>
        [...new Set([...module.text.matchAll(pattern)].map(([, found]) => found))].sort();
      const declared = (kind: 'data' | 'resource') =>
        Object.entries(module[kind]).flatMap(([type, named]) =>
          Object.keys(named).map((each) => `${type}.${each}`),
        );

      expect({ name, used: used(/\bvar\.(\w+)/g) }).toEqual({
        name,
        used: Object.keys(module.variable).sort(),
      });
      expect({ name, used: used(/\blocal\.(\w+)/g) }).toEqual({
        name,
        used: Object.keys(module.locals).sort(),
      });
      expect(declared('data').sort()).toEqual(used(/\bdata\.(\w+\.\w+)/g));
      expect(declared('resource')).toEqual(
        expect.arrayContaining(used(/(?<![\w."])(aws_(?!iam_policy_document)\w+\.\w+)/g)),
      );
    }
  });

  test('are called with variables that they declare, and all that they require', () => {
    const calls = Object.values(root.module).map(([{ source, count, ...given }]) => {
      const { variable } = all()[String(source).split('/').at(-1) as 'bucket'];
      const required = Object.keys(variable).filter(
        (name) => !('default' in (variable[name]?.[0] ?? {})),
      );
      return { given: Object.keys(given), known: Object.keys(variable), required };
    });

    expect(calls).toHaveLength(3);
    for (const { given, known, required } of calls) {
      expect(known).toEqual(expect.arrayContaining(given));
      expect(given).toEqual(expect.arrayContaining(required));
    }
    for (const [, name = '', output = ''] of root.text.matchAll(/\bmodule\.(\w+)\.(\w+)/g)) {
      const [{ source }] = root.module[name] ?? [{}];
      const called = all()[String(source).split('/').at(-1) as 'bucket'];
      expect(Object.keys(called.output)).toContain(output);
    }
  });

  test.each([
    ['bucket', 'bucket_name', 'my-archive', 'My_Archive'],
    ['bucket', 'account_ids', [accountId], ['1234']],
    ['bucket', 'account_ids', [accountId], []],
    ['bucket', 'service_role_arns', [gatewayRole], [accountId]],
    ['bucket', 'expiration_days', 400, 0],
    ['bucket', 'expiration_days', null, 0.5],
    ['service-role', 'name', 'log-export', 'log export'],
    ['service-role', 'gateway_role_arn', gatewayRole, accountId],
    ['service-role', 'external_id', 'shared-secret', 'x'],
    ['service-role', 'external_id', null, 'a b'],
    ['service-role', 'regions', ['eusc-de-east-1'], ['Ireland']],
    ['service-role', 'bucket_names', ['my-archive'], []],
    [
      'service-role',
      'kms_key_arns',
      [`arn:aws:kms:eu-west-1:${accountId}:key/1`],
      ['alias/exports'],
    ],
    ['gateway-role', 'name', 'log-export-gateway', ''],
    ['gateway-role', 'service_role_arns', [gatewayRole], []],
    ['gateway-role', 'oidc_provider_arn', `arn:aws:iam::${accountId}:oidc-provider/a`, 'https://a'],
  ] as const)('%s validates %s: accepts %j, rejects %j', (name, variable, good, bad) => {
    const module = all()[name];
    const [{ validation }] = (module.variable[variable] ?? [{}]) as [
      { validation?: [{ condition: string }] },
    ];
    const isValid = (value: unknown) =>
      evaluatorOf(module, inputsIn('eu-west-1', { [variable]: value }))(validation?.[0].condition);

    expect([isValid(good), isValid(bad)]).toEqual([true, false]);
  });
});
