import { expect, test } from 'vitest';
import type { Principal } from '#auth/principal.ts';
import { as } from '../access.ts';
import { makeRandom } from '../random.ts';
import { createBody, openWorld, region } from '../world.ts';
import { accessBy, callerIn, makePolicyFolder } from './policy-folder.ts';

// The long form: CALLERS=20 npx vitest run test/auth/matrix.test.ts
const { CALLERS = '6' } = process.env;
const seed = Math.floor(Math.random() * 2 ** 31);

// Names with the same beginning, and names that differ only in case.
const logGroupNames = Array.from({ length: 50 }, (_, number) =>
  number % 2 === 0 ? `/app/${number}` : `/APP/${number - 1}`,
);
const buckets = ['archive', 'archive-2', 'archive.eu'];
const names = Array.from({ length: Number(CALLERS) }, (_, number) => `caller-${number}`);
const callers = Object.fromEntries(
  names.map((name, number) => [
    name,
    // Odd numbers have another issuer, which has a group of the same name.
    callerIn([`group-${number - (number % 2)}`], {
      subject: name,
      ...(number % 2 === 1 && { issuer: 'https://issuer.example' }),
    }),
  ]),
);

interface Cell {
  name: string;
  logGroupName: string;
  bucket: string;
}

const cells: Cell[] = names.flatMap((name) =>
  logGroupNames.flatMap((logGroupName) =>
    buckets.map((bucket) => ({ name, logGroupName, bucket })),
  ),
);
const random = makeRandom(seed);
const permitted = new Set(cells.filter(() => random() < 0.3));

/** One row of the table: a caller and a bucket, as one of three kinds of policy. */
function policyOf(name: string, bucket: string, way: number): string {
  const { id, issuer, groups } = callers[name] as Principal;
  const granted = [...permitted].filter((cell) => cell.name === name && cell.bucket === bucket);
  const texts = granted.map(({ logGroupName }) => JSON.stringify(logGroupName)).join(', ');
  const arns = granted
    .map(
      ({ logGroupName }) =>
        `LogGroup::"arn:aws:logs:${region}:123456789012:log-group:${logGroupName}"`,
    )
    .join(', ');
  const caller = `principal == Caller::${JSON.stringify(id)}`;
  const group = `principal in Group::${JSON.stringify(`${issuer}#${groups[0]}`)}`;
  const isBucket = `context.destination == ${JSON.stringify(bucket)}`;
  if (granted.length === 0) return '';
  if (way === 0) {
    return `permit(${caller}, action == Action::"CreateExportTask", resource)
      when { ${isBucket} && [${texts}].contains(resource.name) };`;
  }
  if (way === 1) {
    return `permit(${group}, action == Action::"CreateExportTask", resource)
      when { ${isBucket} && [${arns}].contains(resource) };`;
  }
  return `permit(${caller}, action in Action::"create", resource is LogGroup) when { ${isBucket} };
    forbid(${group}, action, resource is LogGroup)
      when { context has destination && ${isBucket} } unless { [${texts}].contains(resource.name) };`;
}

test(`sends AWS exactly what the table permits, for ${CALLERS} callers × 50 log groups × 3 buckets (seed ${seed})`, async () => {
  const policies = names.flatMap((name, number) =>
    buckets.map((bucket, which) => policyOf(name, bucket, (number + which) % 3)),
  );
  using folder = makePolicyFolder({ 'table.cedar': policies.join('\n') });
  await using world = await openWorld({
    emulator: { activeTaskLimit: cells.length },
    access: accessBy(folder.path, callers),
  });
  for (const logGroupName of logGroupNames) world.emulator.seed.logGroup({ region, logGroupName });
  for (const bucket of buckets) {
    if (bucket !== createBody.destination) world.emulator.seed.bucket({ region, bucket });
  }
  const taskNameOf = ({ name, logGroupName, bucket }: Cell) => `${name} ${logGroupName} ${bucket}`;
  const answers = new Map<Cell, string>();
  const left = cells.values();
  const ask = async () => {
    for (const cell of left) {
      const { name, logGroupName, bucket: destination } = cell;
      const body = { ...createBody, taskName: taskNameOf(cell), logGroupName, destination };
      const { status, body: answer } = await world.call('POST', '/export-tasks', body, as(name));
      answers.set(cell, `${status} ${answer.type ?? 'created'}`);
    }
  };

  await Promise.all(Array.from({ length: 10 }, ask));

  const wrong = cells.filter(
    (cell) =>
      answers.get(cell) !== (permitted.has(cell) ? '201 created' : '403 /problems/not-permitted'),
  );
  expect(wrong).toEqual([]);
  expect(
    world
      .creates()
      .map(({ input }) => (input as { taskName: string }).taskName)
      .sort(),
  ).toEqual([...permitted].map(taskNameOf).sort());
  expect(world.audit.filter(({ decision }) => decision === 'permit')).toHaveLength(permitted.size);
  expect(world.audit.filter(({ decision }) => decision === 'forbid')).toHaveLength(
    cells.length - permitted.size,
  );
});
