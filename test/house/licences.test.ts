import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { readProductionPackages } from '../supply-chain/production-packages.ts';

// Licences without a duty beyond naming the authors, which the image does: it contains the packages whole.
const allowed = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
];

const packages = readProductionPackages();

test('production packages have only allowed licences', () => {
  const others = packages.filter(({ license }) => !allowed.includes(license));

  expect(packages.length).toBeGreaterThan(50);
  expect(others).toEqual([]);
});

test('docs/licences.md lists each production package with its version and licence', async () => {
  const rows = packages.map(
    ({ name, version, license }) => `| \`${name}\` | ${version} | ${license} |`,
  );
  const page = readFileSync('docs/licences.md', 'utf8');
  const [head = ''] = page.split('\n| `');

  // Update the page: npx vitest run test/house/licences.test.ts -u
  await expect(`${head}\n${rows.join('\n')}\n`).toMatchFileSnapshot('../../docs/licences.md');
});
