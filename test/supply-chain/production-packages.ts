import { readFileSync } from 'node:fs';

/** A package that the image contains. */
export interface ProductionPackage {
  name: string;
  version: string;
  license: string;
}

interface LockedPackage {
  version?: string;
  license?: string;
  dev?: true;
  optional?: true;
  devOptional?: true;
  link?: true;
}

/** Reads the packages of production from the lock file, each version once, sorted by name and version. */
export function readProductionPackages(): ProductionPackage[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const found = new Map<string, ProductionPackage>();
  for (const [path, locked] of Object.entries(packages)) {
    const { version = '', license = '', dev, optional, devOptional, link } = locked;
    const name = path.replace(/^.*node_modules\//, '');
    if (name === path || dev || optional || devOptional || link) continue;
    found.set(`${name}@${version}`, { name, version, license });
  }
  return [...found.keys()].sort().map((key) => found.get(key) as ProductionPackage);
}
