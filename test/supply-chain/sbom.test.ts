import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

import { readProductionPackages } from './production-packages.ts';

// npm run check:deploy validates it by the schema of CycloneDX.
test('npm run sbom lists the service with exactly its production packages', () => {
  const { stdout } = spawnSync(process.execPath, ['test/supply-chain/write-sbom.ts'], {
    encoding: 'utf8',
  });
  const { metadata, components } = JSON.parse(stdout) as {
    metadata: { component: { name: string } };
    components: { name: string; version: string; hashes: object[]; licenses: object[] }[];
  };

  expect(metadata.component.name).toBe('log-export-gateway');
  expect(components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(
    readProductionPackages().map(({ name, version }) => `${name}@${version}`),
  );
  expect(components.filter(({ hashes, licenses }) => !hashes.length || !licenses.length)).toEqual(
    [],
  );
});
