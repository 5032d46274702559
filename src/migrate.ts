import { migrateDatabase } from '#database/database.ts';
import { readJobsConfig } from './config.ts';
import { exit, exitWith } from './exit.ts';

const config = exitWith(() => readJobsConfig(process.env));
const applied = config ? await migrateDatabase(config).catch(exit) : [];
const said = config
  ? applied.map((name) => `Applied ${name}.`)
  : ['EXPORT_JOBS is off: no tables.'];
if (config && applied.length === 0) said.push('The tables are up to date.');
process.stdout.write(`${said.join('\n')}\n`);
