import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// npm run sbom: prints the packages of production as CycloneDX. It gives `npm sbom` a project that has no
// other packages: with --omit dev, npm also omits packages of production that some other package uses.

const { devDependencies, optionalDependencies, workspaces, ...project } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const packages = Object.fromEntries(
  Object.entries<Record<string, unknown>>(lock.packages)
    .filter(([path]) => path.startsWith('node_modules/'))
    .filter(
      ([, { dev, optional, devOptional, link }]) => !(dev || optional || devOptional || link),
    ),
);

using folder = mkdtempDisposableSync(join(tmpdir(), 'sbom-'));
const cwd = join(folder.path, project.name); // npm takes the name of the application from the folder
mkdirSync(cwd);
writeFileSync(join(cwd, 'package.json'), JSON.stringify(project));
writeFileSync(
  join(cwd, 'package-lock.json'),
  JSON.stringify({ ...lock, packages: { '': project, ...packages } }),
);
const options = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const { status } = spawnSync('npm', ['sbom', ...options], { cwd, stdio: 'inherit' });
process.exitCode = status ?? 1;
