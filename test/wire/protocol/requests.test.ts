import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { isAwsError } from '#wire/protocol/aws-error.ts';
import {
  readCancelExportTask,
  readCreateExportTask,
  readDescribeExportTasks,
  readDescribeLogGroups,
} from '#wire/protocol/requests.ts';

/** Reads a JSON text; returns what was read, or the code and the text of the error. */
function attempt(read: (body: Buffer) => unknown, body: string | Buffer): unknown {
  try {
    return read(Buffer.from(body));
  } catch (error) {
    if (!isAwsError(error as Error)) throw error;
    const { code, text, status } = error as never;
    return [code, text, status];
  }
}

const required = { logGroupName: '/app', from: 1, to: 2, destination: 'archive' };
const create = (members: object | string) =>
  attempt(
    readCreateExportTask,
    typeof members === 'string' ? members : JSON.stringify({ ...required, ...members }),
  );
/** A create whose `from` is this JSON text. */
const createFrom = (text: string) =>
  create(JSON.stringify({ ...required, from: '?' }).replace('"?"', text));
const serialization = (text?: string) => ['SerializationException', text, 400];
const invalid = (text: string) => ['InvalidParameterException', text, 400];
const violated = (text: string) => invalid(`1 validation error detected: Value ${text}`);

describe('the parameters of a create', () => {
  test('are read as they are, without unknown members and null', () => {
    const given = {
      ...required,
      taskName: 'naïve “task” 💥',
      logStreamNamePrefix: '[$LATEST]',
      destinationPrefix: '',
      clientToken: ['unknown'],
    };

    expect(create(given)).toEqual({
      ...required,
      from: 1n,
      to: 2n,
      taskName: 'naïve “task” 💥',
      logStreamNamePrefix: '[$LATEST]',
      destinationPrefix: '',
    });
    expect(create({ taskName: null, destinationPrefix: null })).toEqual({
      ...required,
      from: 1n,
      to: 2n,
    });
  });

  test.each([
    ['0', 0n],
    ['-0', 0n],
    ['9007199254740993', 9007199254740993n],
    ['1152921504606846976', 2n ** 60n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['1.5', 1n],
    ['9007199254740993.9', 9007199254740993n],
    ['1e3', 1_000n],
    ['1.5E+3', 1_500n],
    ['1e-3', 0n],
  ])('have the exact integer of %s', (text, from) => {
    expect(createFrom(text)).toMatchObject({ from });
  });

  test.each([
    '9223372036854775808',
    '1e19',
    '1e+21',
    '1e999',
    '-9223372036854775809',
    '9'.repeat(60_000),
  ])('are rejected with an integer beyond 64 bits (case %#)', (text) => {
    expect(createFrom(text)).toEqual(serialization('NUMBER_VALUE can not be converted to a Long'));
  });

  test.each<[object, string]>([
    [{ from: '1' }, 'STRING_VALUE can not be converted to a Long'],
    [{ from: 'NaN' }, 'STRING_VALUE can not be converted to a Long'],
    [{ from: true }, 'TRUE_VALUE can not be converted to a Long'],
    [{ from: [1] }, 'Start of list found where not expected'],
    [{ from: { digits: '1' } }, 'Start of structure or map found where not expected.'],
    [{ taskName: 1 }, 'NUMBER_VALUE can not be converted to a String'],
    [{ taskName: false }, 'FALSE_VALUE can not be converted to a String'],
    [{ taskName: {} }, 'Start of structure or map found where not expected.'],
  ])('are rejected with a wrong type: %o', (members, text) => {
    expect(create(members)).toEqual(serialization(text));
  });

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['a cut text', '{"from":1'],
    ['two values', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['a text', '"a"'],
    ['a number', '1'],
    ['null', 'null'],
  ])('are rejected without a text if the body is %s', (_what, body) => {
    expect(attempt(readCreateExportTask, body)).toEqual(serialization());
  });

  test('are rejected if the body is a list', () => {
    expect(create('[]')).toEqual(serialization('Start of list found where not expected'));
  });

  test('are checked for types before constraints', () => {
    expect(create({ logGroupName: '', from: '1' })).toEqual(
      serialization('STRING_VALUE can not be converted to a Long'),
    );
  });

  test.each<[object, string]>([
    [
      { logGroupName: null },
      "null at 'logGroupName' failed to satisfy constraint: Member must not be null",
    ],
    [
      { logGroupName: 'arn:aws:logs' },
      String.raw`'arn:aws:logs' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`,
    ],
    [
      { destination: 'x'.repeat(513) },
      `'${'x'.repeat(513)}' at 'destination' failed to satisfy constraint: Member must have length less than or equal to 512`,
    ],
    [
      { destinationPrefix: 'é'.repeat(513) },
      `'${'é'.repeat(513)}' at 'destinationPrefix' failed to satisfy constraint: Member must have length less than or equal to 1024`,
    ],
    [
      { taskName: '' },
      "'' at 'taskName' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      { from: -1 },
      "'-1' at 'from' failed to satisfy constraint: Member must have value greater than or equal to 0",
    ],
    [
      { logStreamNamePrefix: 'a*' },
      "'a*' at 'logStreamNamePrefix' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*",
    ],
    [
      { taskName: 'a\0' },
      String.raw`'a${'\0'}' at 'taskName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^\p{Cc}\p{Cs}]*`,
    ],
  ])('are rejected with the constraint that they violate (case %#)', (members, text) => {
    expect(create(members)).toEqual(violated(text));
  });

  test('are rejected with all violated constraints at once', () => {
    expect(create('{"from":-1}')).toEqual(
      invalid(
        "4 validation errors detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null; Value '-1' at 'from' failed to satisfy constraint: Member must have value greater than or equal to 0; Value null at 'to' failed to satisfy constraint: Member must not be null; Value null at 'destination' failed to satisfy constraint: Member must not be null",
      ),
    );
  });

  test('may be in any order, far ahead and in seconds', () => {
    expect(create({ from: 1715918400, to: 1 })).toMatchObject({ from: 1715918400n, to: 1n });
    expect(create('{"logGroupName":"a","destination":"b","from":2,"to":1,"from":3}')).toMatchObject(
      { from: 3n },
    );
  });

  test('keep all digits of every 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 63n - 1n), (from) => {
        expect(createFrom(String(from))).toMatchObject({ from });
      }),
    );
  });
});

test('any other body is rejected in the words of AWS', () => {
  const names = ['taskId', 'from', 'limit', 'logGroupName', 'logGroupIdentifiers', 'statusCode'];
  const anyMembers = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 2 }));
  const anyBody = fc.oneof(
    anyMembers.map((members) => JSON.stringify(members)),
    fc.json(),
    fc.string({ unit: 'binary' }),
  );
  const readers = [
    readCreateExportTask,
    readDescribeExportTasks,
    readCancelExportTask,
    readDescribeLogGroups,
  ];
  fc.assert(
    fc.property(anyBody, (body) => {
      for (const read of readers) attempt(read, body);
    }),
  );
});

test('deep nesting is rejected before it is followed', () => {
  for (const body of ['['.repeat(60_000), '{"a":'.repeat(12_000)]) {
    expect(() => readCancelExportTask(Buffer.from(body))).toThrow('body-too-large');
  }
});

describe('the parameters of a describe', () => {
  const describeTasks = (members: object) =>
    attempt(readDescribeExportTasks, JSON.stringify(members));

  test('are all optional', () => {
    expect(describeTasks({})).toEqual({});
    const given = { taskId: 'any', statusCode: 'PENDING_CANCEL', nextToken: 't', limit: 50 };
    expect(describeTasks(given)).toEqual(given);
  });

  test.each<[object, string]>([
    [
      { limit: 51 },
      "'51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
    ],
    [
      { limit: 0 },
      "'0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      { statusCode: 'DONE' },
      "'DONE' at 'statusCode' failed to satisfy constraint: Member must satisfy enum value set: [CANCELLED, COMPLETED, FAILED, PENDING, PENDING_CANCEL, RUNNING]",
    ],
    [
      { nextToken: '' },
      "'' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
  ])('are rejected with the constraint that they violate: %o', (members, text) => {
    expect(describeTasks(members)).toEqual(violated(text));
  });

  test('are rejected with a limit of another type', () => {
    expect(describeTasks({ limit: '5' })).toEqual(
      serialization('STRING_VALUE can not be converted to an Integer'),
    );
  });
});

test('a cancel needs the id of a task', () => {
  expect(attempt(readCancelExportTask, '{"taskId":"x"}')).toEqual({ taskId: 'x' });
  expect(attempt(readCancelExportTask, '{}')).toEqual(
    violated("null at 'taskId' failed to satisfy constraint: Member must not be null"),
  );
});

test('the parameters of DescribeLogGroups are read with their lists', () => {
  const describeGroups = (members: object) =>
    attempt(readDescribeLogGroups, JSON.stringify(members));
  const given = {
    accountIdentifiers: ['123456789012'],
    logGroupNamePrefix: '/app',
    includeLinkedAccounts: false,
    logGroupClass: 'STANDARD',
    logGroupIdentifiers: ['/app', 'arn:aws:logs:eu-west-1:123456789012:log-group:/app'],
  };

  expect(describeGroups(given)).toEqual(given);
  expect(describeGroups({ logGroupNamePattern: '' })).toEqual({ logGroupNamePattern: '' });
  expect(describeGroups({ logGroupIdentifiers: [] })).toEqual(
    violated(
      "'[]' at 'logGroupIdentifiers' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ),
  );
  expect(describeGroups({ accountIdentifiers: ['x', 'y'] })).toEqual(
    violated(
      String.raw`'[x, y]' at 'accountIdentifiers' failed to satisfy constraint: Member must satisfy regular expression pattern: \d{12}`,
    ),
  );
  expect(describeGroups({ logGroupIdentifiers: 'x' })).toEqual(
    serialization('STRING_VALUE can not be converted to a List'),
  );
  expect(describeGroups({ includeLinkedAccounts: 'true' })).toEqual(
    serialization('STRING_VALUE can not be converted to a Boolean'),
  );
});
