import type { GatewayOptions } from '../../gateway.ts';
import type { World } from '../../scale.ts';

/** A storage backend of export jobs, and the settings of a gateway for an empty one. */
export type StorageBackend = readonly [
  name: string,
  openStorage: (world: World) => Promise<GatewayOptions>,
];

/** The storage in a file. */
export const sqlite: StorageBackend = ['SQLite', async () => ({})];

/** The storage that replicas share. */
export const postgres: StorageBackend = [
  'PostgreSQL',
  async ({ databases }) => ({ databaseUrl: await databases.create() }),
];

/** Both. */
export const storageBackends: readonly StorageBackend[] = [sqlite, postgres];
