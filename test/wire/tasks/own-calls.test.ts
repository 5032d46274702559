import { CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { expect, test } from 'vitest';

import { makeMarker } from '#targets/marker.ts';
import { openWire } from '../open-wire.ts';

test('a create of the service itself is refused, and names the variable that sent it here', async () => {
  await using wire = await openWire();
  const { queries } = wire.database;
  const installation = await queries
    .selectFrom('installation')
    .selectAll()
    .executeTakeFirstOrThrow();
  const own = makeMarker(installation, { jobId: 'job', slice: 0, attempt: 1 }, 'abcdef');
  const create = (taskName: string) =>
    wire.client().send(
      new CreateExportTaskCommand({
        taskName,
        logGroupName: '/app',
        from: 0,
        to: 1,
        destination: 'archive',
      }),
    );

  const refusal = await create(own).catch((error: unknown) => error);
  const ofAnother = await create(own.replace(installation.id, 'another'));
  const { length } = await queries.selectFrom('jobs').select('id').execute();

  expect(refusal).toMatchObject({
    name: 'InvalidParameterException',
    message: expect.stringContaining('AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'),
  });
  expect(ofAnother).toMatchObject({ taskId: expect.any(String) });
  expect(length).toBe(1);
});
