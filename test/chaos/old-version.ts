import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The files of an earlier version of this project, in a folder of their own. */
export interface OldVersion extends Disposable {
  revision: string;
  /** The path of its `replica.ts`. */
  replicaScript: string;
}

const project = fileURLToPath(new URL('../..', import.meta.url));
const git = (...args: string[]) =>
  execFileSync('git', ['-C', project, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();

/**
 * Takes an earlier version from the history of git. Default: the one before the newest migration. It uses
 * the packages of this version.
 * @throws an error if the history has no such revision, as in a shallow clone
 */
export function openOldVersion(revision = revisionBeforeNewestMigration()): OldVersion {
  const folder = mkdtempSync(join(tmpdir(), 'log-export-gateway-old-'));
  const archive = join(folder, 'old.tar');
  git('archive', '--format=tar', `--output=${archive}`, revision);
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  return {
    revision,
    replicaScript: join(folder, 'test/chaos/replica.ts'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

function revisionBeforeNewestMigration(): string {
  const newest = git(
    'log',
    '-1',
    '--diff-filter=A',
    '--format=%H',
    '--',
    'src/database/migrations',
  );
  return git('rev-parse', '--verify', `${newest}^`);
}
