import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

// npm run check:deploy validates the workflow by GitHub's schema, and looks for security problems in it.

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

const text = readFileSync('.github/workflows/release.yml', 'utf8');
const { image, publish, test: tests } = parse(text).jobs;

test('the workflow pins each action by its commit, with the version beside it', () => {
  const lines = text.split('\n').filter((line) => /^\s*(?:- )?uses:/.test(line));

  expect(lines.length).toBeGreaterThan(5);
  expect(lines.filter((line) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
});

test('the workflow tests, scans and runs the image of both architectures before it pushes', () => {
  const acts = image.steps.map(({ uses, run, with: options }: Step) =>
    options?.push ? 'push' : (run ?? uses?.replace(/@.*/, '')),
  );
  const architectures = image.strategy.matrix.include.map(
    ({ architecture }: { architecture: string }) => architecture,
  );

  expect(tests.steps.map(({ run }: Step) => run)).toContain('.ci/run');
  expect([image.needs, publish.needs]).toEqual(['test', 'image']);
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
