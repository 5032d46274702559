import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';

import { partitionOf } from '#aws/endpoint/partition.ts';
import { sessionPolicyFor } from '#aws/sessions/session-policy.ts';
import { readConfig } from '#config/read-config.ts';
import { bucketStatements } from '#targets/preflight/policies/export-statements.ts';
import { mergeStatements } from '#targets/preflight/policy/merge-statements.ts';
import { actionsOf, renderPolicy, withLists } from './iam-policy.ts';
import { evaluatorOf, type Inputs, readModule, type TerraformModule } from './terraform.ts';

const folder = 'deploy/terraform';
const accountId = '111122223333';
const gatewayRole = `arn:aws:iam::${accountId}:role/log-export-gateway`;

let root: TerraformModule;
let bucket: TerraformModule;
let serviceRole: TerraformModule;
let gatewayRoleModule: TerraformModule;
beforeAll(async () => {
  const names = ['bucket', 'service-role', 'gateway-role'];
  expect(readdirSync(`${folder}/modules`).sort()).toEqual(names.toSorted());
  root = await readModule(folder);
  bucket = await readModule(`${folder}/modules/bucket`);
  serviceRole = await readModule(`${folder}/modules/service-role`);
  gatewayRoleModule = await readModule(`${folder}/modules/gateway-role`);
});

function inputsIn(region: string, variables: Inputs['variables'] = {}): Inputs {
  const { name, dnsSuffix } = partitionOf(region);
  return { region, partition: name, dnsSuffix, accountId, variables };
}
const policyOf = (module: TerraformModule, name: string, inputs: Inputs) =>
  renderPolicy(module, name, evaluatorOf(module, inputs));

/** The policies in JSON of docs/deploying.md, in their order. */
function policiesOfThePage() {
  const page = readFileSync('docs/deploying.md', 'utf8');
  return [...page.matchAll(/^```json\n(.*?)^```$/gms)]
    .map(([, text = '']) => JSON.parse(text))
    .filter((json) => json.Statement !== undefined)
    .map(withLists);
}

describe('the bucket', () => {
  const regions = ['eu-west-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'];

  test.each(regions)('has the policy that the service prints in %s', (region) => {
    const variables = { bucket_name: 'my-archive', account_ids: [accountId] };

    expect(policyOf(bucket, 'bucket', inputsIn(region, variables))).toEqual(
      withLists(mergeStatements(undefined, bucketStatements({ region, accountId }, 'my-archive'))),
    );
  });

  test('has the policy and the key policy of docs/deploying.md', () => {
    const variables = { bucket_name: 'my-archive', account_ids: [accountId] };
    const inputs = inputsIn('eu-west-1', variables);
    const [, , ofTheBucket, ofTheKey] = policiesOfThePage();

    expect(policyOf(bucket, 'bucket', inputs)).toEqual(ofTheBucket);
    expect(policyOf(bucket, 'key', inputs)).toEqual(ofTheKey);
  });

  test('accepts exports of several accounts, and their service roles', () => {
    const others = ['444455556666', '777788889999'];
    const roles = others.map((id) => `arn:aws:iam::${id}:role/log-export`);
    const variables = {
      bucket_name: 'my-archive',
      account_ids: [accountId, ...others],
      service_role_arns: roles,
    };

    const { Statement } = policyOf(bucket, 'bucket', inputsIn('eu-west-1', variables));
    const key = policyOf(bucket, 'key', inputsIn('eu-west-1', variables));

    for (const { Condition } of Statement.slice(0, 2)) {
      expect(Condition?.StringEquals?.['aws:SourceAccount']).toEqual([accountId, ...others]);
      expect(Condition?.ArnLike?.['aws:SourceArn']).toEqual(
        [accountId, ...others].map((id) => `arn:aws:logs:eu-west-1:${id}:log-group:*`),
      );
    }
    expect(Statement[2]).toMatchObject({ Principal: { AWS: roles }, Action: ['s3:PutObject'] });
    expect(Statement[3]).toMatchObject({
      Principal: { AWS: roles },
      Action: ['s3:ListBucket', 's3:GetObject'],
    });
    expect(key.Statement[2]).toMatchObject({ Principal: { AWS: roles } });
  });

  test('is private, encrypted with the key, without ACLs, and deletes incomplete uploads', () => {
    const exports = (type: string) => bucket.resource[type]?.exports?.[0];
    const ownership = exports('aws_s3_bucket_ownership_controls');
    const access = exports('aws_s3_bucket_public_access_block');
    const encryption = exports('aws_s3_bucket_server_side_encryption_configuration');
    const lifecycle = exports('aws_s3_bucket_lifecycle_configuration');

    expect(ownership).toMatchObject({ rule: [{ object_ownership: 'BucketOwnerEnforced' }] });
    expect(access).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    expect(JSON.stringify(encryption)).toContain('"aws:kms"');
    expect(JSON.stringify(encryption)).toContain('aws_kms_key.exports.arn');
    expect(lifecycle).toMatchObject({
      rule: [{ abort_incomplete_multipart_upload: [{ days_after_initiation: 7 }] }],
    });
  });
});

describe('the service role', () => {
  const variables = {
    gateway_role_arn: gatewayRole,
    bucket_names: ['my-archive'],
    kms_key_arns: [`arn:aws:kms:eu-west-1:${accountId}:key/1`],
  };

  test('may use exactly the actions of the calls in the sources', () => {
    const { logs, storage } = callsOfTheSources();
    const place = { partition: 'aws', accountId, region: 'eu-west-1' };
    const grant = { logGroupName: '/app', destination: 'my-archive', destinationPrefix: 'a' };
    const inASession = actionsOf(withLists(JSON.parse(sessionPolicyFor(place, grant))));
    // A session policy only restricts. It also allows what buckets with ACLs need, and what AWS may check.
    const notNeeded = ['s3:PutObjectAcl', 's3:GetBucketLocation'];
    const ofTheExport = inASession.filter((action) => !notNeeded.includes(action));

    const inputs = inputsIn('eu-west-1', { ...variables, verification: 'count' });
    const allowed = actionsOf(policyOf(serviceRole, 'exports', inputs));

    expect(allowed).toEqual([...new Set([...logs, ...ofTheExport, ...storage])].sort());
  });

  test('may read neither objects nor events without verification, and no settings without preflight', () => {
    const without = { verification: 'off', preflight: false };
    const inputs = inputsIn('eu-west-1', { ...variables, ...without });

    expect(actionsOf(policyOf(serviceRole, 'exports', inputs))).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CancelExportTask',
      'logs:CreateExportTask',
      'logs:DescribeExportTasks',
      'logs:DescribeLogGroups',
      's3:GetBucketAcl',
      's3:PutObject',
    ]);
  });

  test.each([
    ['objects', ['logs:FilterLogEvents', 's3:GetObject', 's3:ListBucket']],
    [
      'count',
      [
        'logs:FilterLogEvents',
        'logs:GetQueryResults',
        'logs:StartQuery',
        's3:GetObject',
        's3:ListBucket',
      ],
    ],
  ])('may do what VERIFICATION=%s needs', (verification, expected) => {
    const actions = (further: object) =>
      actionsOf(
        policyOf(serviceRole, 'exports', inputsIn('eu-west-1', { ...variables, ...further })),
      );
    const without = new Set(actions({ verification: 'off' }));

    expect(actions({ verification }).filter((action) => !without.has(action))).toEqual(expected);
  });

  test('has the permissions of docs/deploying.md', () => {
    const inputs = inputsIn('eu-west-1', { ...variables, kms_key_arns: [] });
    const [ofTheRole = { Statement: [] }] = policiesOfThePage();

    const rendered = policyOf(serviceRole, 'exports', inputs);
    const pairsOf = ({ Statement }: typeof rendered) =>
      Statement.flatMap(({ Action, Resource = [] }) =>
        Action.flatMap((action) => Resource.map((resource) => `${action} ${resource}`)),
      ).sort();

    expect(pairsOf(rendered)).toEqual(pairsOf(ofTheRole));
  });

  test('may use keys only through S3, and creates exports only in its Regions', () => {
    const regions = ['eu-west-1', 'eu-central-1'];
    const { Statement } = policyOf(
      serviceRole,
      'exports',
      inputsIn('eu-west-1', { ...variables, regions }),
    );

    expect(Statement.find(({ Sid }) => Sid === 'EncryptObjects')?.Condition).toEqual({
      StringEquals: { 'kms:ViaService': regions.map((region) => `s3.${region}.amazonaws.com`) },
    });
    expect(Statement.find(({ Sid }) => Sid === 'CreateExportTasks')?.Resource).toEqual(
      regions.map((region) => `arn:aws:logs:${region}:${accountId}:log-group:*`),
    );
  });

  test('trusts the role of the gateway only', () => {
    expect(policyOf(serviceRole, 'trust', inputsIn('eu-west-1', variables)).Statement).toEqual([
      {
        Sid: 'AllowGateway',
        Effect: 'Allow',
        Action: ['sts:AssumeRole'],
        Principal: { AWS: [`arn:aws:iam::${accountId}:root`] },
        Condition: { ArnEquals: { 'aws:PrincipalArn': [gatewayRole] } },
      },
    ]);
  });

  test('requires the external id, and accepts source identities and session tags, if they are set', () => {
    const [statement] = policyOf(
      serviceRole,
      'trust',
      inputsIn('eu-west-1', {
        ...variables,
        external_id: 'shared',
        scoped_sessions: true,
        eks_session_tags: true,
      }),
    ).Statement;

    expect(statement?.Action).toEqual([
      'sts:AssumeRole',
      'sts:SetSourceIdentity',
      'sts:TagSession',
    ]);
    expect(statement?.Condition?.StringEquals).toEqual({ 'sts:ExternalId': ['shared'] });
  });

  test('has the trust of docs/deploying.md', () => {
    const inputs = inputsIn('eu-west-1', { ...variables, external_id: 'shared-secret' });
    const [, ofTheTrust] = policiesOfThePage();

    expect(policyOf(serviceRole, 'trust', inputs)).toEqual(ofTheTrust);
  });
});

describe('the role of the gateway', () => {
  const variables = { service_role_arns: [`arn:aws:iam::${accountId}:role/log-export`] };
  const oidc = `arn:aws:iam::${accountId}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC`;

  test('may only assume service roles', () => {
    const inputs = inputsIn('eu-west-1', { ...variables, oidc_provider_arn: oidc });
    const [statement, ...others] = policyOf(gatewayRoleModule, 'service_roles', inputs).Statement;

    // GetCallerIdentity needs no permission.
    expect(callsOfTheSources().sts).toEqual(['sts:AssumeRole', 'sts:GetCallerIdentity']);
    expect(others).toEqual([]);
    expect(statement?.Action).toEqual(['sts:AssumeRole']);
    expect(statement?.Resource).toEqual(variables.service_role_arns);
  });

  test('trusts one service account by IRSA', () => {
    const inputs = inputsIn('eu-west-1', { ...variables, oidc_provider_arn: oidc });

    expect(policyOf(gatewayRoleModule, 'irsa', inputs).Statement[0]).toMatchObject({
      Action: ['sts:AssumeRoleWithWebIdentity'],
      Principal: { Federated: [oidc] },
      Condition: {
        StringEquals: {
          'oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub': [
            'system:serviceaccount:log-export-gateway:log-export-gateway',
          ],
          'oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud': ['sts.amazonaws.com'],
        },
      },
    });
  });

  test('trusts one service account by EKS Pod Identity, and passes its tags on', () => {
    const inputs = inputsIn('eu-west-1', variables);

    expect(policyOf(gatewayRoleModule, 'pod_identity', inputs).Statement[0]).toMatchObject({
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Principal: { Service: ['pods.eks.amazonaws.com'] },
      Condition: {
        StringEquals: {
          'aws:RequestTag/kubernetes-namespace': ['log-export-gateway'],
          'aws:RequestTag/kubernetes-service-account': ['log-export-gateway'],
        },
      },
    });
    expect(actionsOf(policyOf(gatewayRoleModule, 'service_roles', inputs))).toEqual([
      'sts:AssumeRole',
      'sts:TagSession',
    ]);
  });
});

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

/** The actions of all calls that the sources make to AWS, by service. The demo plays a customer. */
// S3 has some actions with other names than their operations.
const actionsOfS3: Record<string, string> = {
  HeadBucket: 'ListBucket',
  HeadObject: 'GetObject',
  ListObjectsV2: 'ListBucket',
  GetBucketEncryption: 'GetEncryptionConfiguration',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
};

function callsOfTheSources(): { logs: string[]; sts: string[]; storage: string[] } {
  const texts = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== 'bin/demo.ts')
    .map((file) => readFileSync(`src/${file}`, 'utf8'));
  const namesFrom = (client: string) =>
    texts.flatMap((text) =>
      [...text.matchAll(/import (?:type )?\{([^}]*)\} from '([^']+)'/g)]
        .filter(([, , from]) => from === client)
        .flatMap(([, names = '']) => [...names.matchAll(/\b(\w+)Command\b/g)])
        .map(([, name = '']) => name),
    );
  const actionsFrom = (client: string, service: string) =>
    [...new Set(namesFrom(client))].map((name) => `${service}:${name}`).sort();
  const lateNames = texts.flatMap((text) =>
    [...text.matchAll(/new sdk\.(\w+)Command\b/g)].map(([, name = '']) => name),
  );
  return {
    logs: actionsFrom('@aws-sdk/client-cloudwatch-logs', 'logs'),
    sts: actionsFrom('@aws-sdk/client-sts', 'sts'),
    storage: lateNames.map((name) =>
      /Key/.test(name) ? `kms:${name}` : `s3:${actionsOfS3[name] ?? name}`,
    ),
  };
}
