import type { GatewayDifferences } from '../../gateway.ts';
import type { World } from '../../scale.ts';

/** The two storageBackends of export jobs, and how a gateway is told of one that is empty. */
export const storageBackends: [
  name: string,
  openStorage: (world: World) => Promise<GatewayDifferences>,
][] = [
  ['SQLite', async () => ({})],
  ['PostgreSQL', async ({ databases }) => ({ databaseUrl: await databases.create() })],
];
