import type { GatewayOptions } from '../../gateway.ts';
import type { World } from '../../scale.ts';

/** The storage backends of export jobs, and the settings of a gateway for an empty one. */
export const storageBackends: [
  name: string,
  openStorage: (world: World) => Promise<GatewayOptions>,
][] = [
  ['SQLite', async () => ({})],
  ['PostgreSQL', async ({ databases }) => ({ databaseUrl: await databases.create() })],
];
