import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import {
  PodMonitor,
  PrometheusRule,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { readConfig } from '#config/read-config.ts';
import { Environment } from '#config/variables.ts';
import { callerIn, createOf, openPolicyDir, targetOf } from '../auth/policy-folder.ts';
import { image } from './image-facts.ts';

const folder = 'deploy/kubernetes';
const read = (file: string) => parse(readFileSync(`${folder}/${file}`, 'utf8'));

const kustomization = read('kustomization.yaml');
const files: string[] = kustomization.resources;
const manifests = files.map(read);
const deployment = read('deployment.yaml');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const labels = deployment.spec.template.metadata.labels;

const port = (named: string | number) =>
  container.ports.find(({ name }: { name: string }) => name === named)?.containerPort;

/** The environment of the container. Values of secrets stand for those of the operator. */
function environment(): Record<string, string> {
  const secrets: Record<string, string> = {
    DATABASE_URL: 'postgres://gateway@db.example.com/jobs',
  };
  const given = container.env.map(({ name, value }: { name: string; value?: string }) => [
    name,
    value ?? secrets[name],
  ]);
  return { ...image.env, ...Object.fromEntries(given) };
}

/** Reads a mounted file of a ConfigMap. */
const readMounted = (path: string) => readFileSync(`${folder}/${basename(path)}`, 'utf8');

/** The file names in a mounted volume. Secrets have the keys that docs/deploying.md gives them. */
function filesOf(volumeName: string): string[] {
  const { configMap, secret } = pod.volumes.find(
    ({ name }: { name: string }) => name === volumeName,
  );
  const generated = kustomization.configMapGenerator.find(
    ({ name }: { name: string }) => name === configMap?.name,
  );
  return generated?.files ?? keysOfSecret(secret.secretName);
}

/** The keys of a secret, from the command of docs/deploying.md that creates it. */
function keysOfSecret(name: string): string[] {
  const page = readFileSync('docs/deploying.md', 'utf8');
  const [, options = ''] =
    new RegExp(`kubectl create secret generic ${name} ((?:[^\\n]|\\\\\\n)*)`).exec(page) ?? [];
  return [...options.matchAll(/--from-file=(?:([\w.-]+)=)?(\S+)/g)].map(
    ([, key, path = '']) => key ?? basename(path),
  );
}

describe('the kustomization', () => {
  test('has every file of its folder, and no other', () => {
    const listed = [
      ...files,
      ...kustomization.configMapGenerator.flatMap((each: { files: string[] }) => each.files),
    ];

    expect(['kustomization.yaml', ...listed].sort()).toEqual(readdirSync(folder).sort());
  });

  test('creates its namespace, and has the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

    expect(read('namespace.yaml').metadata.name).toBe(kustomization.namespace);
    expect(kustomization.images).toMatchObject([{ name: container.image, newTag: version }]);
  });

  test('keeps the names of ConfigMaps when their content changes', () => {
    expect(kustomization.generatorOptions).toEqual({ disableNameSuffixHash: true });
  });

  test('has no secrets, only references to them', () => {
    const kinds = manifests.map(({ kind }) => kind);
    const secretEnvironment = container.env
      .filter(({ valueFrom }: { valueFrom?: object }) => valueFrom)
      .map(({ valueFrom }: { valueFrom: { secretKeyRef: { name: string; key: string } } }) => {
        const { name, key } = valueFrom.secretKeyRef;
        return { key, keys: keysOfSecret(name) };
      });

    expect(kinds).not.toContain('Secret');
    expect(secretEnvironment).toEqual([{ key: 'url', keys: ['url'] }]);
  });
});

describe('the Deployment', () => {
  test('sets only variables of the gateway, to values that the gateway accepts', () => {
    const names = container.env.map(({ name }: { name: string }) => name);

    const config = readConfig(environment(), readMounted);

    expect(names.filter((name: string) => !(name in Environment.properties))).toEqual([]);
    expect(config).toMatchObject({ host: '0.0.0.0', port: image.port });
    expect(config.jobs?.databaseUrl).toBeDefined();
  });

  test('mounts each file and directory that its variables name', () => {
    const variables = Object.entries(environment());
    const paths = variables.filter(([, value]) => value.startsWith('/etc/'));
    const mounted = container.volumeMounts.flatMap(
      ({ name, mountPath }: { name: string; mountPath: string }) => [
        mountPath,
        ...filesOf(name).map((file) => `${mountPath}/${file}`),
      ],
    );

    expect(paths.map(([name]) => name).sort()).toEqual([
      'API_KEYS_FILE',
      'POLICY_DIR',
      'TARGETS_FILE',
    ]);
    expect(mounted).toEqual(expect.arrayContaining(paths.map(([, path]) => path)));
    for (const { mountPath, readOnly, subPath } of container.volumeMounts) {
      expect({ readOnly, subPath }).toEqual({ readOnly: true, subPath: undefined });
      expect(dirname(mountPath)).toBe('/etc/log-export-gateway');
    }
  });

  test('satisfies the Pod Security Standard "restricted", which its namespace enforces', () => {
    expect(read('namespace.yaml').metadata.labels).toEqual({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: image.user,
      runAsGroup: image.user,
      fsGroup: image.user,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(read('service-account.yaml').metadata.name).toBe(pod.serviceAccountName);
  });

  test('probes the health routes on the port of the gateway', () => {
    const { paths } = JSON.parse(readFileSync('openapi/openapi.json', 'utf8'));
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const probed = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet);

    expect(probed.map(({ path }) => path)).toEqual([
      '/health/live',
      '/health/live',
      '/health/ready',
    ]);
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(probed.map(({ path }) => path)));
    expect(probed.map((each) => port(each.port))).toEqual(Array(3).fill(image.port));
  });

  test('gives the gateway the time of docs/deploying.md to stop, and replaces no pod before its successor is ready', () => {
    const page = readFileSync('docs/deploying.md', 'utf8');

    expect(page).toContain(`terminationGracePeriodSeconds: ${pod.terminationGracePeriodSeconds}`);
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(deployment.spec.replicas).toBeGreaterThan(1);
  });

  test('has at least the memory that the gateway needs, as much as it requests', () => {
    const { requests, limits } = container.resources;

    expect(Number.parseInt(limits.memory, 10)).toBeGreaterThanOrEqual(192);
    expect(requests.memory).toBe(limits.memory);
    expect(limits.cpu).toBeUndefined();
  });
});

describe('the other manifests', () => {
  test('select the pods of the Deployment', () => {
    const selected = manifests.flatMap(({ kind, spec }) => {
      if (kind === 'Service') return [spec.selector];
      if (kind === 'NetworkPolicy') return [spec.podSelector.matchLabels];
      return spec?.selector ? [spec.selector.matchLabels] : [];
    });
    const spread = pod.topologySpreadConstraints.map(
      ({ labelSelector }: { labelSelector: { matchLabels: object } }) => labelSelector.matchLabels,
    );

    expect([...selected, ...spread]).toEqual(Array(selected.length + spread.length).fill(labels));
    expect(selected.length).toBeGreaterThanOrEqual(4);
  });

  // The documentation of EKS asks for a Service with the port of the container. Callers of earlier revisions use port 80.
  test('have the ports of the container: its number as port of the Service, and numbers in the policy', () => {
    const service = read('service.yaml').spec.ports;
    const ingress = read('network-policy.yaml').spec.ingress.flatMap(
      ({ ports }: { ports: { port: string }[] }) => ports.map((each) => each.port),
    );

    expect(service).toEqual([
      { name: 'http', port: port('http'), targetPort: 'http' },
      { name: 'http-80', port: 80, targetPort: 'http' },
    ]);
    expect(ingress).toEqual([port('http'), port('metrics')]);
    expect(port('http')).toBe(image.port);
  });

  test('let the gateway reach DNS, AWS, PostgreSQL and the agent of EKS Pod Identity only', () => {
    const { egress, policyTypes } = read('network-policy.yaml').spec;
    const ports = egress.map((rule: { ports: { port: number }[] }) =>
      rule.ports.map((each) => each.port),
    );

    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    expect(ports).toEqual([[53, 53], [443], [5432], [80]]);
    expect(egress.every(({ to }: { to?: object[] }) => to?.length)).toBe(true);
  });

  test('let a node be drained', () => {
    const { maxUnavailable } = read('pod-disruption-budget.yaml').spec;

    expect(maxUnavailable).toBeLessThan(deployment.spec.replicas);
  });
});

test('the policies permit everything to administrators and nothing to others', async () => {
  await using policies = await openPolicyDir(folder);
  const permitted = (groups: string[]) =>
    [createOf(), targetOf('ReadTarget')].map(
      (question) => policies.ask(callerIn(groups), question).isPermitted,
    );

  expect(permitted(['administrators'])).toEqual([true, true]);
  expect(permitted(['team-a'])).toEqual([false, false]);
});

describe('Prometheus', () => {
  const monitor = read('pod-monitor.yaml');

  test('scrapes the metrics port, by a PodMonitor that is valid for its operator', () => {
    const { metrics } = readConfig(environment(), readMounted);
    const [endpoint, ...others] = monitor.spec.podMetricsEndpoints;

    expect(() => new PodMonitor(monitor).validate()).not.toThrow();
    expect(others).toEqual([]);
    expect(endpoint).toEqual({ port: 'metrics', path: '/metrics', interval: '30s' });
    expect(metrics).toMatchObject({ host: '0.0.0.0', port: port('metrics') });
  });

  test('gets the alerts as a PrometheusRule that is valid for its operator, with the label that it selects by', () => {
    const page = readFileSync('docs/deploying.md', 'utf8');
    const [, head = ''] = /printf '(apiVersion: .*?)'/.exec(page) ?? [];
    const rules = readFileSync('deploy/prometheus/rules.yaml', 'utf8').replaceAll(/^/gm, '  ');
    const rule = parse(`${head.replaceAll('\\n', '\n')}${rules}`);

    expect(() => new PrometheusRule(rule).validate()).not.toThrow();
    expect(rule.spec.groups.length).toBeGreaterThan(0);
    // By default, kube-prometheus-stack reads only what has the name of its Helm release as this label.
    expect(rule.metadata.labels).toEqual({ release: 'kube-prometheus-stack' });
    expect(monitor.metadata.labels).toEqual(rule.metadata.labels);
    expect(page).toContain('the label `release`');
  });
});
