import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { readModule } from './terraform.ts';

// The commands of docs/deploying.md name only what the recipes and the API have.

const page = readFileSync('docs/deploying.md', 'utf8');
const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)]
  .map(([, block = '']) => block.replaceAll('\\\n', ' '))
  .join('\n');
const wordsAfter = (option: string) =>
  [...commands.matchAll(new RegExp(`${option}[ =](\\S+)`, 'g'))].map(([, word = '']) => word);

describe('the commands of docs/deploying.md', () => {
  test('give CloudFormation each parameter without a default, and no unknown one', () => {
    const { Parameters } = parse(readFileSync('deploy/ecs/service.yaml', 'utf8'), {
      logLevel: 'silent',
    }) as { Parameters: Record<string, { Default?: unknown }> };
    const [, overrides = ''] = /--parameter-overrides(.*)\n/.exec(commands) ?? [];
    const given = [...overrides.matchAll(/ (\w+)=/g)].map(([, name]) => name);

    const required = Object.keys(Parameters).filter(
      (name) => !('Default' in (Parameters[name] ?? {})),
    );
    expect(given.sort()).toEqual(required.sort());
    expect(wordsAfter('--template-file').every((file) => existsSync(file))).toBe(true);
  });

  test('give Terraform each variable without a default, and read outputs that exist', async () => {
    const { variable, output } = await readModule('deploy/terraform');
    const given = wordsAfter('-var').map((word) => word.split('=')[0]);

    const required = Object.keys(variable).filter(
      (name) => !('default' in (variable[name]?.[0] ?? {})),
    );
    expect(given).toEqual(required);
    expect(Object.keys(output)).toEqual(expect.arrayContaining(wordsAfter('output -raw')));
  });

  test('create the Secrets, and name the namespace and the Deployment, of the manifests', () => {
    const manifest = (name: string) =>
      parse(readFileSync(`deploy/kubernetes/${name}.yaml`, 'utf8'));
    const { spec } = manifest('deployment').spec.template;
    const mounted = spec.volumes.flatMap(
      ({ secret }: { secret?: { secretName: string } }) => secret?.secretName ?? [],
    );
    const fromEnvironment = spec.containers[0].env.flatMap(
      ({ valueFrom }: { valueFrom?: { secretKeyRef: { name: string } } }) =>
        valueFrom?.secretKeyRef.name ?? [],
    );
    const { namespace } = manifest('kustomization');

    expect(wordsAfter('kubectl create secret generic').sort()).toEqual(
      [...mounted, ...fromEnvironment].sort(),
    );
    expect(
      new Set([...wordsAfter('--namespace'), ...wordsAfter('kubectl create namespace')]),
    ).toEqual(new Set([namespace]));
    expect(wordsAfter('rollout status')).toEqual([
      `deployment/${manifest('deployment').metadata.name}`,
    ]);
    expect(commands).toContain(
      `service/${manifest('service').metadata.name} 8080:${manifest('service').spec.ports[0].port}`,
    );
  });

  test('send requests that the API describes', () => {
    const { paths, components } = JSON.parse(readFileSync('openapi/openapi.json', 'utf8'));
    const calls = [
      ...commands.matchAll(/curl http:\/\/127\.0\.0\.1:8080(\/\S*)([^\n]*(?:\n {2}[^\n]*)*)/g),
    ];
    const ajv = new Ajv2020({ strict: false, validateFormats: false });

    expect(calls.length).toBeGreaterThan(3);
    for (const [, path = '', options = ''] of calls) {
      const [, body] = /-d '(.*)'/s.exec(options) ?? [];
      const operation = paths[path]?.[body === undefined ? 'get' : 'post'];
      expect(operation, path).toBeDefined();
      if (body === undefined) continue;
      const { schema } = operation.requestBody.content['application/json'];
      const accepts = ajv.compile({ ...schema, components });
      expect(accepts(JSON.parse(body)), JSON.stringify(accepts.errors)).toBe(true);
    }
  });
});
