import fs, { mkdtempDisposableSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path, { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { parse, parseDocument, visit } from 'yaml';

import { readConfig } from '#config/read-config.ts';
import { Environment } from '#config/variables.ts';
import { image } from './image-facts.ts';

const text = readFileSync('deploy/ecs/service.yaml', 'utf8');

/** A function of CloudFormation, such as `!Ref Image`: its text, or its arguments. */
const isFunction = ['Ref', 'GetAtt', 'Sub'].map((name) => ({
  tag: `!${name}`,
  resolve: (value: string) => ({ [name]: value }),
}));
const withArguments = ['If', 'Equals', 'Not'].map((name) => ({
  tag: `!${name}`,
  collection: 'seq' as const,
}));
const template = parse(text, { customTags: [...isFunction, ...withArguments] });
const { Parameters, Resources } = template;
const task = Resources.TaskDefinition.Properties;
const [files, gateway] = task.ContainerDefinitions;

const given = Object.fromEntries(
  gateway.Environment.map(({ Name, Value }: { Name: string; Value: string | { Ref: string } }) => [
    Name,
    typeof Value === 'string' ? Value : Parameters[Value.Ref].Default,
  ]),
);

describe('the template', () => {
  test('has no aliases, because CloudFormation rejects them', () => {
    const aliases: string[] = [];
    visit(parseDocument(text, { logLevel: 'silent' }), {
      Alias: (_key, { source }) => void aliases.push(source),
    });

    expect(aliases).toEqual([]);
  });

  test('uses every parameter and describes it', () => {
    const unused = Object.keys(Parameters).filter(
      (name) => !new RegExp(`!Ref ${name}\\b`).test(text),
    );
    const undescribed = Object.entries<{ Description?: string }>(Parameters).filter(
      ([, { Description }]) => !Description,
    );

    expect([...unused, ...undescribed]).toEqual([]);
  });
});

describe('the task', () => {
  test('sets only variables of the gateway, to values that the gateway accepts', () => {
    const secrets = { DATABASE_URL: 'postgres://gateway@db.example.com/jobs' };
    const names = [...gateway.Environment, ...gateway.Secrets].map(({ Name }) => Name);
    const targets = readFileSync('deploy/kubernetes/targets.json', 'utf8');

    const config = readConfig({ ...image.env, ...given, ...secrets }, () => targets);

    expect(names.filter((name: string) => !(name in Environment.properties))).toEqual([]);
    expect(gateway.Secrets.map(({ Name }: { Name: string }) => Name)).toEqual(Object.keys(secrets));
    expect(config).toMatchObject({ port: image.port, jobs: { databaseUrl: secrets.DATABASE_URL } });
  });

  test('writes the files of its secret to the volume of the image, where the gateway reads them', () => {
    const texts = {
      'targets.json': '[]',
      'api-keys.json': '[]',
      'policies.cedar': 'π',
      '../x': '',
    };
    const [node, flag, script] = files.EntryPoint;
    using folder = mkdtempDisposableSync(join(tmpdir(), 'files-'));
    const env = { DATA_DIR: folder.path, FILES: JSON.stringify(texts) };

    runInNewContext(script, { fs, path, process: { env } });

    const read = Object.values<string>(given).filter((value) => value.startsWith('/'));
    expect([node, flag]).toEqual(['node', '-e']);
    expect(readdirSync(folder.path).sort()).toEqual(
      Object.keys(texts)
        .map((name) => path.basename(name))
        .sort(),
    );
    expect(readFileSync(join(folder.path, 'policies.cedar'), 'utf8')).toBe('π');
    expect(read.sort()).toEqual([
      image.volume,
      `${image.volume}/api-keys.json`,
      `${image.volume}/targets.json`,
    ]);
    expect(image.env.DATA_DIR).toBe(image.volume);
    expect([files, gateway].map(({ MountPoints }) => MountPoints[0].ContainerPath)).toEqual(
      Array(2).fill(image.volume),
    );
    expect(gateway.DependsOn).toEqual([{ ContainerName: 'files', Condition: 'SUCCESS' }]);
  });

  test('is hardened, and stops in the time that the gateway needs', () => {
    expect([files, gateway].map((each) => each.ReadonlyRootFilesystem)).toEqual([true, true]);
    expect(gateway.LinuxParameters).toEqual({ Capabilities: { Drop: ['ALL'] } });
    expect(gateway.MountPoints[0].ReadOnly).toBe(true);
    expect(gateway.StopTimeout).toBe(15);
  });

  // Without a limit of its own, Node sizes the heap by the memory of the machine.
  test('limits the memory of both containers, and leaves room for the buffers of their logs', () => {
    const limits = [files, gateway].map(({ Memory }) => Memory);
    const buffers = [files, gateway].map(({ LogConfiguration }) =>
      Number.parseInt(LogConfiguration.Options['max-buffer-size'], 10),
    );
    const sum = [...limits, ...buffers].reduce((one, other) => one + other, 0);

    expect(gateway.Memory).toBeGreaterThanOrEqual(192);
    expect(files.Memory).toBeGreaterThanOrEqual(64);
    expect(sum).toBeLessThanOrEqual(Number(task.Memory));
  });

  test('checks its health as the image does', () => {
    expect(gateway.HealthCheck.Command).toEqual(['CMD', ...image.healthCheck]);
  });

  test('is reached on the port of the image only', () => {
    const [{ FromPort, ToPort }] = Resources.SecurityGroup.Properties.SecurityGroupIngress;

    expect([FromPort, ToPort, gateway.PortMappings[0].ContainerPort]).toEqual(
      Array(3).fill(image.port),
    );
  });

  test('logs both containers to CloudWatch Logs, without waiting for it', () => {
    for (const { LogConfiguration } of [files, gateway]) {
      expect(LogConfiguration).toMatchObject({
        LogDriver: 'awslogs',
        Options: { 'awslogs-group': { Ref: 'LogGroup' }, mode: 'non-blocking' },
      });
    }
  });
});

describe('the roles', () => {
  test('are for tasks of this account only', () => {
    for (const role of [Resources.TaskRole, Resources.ExecutionRole]) {
      expect(role.Properties.AssumeRolePolicyDocument.Statement).toEqual([
        {
          Effect: 'Allow',
          Principal: { Service: 'ecs-tasks.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: {
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
            ArnLike: {
              'aws:SourceArn': {
                // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation replaces them
                Sub: 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:*',
              },
            },
          },
        },
      ]);
    }
  });

  test('of the gateway may only assume the service roles', () => {
    const [{ PolicyDocument }, ...others] = Resources.TaskRole.Properties.Policies;

    expect(others).toEqual([]);
    expect(PolicyDocument.Statement).toEqual([
      {
        Sid: 'AssumeServiceRoles',
        Effect: 'Allow',
        Action: [
          'sts:AssumeRole',
          ['HasScopedSessions', 'sts:SetSourceIdentity', { Ref: 'AWS::NoValue' }],
        ],
        Resource: { Ref: 'ServiceRoleArns' },
      },
    ]);
  });

  test('of ECS may read the two secrets of the task and no others', () => {
    const [{ PolicyDocument }] = Resources.ExecutionRole.Properties.Policies;
    const secrets = [...gateway.Secrets, ...files.Secrets].map(({ ValueFrom }) => ValueFrom);

    expect(PolicyDocument.Statement[0]).toEqual({
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: secrets,
    });
  });
});
