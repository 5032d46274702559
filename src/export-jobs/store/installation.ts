import type { Database } from '#database/database.ts';
import { type Installation, markerPrefix } from '#targets/marker.ts';

/**
 * Makes a reader of the installation that markers are made with. It reads once, and again after a
 * failure.
 */
export function makeInstallationReader({ queries }: Database): () => Promise<Installation> {
  let known: Promise<Installation> | undefined;
  return () => {
    known ??= queries
      .selectFrom('installation')
      .select(['id', 'secret'])
      .executeTakeFirstOrThrow()
      .catch((error) => {
        known = undefined;
        throw error;
      });
    return known;
  };
}

/**
 * Makes the check whether a task name is reserved for the tasks of export jobs. While the database is
 * unreachable the answer is false: the mirror must not depend on it.
 */
export function makeIsMarker(
  readInstallation: () => Promise<Installation>,
): (taskName: string) => Promise<boolean> {
  return (taskName) =>
    readInstallation().then(
      ({ id }) => taskName.startsWith(markerPrefix(id)),
      () => false,
    );
}
