import { describe, expect, test } from 'vitest';

import { commandTable } from '#cli/command-table.ts';
import { bringTo, givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { openWorld, region } from '../world.ts';
import { runCli, wordsOf } from './run-cli.ts';

const exampleId = '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10';

const commands = await Promise.all(
  Object.entries(commandTable).map(async ([name, { load }]) => ({
    name,
    command: await load(),
  })),
);
const examples = commands.flatMap(({ name, command }) =>
  command.examples.map((example) => ({ name, example })),
);

/** A gateway with the log group and the bucket of the examples, and with a job that has ended. */
async function openExampleWorld() {
  const world = await openWorld({ jobs: {} });
  world.emulator.seed.logGroup({ region, logGroupName: '/demo/checkout' });
  world.emulator.seed.bucket({ region, bucket: 'demo-log-archive' });
  const jobId = await givenJob(world.database, 2);
  await bringTo(world.database, jobId, 0, 'completed');
  await bringTo(world.database, jobId, 1, 'failed', sliceProblem('aws-unexpected'));
  return { world, jobId };
}

describe('the help', () => {
  test.each(commands)('of $name has an example that begins with its name', ({ name, command }) => {
    for (const example of command.examples) {
      expect(wordsOf(example).slice(0, 2)).toEqual(['log-export', name]);
    }
  });

  test.each(commands)('of $name fits 80 columns, except for examples', async ({ name }) => {
    const { code, stdout } = await runCli(`help ${name}`);
    const [before = ''] = stdout.split(/^Examples?:$/m);

    expect(code).toBe(0);
    expect(before.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect((await runCli(`${name} --help`)).stdout).toBe(stdout);
  });

  test('lists every command', async () => {
    const { code, stdout } = await runCli('help');

    expect(code).toBe(0);
    for (const { name } of commands) expect(stdout).toContain(`\n  ${name} `);
  });
});

const isWaiting = ({ example }: { example: string }) => example.includes('--wait');

test.each(examples.filter(isWaiting))(
  'runs the example that waits: $example',
  async ({ example }) => {
    const { world } = await openExampleWorld();
    await using _world = world;

    const running = runCli(example, { env: { LOG_EXPORT_URL: world.url } });
    await world.waitFor(() => world.waiting() > 0);
    const { exportJobs } = (await world.call('GET', '/export-jobs?state=waiting')).body;
    const [{ id, sliceCounts }] = exportJobs;
    for (let slice = 0; slice < sliceCounts.waiting; slice += 1) {
      await bringTo(world.database, id, slice, 'completed');
    }
    world.jobChanged(id);
    const { code, stdout } = await running;

    expect(code).toBe(0);
    expect(stdout).toMatch(/ completed: 7 slices\.\n$/);
  },
);

test.each(examples.filter((each) => !isWaiting(each)))(
  'runs the example: $example',
  async ({ name, example }) => {
    const { world, jobId } = await openExampleWorld();
    await using _world = world;
    const verified: string[][] = [];

    const run = await runCli(example.replace(exampleId, jobId), {
      env: { LOG_EXPORT_URL: world.url },
      verifyManifest: async (words) => verified.push(words) - 1,
    });

    const hasFailed = name === 'watch' || name === 'coverage';
    expect(run).toMatchObject({ code: hasFailed ? 1 : 0 });
    expect(run.stdout + run.stderr).not.toMatch(/undefined|NaN|\[object/);
    expect(verified.length).toBe(name === 'verify' ? 1 : 0);
  },
);
