import { type JobsConfig, readJobsConfig } from '#config/read-config.ts';
import { migrateDatabase } from '#database/open-database.ts';
import { isUnavailable } from '#database/unavailable-problem.ts';
import { configError } from '#problems/config-error.ts';
import { exit, exitWith } from './exit.ts';

const config = exitWith(() => readJobsConfig(process.env));
const sentences = config
  ? await migrate(config).catch(exit)
  : ['EXPORT_JOBS is off; there are no tables to migrate.'];
process.stdout.write(`${sentences.join('\n')}\n`);

async function migrate(jobs: JobsConfig): Promise<string[]> {
  const applied = await migrateDatabase(jobs).catch((error) => {
    if (!isUnavailable(error)) throw error;
    const { message } = error.cause as Error;
    throw configError(`DATABASE_URL names a database that does not answer (${message}).`);
  });
  return applied.length > 0
    ? applied.map((name) => `Applied ${name}.`)
    : ['The tables are up to date.'];
}
