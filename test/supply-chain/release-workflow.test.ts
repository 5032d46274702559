import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

// npm run check:deploy validates the workflow by GitHub's schema, and looks for security problems in it.

interface Step {
  id?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}

const text = readFileSync('.github/workflows/release.yml', 'utf8');
const { image, publish, test: tests } = parse(text).jobs;

test('the workflow pins each action by its commit, with the version beside it', () => {
  const lines = text.split('\n').filter((line) => /^\s*(?:- )?uses:/.test(line));

  expect(lines.length).toBeGreaterThan(5);
  expect(lines.filter((line) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
});

test('the workflow tests the alerts with promtool, and fails without it', () => {
  const { env } = tests.steps.find(({ run }: Step) => run === '.ci/run');

  expect(env).toEqual({ REQUIRE_PROMTOOL: '1' });
});

/** Runs the step that reads the version, for a tag. Returns its output, or undefined if it fails. */
function readVersionOf(tag: string): string | undefined {
  const { run = '' } = tests.steps.find(({ id }: Step) => id === 'version') ?? {};
  using folder = mkdtempDisposableSync(join(tmpdir(), 'version-'));
  const output = join(folder.path, 'output');
  const { status } = spawnSync('bash', ['-e', '-c', run], {
    env: { ...process.env, GITHUB_REF_NAME: tag, GITHUB_OUTPUT: output },
  });
  return status === 0 ? readFileSync(output, 'utf8') : undefined;
}

test('the workflow publishes the image with the tag that the recipe for Kubernetes names', () => {
  const { newTag } = parse(readFileSync('deploy/kubernetes/kustomization.yaml', 'utf8')).images[0];
  const pushed = image.steps.at(-1).with.tags;
  const { run } = publish.steps.find(({ id }: Step) => id === 'image');

  expect(readVersionOf(`v${newTag}`)).toBe(`version=${newTag}\n`);
  expect(readVersionOf('v99.0.0')).toBeUndefined();
  expect(tests.outputs).toEqual({ version: ref('steps.version.outputs.version') });
  for (const job of [image, publish]) {
    expect(job.needs).toContain('test');
    expect(job.env).toEqual({ VERSION: ref('needs.test.outputs.version') });
  }
  expect(pushed).toBe(`${ref('env.IMAGE')}:${ref('env.VERSION')}-${ref('matrix.architecture')}`);
  expect(run).toContain('--tag "$IMAGE:$VERSION" ');
});

/** An expression of GitHub. */
const ref = (name: string) => `\${{ ${name} }}`;

test('the workflow tests, scans and runs the image of both architectures before it pushes', () => {
  const acts = image.steps.map(({ uses, run, with: options }: Step) =>
    options?.push ? 'push' : (run ?? uses?.replace(/@.*/, '')),
  );
  const architectures = image.strategy.matrix.include.map(
    ({ architecture }: { architecture: string }) => architecture,
  );

  expect(tests.steps.map(({ run }: Step) => run)).toContain('.ci/run');
  expect([image.needs, publish.needs]).toEqual(['test', ['test', 'image']]);
  expect(architectures).toEqual(['amd64', 'arm64']);
  expect(acts.indexOf('anchore/scan-action')).toBeGreaterThan(0);
  expect(acts.findIndex((act: string) => act.startsWith('docker compose up'))).toBeGreaterThan(0);
  expect(acts.indexOf('push')).toBe(acts.length - 1);
});

test('the workflow labels the scanned and the pushed image with repository, commit and time', () => {
  const built = image.steps.filter(({ uses }: Step) =>
    uses?.startsWith('docker/build-push-action@'),
  );
  const [scanned, pushed] = built.map(({ with: options }: Step) => String(options?.labels));

  expect(scanned?.match(/^org\.opencontainers\.image\.\w+/gm)).toEqual([
    'org.opencontainers.image.source',
    'org.opencontainers.image.revision',
    'org.opencontainers.image.created',
  ]);
  expect(pushed).toBe(scanned);
});

test('the workflow signs the provenance and the SBOM of what it publishes', () => {
  const signed = publish.steps
    .filter(({ uses }: Step) => uses?.startsWith('actions/attest-'))
    .map((step: Step) => step.with?.['subject-digest']);

  expect(image.steps.at(-1).with).toMatchObject({ provenance: 'mode=max', sbom: true });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub replaces it
  expect(signed).toEqual(Array(2).fill('${{ steps.image.outputs.digest }}'));
  expect(publish.permissions).toMatchObject({ 'id-token': 'write', attestations: 'write' });
});
