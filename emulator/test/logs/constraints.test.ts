import { describe, expect, it } from 'vitest';
import { logGroupName, openAws, refused, sendLogs } from '../aws.ts';

const broken = (value: string, member: string, constraint: string) =>
  `Value ${value} at '${member}' failed to satisfy constraint: ${constraint}`;
const once = (text: string) =>
  refused('InvalidParameterException', `1 validation error detected: ${text}`);

/** Sends a valid input of CreateExportTask, with changes. */
async function create(changes: Record<string, unknown>) {
  await using aws = await openAws();
  const json = JSON.stringify({ ...aws.order, ...changes });
  return await sendLogs(aws.emulator.url, 'CreateExportTask', json);
}

async function describeTasks(json: string) {
  await using aws = await openAws();
  return await sendLogs(aws.emulator.url, 'DescribeExportTasks', json);
}

describe("a violated constraint has AWS's message", () => {
  const name = { min: "'' at 'taskName'", long: 'x'.repeat(513) };
  const length = (relation: string, bound: number) =>
    `Member must have length ${relation} than or equal to ${bound}`;
  const groupPattern = 'Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+';

  it.each([
    [{ logGroupName: undefined }, broken('null', 'logGroupName', 'Member must not be null')],
    [{ from: null }, broken('null', 'from', 'Member must not be null')],
    [{ to: undefined }, broken('null', 'to', 'Member must not be null')],
    [{ destination: undefined }, broken('null', 'destination', 'Member must not be null')],
    [{ taskName: '' }, broken("''", 'taskName', length('greater', 1))],
    [{ taskName: name.long }, broken(`'${name.long}'`, 'taskName', length('less', 512))],
    [{ destination: '' }, broken("''", 'destination', length('greater', 1))],
    [{ destination: name.long }, broken(`'${name.long}'`, 'destination', length('less', 512))],
    [{ logGroupName: name.long }, broken(`'${name.long}'`, 'logGroupName', length('less', 512))],
    [{ logGroupName: 'a b' }, broken("'a b'", 'logGroupName', groupPattern)],
    [{ logGroupName: 'ok\n' }, broken("'ok\n'", 'logGroupName', groupPattern)],
    [
      { logStreamNamePrefix: 'a:b' },
      broken(
        "'a:b'",
        'logStreamNamePrefix',
        'Member must satisfy regular expression pattern: [^:*]*',
      ),
    ],
    [{ from: -1 }, broken("'-1'", 'from', 'Member must have value greater than or equal to 0')],
  ])('CreateExportTask with %o', async (changes, text) => {
    expect(await create(changes)).toMatchObject(once(text));
  });

  it('joins several violations into one message', async () => {
    const violations = [
      broken("''", 'logGroupName', length('greater', 1)),
      broken("''", 'logGroupName', groupPattern),
      broken("'-1'", 'to', 'Member must have value greater than or equal to 0'),
    ];

    expect(await create({ logGroupName: '', to: -1 })).toMatchObject(
      refused(
        'InvalidParameterException',
        `3 validation errors detected: ${violations.join('; ')}`,
      ),
    );
  });

  it('accepts names at their limits', async () => {
    await using aws = await openAws();
    const longest = 'g'.repeat(512);
    aws.emulator.seed.logGroup({ logGroupName: longest });

    const json = JSON.stringify({
      ...aws.order,
      logGroupName: longest,
      taskName: 't'.repeat(512),
      destinationPrefix: 'p'.repeat(1024 - '/aws-logs-write-test'.length),
    });

    expect(await sendLogs(aws.emulator.url, 'CreateExportTask', json)).toMatchObject({
      status: 200,
    });
  });

  it.each([
    ['{"limit":0}', broken("'0'", 'limit', 'Member must have value greater than or equal to 1')],
    ['{"limit":51}', broken("'51'", 'limit', 'Member must have value less than or equal to 50')],
    ['{"taskId":""}', broken("''", 'taskId', length('greater', 1))],
    ['{"nextToken":""}', broken("''", 'nextToken', length('greater', 1))],
    [
      '{"statusCode":"DONE"}',
      broken(
        "'DONE'",
        'statusCode',
        'Member must satisfy enum value set: [CANCELLED, COMPLETED, FAILED, PENDING, PENDING_CANCEL, RUNNING]',
      ),
    ],
  ])('DescribeExportTasks with %s', async (json, text) => {
    expect(await describeTasks(json)).toMatchObject(once(text));
  });

  it('CancelExportTask without taskId', async () => {
    await using aws = await openAws();

    expect(await sendLogs(aws.emulator.url, 'CancelExportTask', '{}')).toMatchObject(
      once(broken('null', 'taskId', 'Member must not be null')),
    );
  });

  it('counts the members of a list from 1', async () => {
    await using aws = await openAws();
    const input = { logGroupName, logStreamName: 's', logEvents: [{ timestamp: 1, message: '' }] };

    const answer = await sendLogs(aws.emulator.url, 'PutLogEvents', JSON.stringify(input));

    expect(answer).toMatchObject(
      once(broken("''", 'logEvents.1.member.message', length('greater', 1))),
    );
  });

  it('rejects other types for a list and for its members', async () => {
    await using aws = await openAws();
    const put = (logEvents: unknown) =>
      sendLogs(
        aws.emulator.url,
        'PutLogEvents',
        JSON.stringify({ logGroupName, logStreamName: 's', logEvents }),
      );

    expect(await put('x')).toMatchObject(
      refused('SerializationException', 'Expected list or null'),
    );
    expect(await put(['x'])).toMatchObject(
      refused('SerializationException', 'Expected structure or null'),
    );
    expect(await put([])).toMatchObject({
      text: expect.stringContaining('length greater than or equal to 1'),
    });
  });
});
