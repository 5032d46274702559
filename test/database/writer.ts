import { openDatabase } from '#database/open-database.ts';
import { patientLimits } from '../ready-database.ts';

// Writes rows until it is killed, each in a transaction, and prints each confirmed one.
const [dataDir = '', databaseUrl] = process.argv.slice(2);
const database = await openDatabase({
  dataDir,
  limits: patientLimits,
  ...(databaseUrl && { databaseUrl }),
});
await database.whenMigrated;
for (let number = 0; ; number += 1) {
  const row = { caller: 'writer', key: String(number), digest: '', jobId: '', createdAt: number };
  await database.transaction((queries) =>
    queries.insertInto('idempotencyKeys').values(row).execute(),
  );
  process.stdout.write(`${number}\n`);
}
