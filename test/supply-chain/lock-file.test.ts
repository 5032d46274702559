import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockedPackage {
  integrity?: string;
  resolved?: string;
  link?: true;
}

const { packages, lockfileVersion } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, LockedPackage>;
  lockfileVersion: number;
};
const workspaces: string[] = JSON.parse(readFileSync('package.json', 'utf8')).workspaces;
const installed = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && !link,
);

test('the lock file pins each package by its SHA-512', () => {
  const unpinned = installed.filter(
    ([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''),
  );

  expect(lockfileVersion).toBe(3);
  expect(installed.length).toBeGreaterThan(100);
  expect(unpinned.map(([path]) => path)).toEqual([]);
});

test('the lock file names no host, so every package comes from the registry of npm', () => {
  const elsewhere = Object.entries(packages).filter(
    ([, { resolved, link }]) => resolved !== undefined && !(link && workspaces.includes(resolved)),
  );

  expect(readFileSync('.npmrc', 'utf8')).toContain('omit-lockfile-registry-resolved=true');
  expect(elsewhere).toEqual([]);
});

test('the lock file has only the workspaces beside the installed packages', () => {
  const others = Object.keys(packages).filter((path) => !path.includes('node_modules/'));

  expect(others.sort()).toEqual(['', ...workspaces].sort());
});

test('every direct dependency has an exact version', () => {
  const { dependencies, devDependencies, optionalDependencies } = packages[''] as Record<
    string,
    Record<string, string>
  >;
  const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });

  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});
