import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { sessionPolicyFor } from '#aws/sessions/session-policy.ts';
import { actionsOf, withLists } from '../iam-policy.ts';
import {
  accountId,
  gatewayRole,
  inputsIn,
  policiesOfThePage,
  policyOf,
  readRecipe,
} from './recipe.ts';

const { serviceRole, gatewayRoleModule } = await readRecipe();

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

    const sinks = {
      sns_topic_arns: [`arn:aws:sns:eu-west-1:${accountId}:jobs`],
      event_bus_arns: [`arn:aws:events:eu-west-1:${accountId}:event-bus/exports`],
    };
    const inputs = inputsIn('eu-west-1', { ...variables, ...sinks, verification: 'count' });
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

const actionsOfSinks: Record<string, string> = {
  Publish: 'sns:Publish',
  PutEvents: 'events:PutEvents',
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
    storage: lateNames.map(
      (name) =>
        actionsOfSinks[name] ??
        (/Key/.test(name) ? `kms:${name}` : `s3:${actionsOfS3[name] ?? name}`),
    ),
  };
}
