import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { logGroupName, openBench, sendLogs, sendRaw, startAt } from '../bench.ts';

const bare = (type: string) => ({ status: 400, text: `{"__type":"${type}"}` });
const refused = (type: string, message: string) => ({
  status: 400,
  text: JSON.stringify({ __type: type, message }),
});
const broken = (value: string, member: string, constraint: string) =>
  `Value ${value} at '${member}' failed to satisfy constraint: ${constraint}`;
const once = (text: string) =>
  refused('InvalidParameterException', `1 validation error detected: ${text}`);

/** Sends CreateExportTask with one good input, changed. */
async function create(changes: Record<string, unknown>) {
  await using bench = await openBench();
  const json = JSON.stringify({ ...bench.order, ...changes });
  return await sendLogsOnce(bench.emulator.url, 'CreateExportTask', json);
}

async function sendLogsOnce(url: string, operation: string, json: string) {
  const { status, text } = await sendLogs(url, operation, json);
  return { status, text };
}

async function describeTasks(json: string) {
  await using bench = await openBench();
  return await sendLogsOnce(bench.emulator.url, 'DescribeExportTasks', json);
}

describe('awsJson1_1', () => {
  it('answers with its content type, a request id and the date of its own clock', async () => {
    await using bench = await openBench();

    const { headers } = await sendLogs(bench.emulator.url, 'DescribeExportTasks', '{}');

    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('date')).toBe(new Date(startAt).toUTCString());
  });

  it.each(['', '{', '[', '"text"', 'null', '{"limit":1}}'])(
    'answers a bare SerializationException to the body %j',
    async (body) => {
      expect(await describeTasks(body)).toEqual(bare('SerializationException'));
    },
  );

  it.each(['Logs_20140328.Nothing', 'DescribeExportTasks', 'Other_1.DescribeExportTasks'])(
    'answers a bare UnknownOperationException to the target %s',
    async (target) => {
      await using bench = await openBench();
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };

      expect(await sendRaw(bench.emulator.url, '{}', { headers })).toMatchObject(
        bare('UnknownOperationException'),
      );
    },
  );

  it.each(['application/x-amz-json-1.0', 'application/json', 'text/plain'])(
    'answers 404 in XML to the content type %s',
    async (contentType) => {
      await using bench = await openBench();
      const target = 'Logs_20140328.DescribeExportTasks';
      const headers = { 'content-type': contentType, 'x-amz-target': target };

      const answer = await sendRaw(bench.emulator.url, '{}', { headers });

      expect(answer.status).toBe(404);
      expect(answer.text).toContain('<UnknownOperationException');
    },
  );

  it('answers 400 to a request without signature', async () => {
    await using bench = await openBench();
    const headers = {
      authorization: '',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.DescribeExportTasks',
    };

    const { status, text } = await sendRaw(bench.emulator.url, '{}', { headers });

    expect({ status, text }).toEqual(
      refused('MissingAuthenticationTokenException', 'Missing Authentication Token'),
    );
  });

  it('reads a body that comes after 100-continue, and forgets one that is cut off', async () => {
    await using bench = await openBench();
    const head = [
      'POST / HTTP/1.1',
      'Host: x',
      'Content-Type: application/x-amz-json-1.1',
      'X-Amz-Target: Logs_20140328.DescribeExportTasks',
      'Authorization: AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0',
      'Content-Length: 2',
    ];
    const cut = connect(bench.emulator.port, '127.0.0.1');
    cut.end([...head, '', '{'].join('\r\n'));
    await new Promise((resolve) => cut.on('close', resolve).resume());

    const socket = connect(bench.emulator.port, '127.0.0.1');
    socket.write([...head, 'Expect: 100-continue', 'Connection: close', '', ''].join('\r\n'));
    let received = '';
    for await (const chunk of socket) {
      if (received === '') socket.write('{}');
      received += chunk;
    }

    expect(received).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
    expect(received).toContain('{"exportTasks":[]}');
    expect(bench.emulator.journal.entries()).toHaveLength(1);
  });
});

describe('types are checked before constraints', () => {
  it.each([
    ['{"limit":"5"}', 'STRING_VALUE can not be converted to an Integer'],
    ['{"limit":true}', 'TRUE_VALUE can not be converted to an Integer'],
    ['{"limit":false}', 'FALSE_VALUE can not be converted to an Integer'],
    ['{"limit":[1]}', 'Start of list found where not expected'],
    ['{"limit":{}}', 'Start of structure or map found where not expected.'],
    ['{"limit":2147483648}', 'NUMBER_VALUE can not be converted to an Integer'],
    ['{"taskId":7}', 'NUMBER_VALUE can not be converted to a String'],
    ['{"taskId":true}', 'TRUE_VALUE can not be converted to a String'],
    ['{"taskId":"","limit":"5"}', 'STRING_VALUE can not be converted to an Integer'],
    ['[]', 'Start of list found where not expected'],
  ])('%s', async (json, message) => {
    expect(await describeTasks(json)).toEqual(refused('SerializationException', message));
  });

  it.each([
    ['"1"', 'STRING_VALUE can not be converted to a Long'],
    ['1e21', 'NUMBER_VALUE can not be converted to a Long'],
    ['9223372036854775808', 'NUMBER_VALUE can not be converted to a Long'],
    ['-9223372036854775809', 'NUMBER_VALUE can not be converted to a Long'],
  ])('from: %s', async (from, message) => {
    await using bench = await openBench();
    const json = JSON.stringify({ ...bench.order, from: 0 }).replace('"from":0', `"from":${from}`);

    expect(await sendLogsOnce(bench.emulator.url, 'CreateExportTask', json)).toEqual(
      refused('SerializationException', message),
    );
  });

  it('truncates a fraction where an integer is wanted', async () => {
    await using bench = await openBench();
    const json = JSON.stringify({ ...bench.order, from: 1.5, to: 2.9 });

    const created = await sendLogs(bench.emulator.url, 'CreateExportTask', json);
    const { text } = await sendLogs(bench.emulator.url, 'DescribeExportTasks', '{"limit":1.5}');

    expect(created.status).toBe(200);
    expect(text).toContain('"from":1,"to":2,');
  });

  it('takes null for absent and ignores unknown members', async () => {
    expect(await describeTasks('{"taskId":null,"limit":null,"colour":7}')).toMatchObject({
      status: 200,
    });
  });
});

describe('constraints', () => {
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
    expect(await create(changes)).toEqual(once(text));
  });

  it('joins several violations into one message', async () => {
    const violations = [
      broken("''", 'logGroupName', length('greater', 1)),
      broken("''", 'logGroupName', groupPattern),
      broken("'-1'", 'to', 'Member must have value greater than or equal to 0'),
    ];

    expect(await create({ logGroupName: '', to: -1 })).toEqual(
      refused(
        'InvalidParameterException',
        `3 validation errors detected: ${violations.join('; ')}`,
      ),
    );
  });

  it('accepts names at their limits and any destinationPrefix', async () => {
    await using bench = await openBench();
    const longest = 'g'.repeat(512);
    bench.emulator.seed.logGroup({ logGroupName: longest });

    const json = JSON.stringify({
      ...bench.order,
      logGroupName: longest,
      taskName: 't'.repeat(512),
      destinationPrefix: 'p'.repeat(2000),
    });

    expect(await sendLogsOnce(bench.emulator.url, 'CreateExportTask', json)).toMatchObject({
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
    expect(await describeTasks(json)).toEqual(once(text));
  });

  it('CancelExportTask without taskId', async () => {
    await using bench = await openBench();

    expect(await sendLogsOnce(bench.emulator.url, 'CancelExportTask', '{}')).toEqual(
      once(broken('null', 'taskId', 'Member must not be null')),
    );
  });

  it('counts the members of a list from 1', async () => {
    await using bench = await openBench();
    const input = { logGroupName, logStreamName: 's', logEvents: [{ timestamp: 1, message: '' }] };

    const answer = await sendLogsOnce(bench.emulator.url, 'PutLogEvents', JSON.stringify(input));

    expect(answer).toEqual(once(broken("''", 'logEvents.1.member.message', length('greater', 1))));
  });

  it('wants a list where a list belongs, and structures in it', async () => {
    await using bench = await openBench();
    const put = (logEvents: unknown) =>
      sendLogsOnce(
        bench.emulator.url,
        'PutLogEvents',
        JSON.stringify({ logGroupName, logStreamName: 's', logEvents }),
      );

    expect(await put('x')).toEqual(refused('SerializationException', 'Expected list or null'));
    expect(await put(['x'])).toEqual(
      refused('SerializationException', 'Expected structure or null'),
    );
    expect(await put([])).toMatchObject({
      text: expect.stringContaining('length greater than or equal to 1'),
    });
  });
});
