import type { Database } from './database.ts';

/**
 * Waits until the tables of a database are up to date, or the signal aborts. If they can never be, it waits for the
 * signal: the failure goes to those who start the service.
 */
export async function untilMigrated(
  { whenMigrated }: Pick<Database, 'whenMigrated'>,
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise((resolve) =>
    signal.addEventListener('abort', resolve, { once: true }),
  );
  await Promise.race([whenMigrated.catch(() => stopped), stopped]);
}
