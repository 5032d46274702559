import { describe, expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../world.ts';

/** Posts a body; returns the answer, and whether AWS was called. */
async function post(world: World, body: unknown) {
  const answer = await world.call('POST', '/export-tasks', body);
  return { answer, isSent: world.creates().length > 0 };
}

const refusedIn = (member: string) => ({
  in: 'body',
  pointer: `#/${member}`,
  detail: expect.stringMatching(/^must be .+, but is .+$/),
});

describe('a body of POST /export-tasks', () => {
  test('returns all violations at once, each with a pointer and the rule', async () => {
    await using world = await openWorld();

    const { answer, isSent } = await post(world, {
      logGroupName: 'bad:name',
      from: '5',
      to: -1,
      destinationPrefix: 7,
      extra: true,
    });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      type: '/problems/invalid-request',
      detail: 'The request breaks 6 rules.',
    });
    expect(answer.body.errors).toEqual(
      expect.arrayContaining([
        {
          in: 'body',
          pointer: '#/destination',
          detail:
            'is missing; it must be the name of an S3 bucket, 1 to 512 characters, without :, / and white space',
        },
        {
          in: 'body',
          pointer: '#/extra',
          detail:
            'is unknown; allowed names: taskName, logGroupName, logStreamNamePrefix, from, to, destination, destinationPrefix',
        },
        {
          in: 'body',
          pointer: '#/logGroupName',
          detail: 'must be 1 to 512 of the characters A-Z a-z 0-9 . - _ / #, but is "bad:name"',
        },
        refusedIn('from'),
        refusedIn('to'),
        refusedIn('destinationPrefix'),
      ]),
    );
    expect(isSent).toBe(false);
  });

  test.for([
    ['taskName', 'x'.repeat(512)],
    ['taskName', '日本🪵'.repeat(128)],
    ['logStreamNamePrefix', 'x'.repeat(512)],
    ['destinationPrefix', ''],
  ] as const)('is accepted with a %s at its limit: %s', async ([member, value]) => {
    await using world = await openWorld();

    const { answer } = await post(world, { ...createBody, [member]: value });

    expect(answer.status).toBe(201);
  });

  test('is accepted with null for optional members, as AWS accepts it', async () => {
    await using world = await openWorld();
    const nothing = { taskName: null, logStreamNamePrefix: null, destinationPrefix: null };

    const { answer } = await post(world, { ...createBody, ...nothing });
    const missing = await post(world, { ...createBody, destination: null, extra: null });

    expect(answer.status).toBe(201);
    expect(world.creates()[0]?.input).toEqual({ ...createBody, destinationPrefix: 'exportedlogs' });
    expect(missing.answer.body.errors).toEqual([
      {
        in: 'body',
        pointer: '#/destination',
        detail: expect.stringMatching(/^is missing; /),
      },
      { in: 'body', pointer: '#/extra', detail: expect.stringMatching(/^is unknown/) },
    ]);
  });

  test.for([
    ['destination', 'arn:aws-cn:s3:::archive', 'write "archive"'],
    ['destination', 's3://archive/x', 'write "archive", and "x" as destinationPrefix'],
    ['destination', 'archive/', 'write "archive"'],
    ['logGroupName', 'arn:aws:logs:eu-west-1:123456789012:log-group:/app:*', 'write "/app"'],
  ] as const)('returns a suggestion: %s %s', async ([member, value, words]) => {
    await using world = await openWorld();

    const { answer, isSent } = await post(world, { ...createBody, [member]: value });

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      {
        in: 'body',
        pointer: `#/${member}`,
        detail: expect.stringMatching(new RegExp(`; ${words}$`)),
      },
    ]);
    expect(isSent).toBe(false);
  });

  test('is accepted with a destinationPrefix of 1,024 bytes, which AWS checks', async () => {
    await using world = await openWorld();

    const { isSent } = await post(world, { ...createBody, destinationPrefix: 'é'.repeat(512) });

    expect(isSent).toBe(true);
  });

  test.for([
    ['taskName', ''],
    ['taskName', 'x'.repeat(513)],
    ['logGroupName', ''],
    ['logGroupName', 'x'.repeat(513)],
    ['logGroupName', 'with space'],
    ['logGroupName', 'a\n'],
    ['logStreamNamePrefix', ''],
    ['logStreamNamePrefix', 'x'.repeat(513)],
    ['logStreamNamePrefix', 'a:b'],
    ['logStreamNamePrefix', 'a*'],
    ['destination', ''],
    ['destination', 'x'.repeat(513)],
    ['destination', ['archive']],
    ['destinationPrefix', 'é'.repeat(513)],
    ...['taskName', 'logStreamNamePrefix', 'destination', 'destinationPrefix'].flatMap((member) =>
      ['\u0000', '\n', '\u001b[31m', '\u007f', '\u0085', '\ud800', 'x\udc00'].map(
        (text) => [member, `a${text}`] as const,
      ),
    ),
  ] as const)('is rejected with the %s %j', async ([member, value]) => {
    await using world = await openWorld();

    const { answer, isSent } = await post(world, { ...createBody, [member]: value });

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([refusedIn(member)]);
    expect(isSent).toBe(false);
  });

  test.for(['0', '9007199254740993', '1152921504606846975', '1152921504606846976'])(
    'is accepted with the instant %s',
    async (digits) => {
      await using world = await openWorld();
      const body = JSON.stringify(createBody).replace(/"to":\d+/, `"to":${digits}`);

      const { answer } = await post(world, body);

      expect(answer.status).toBe(201);
      const [sent] = world.creates().map((entry) => entry.input as { to: number | bigint });
      expect(BigInt(sent?.to ?? -1)).toBe(BigInt(digits));
    },
  );

  test.for([
    '1152921504606846977',
    '9223372036854775808',
    '1e3',
    '1.5',
    '1.0',
    '-0',
    '-1',
    '"5"',
    'true',
    '[]',
    '{}',
    '1E400',
  ])('is rejected with the instant %s', async (text) => {
    await using world = await openWorld();
    const body = JSON.stringify(createBody).replace(/"from":\d+/, `"from":${text}`);

    const { answer, isSent } = await post(world, body);

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([refusedIn('from')]);
    expect(answer.body.errors[0].detail).toContain('0 to 1152921504606846976');
    expect(isSent).toBe(false);
  });

  test.for([
    ['nothing', ''],
    ['an array', '[]'],
    ['null', 'null'],
    ['a number', '5'],
    ['text', '"x"'],
  ])('is rejected when it is %s', async ([, body]) => {
    await using world = await openWorld();

    const { answer } = await post(world, body);

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      {
        in: 'body',
        pointer: '#',
        detail: expect.stringContaining('a JSON object with logGroupName'),
      },
    ]);
  });

  test.for([
    ['cut off', '{"from":1,'],
    ['two texts', '{}{}'],
    ['a member __proto__', '{"__proto__":{"from":1}}'],
    ['a long number in what is cut off', '{"from":1152921504606846976,'],
  ])('is rejected when it is not JSON: %s', async ([, body]) => {
    await using world = await openWorld();

    const { answer } = await post(world, body);

    expect([answer.status, answer.body.type]).toEqual([400, '/problems/malformed-body']);
  });

  test('is rejected when it is not UTF-8', async () => {
    await using world = await openWorld();

    const answer = await world.app.inject({
      method: 'POST',
      url: '/export-tasks',
      headers: { 'content-type': 'application/json' },
      payload: Buffer.from('{"taskName":"\xff"}', 'latin1'),
    });

    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      type: '/problems/malformed-body',
      detail: 'The body is not UTF-8.',
    });
  });

  test('with some thousand violations returns the first fifty and the number of the others', async () => {
    await using world = await openWorld();
    const extra = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`m${i}`, 0]));

    const { answer } = await post(world, { ...createBody, ...extra });

    expect(answer.body.errors).toHaveLength(51);
    expect(answer.body.errors[50].detail).toBe('950 more members break a rule.');
  });

  test('has well-formed pointers for any member name', async () => {
    await using world = await openWorld();
    const name = `a/b~c ${'🪵'.repeat(40)}`;

    const { answer } = await post(world, { ...createBody, [name]: 1 });

    expect(answer.status).toBe(400);
    expect(decodeURI(answer.body.errors[0].pointer)).toMatch(/^#\/a~1b~0c 🪵/u);
  });
});

describe('a query', () => {
  test.for([
    ['limit=0', '#/limit', 'an integer from 1 to 50'],
    ['limit=51', '#/limit', 'an integer from 1 to 50'],
    ['limit=many', '#/limit', 'an integer from 1 to 50'],
    ['limit=', '#/limit', 'an integer from 1 to 50'],
    ['limit=1&limit=2', '#/limit', 'an integer from 1 to 50'],
    ['statusCode=DONE', '#/statusCode', 'one of CANCELLED, COMPLETED'],
    ['nextToken=', '#/nextToken', 'the nextToken of an earlier answer'],
    ['page=2', '#/page', 'allowed names: target, statusCode, limit, nextToken'],
    ['target=', '#/target', 'the name of a target'],
  ] as const)('is rejected with the rule: %s', async ([query, pointer, right]) => {
    await using world = await openWorld();

    const answer = await world.call('GET', `/export-tasks?${query}`);

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      { in: 'query', pointer, detail: expect.stringContaining(right) },
    ]);
  });

  test.each([
    ['/export-tasks', 'limit'],
    ['/export-jobs', 'limit'],
    ['/export-jobs/some-job/slices', 'limit'],
    ['/export-jobs/some-job', 'wait'],
  ])('of %s is rejected unless %s consists of digits', async (path, name) => {
    await using world = await openWorld({ jobs: {} });

    for (const text of ['1e1', '1e0', '0x5', '+5', '5.0', ' 5', '5 ', '05', '٥', '5n', '']) {
      const query = `${name}=${encodeURIComponent(text)}`;
      const { status, body } = await world.call('GET', `${path}?${query}`);

      expect([query, status]).toEqual([query, 400]);
      expect(body.errors).toEqual([
        {
          in: 'query',
          pointer: `#/${name}`,
          detail: expect.stringContaining(`but is ${JSON.stringify(text)}`),
        },
      ]);
    }
    expect(world.calls('DescribeExportTasks')).toHaveLength(0);
  });

  test('reads limit=50 as the number 50', async () => {
    await using world = await openWorld();

    await world.call('GET', '/export-tasks?limit=50');

    expect(world.calls('DescribeExportTasks')[0]?.input).toEqual({ limit: 50 });
  });
});

describe('a path', () => {
  test.for(['x'.repeat(513), 'a\nb', 'a\u0000'])(
    'is rejected with the task id %j',
    async (taskId) => {
      await using world = await openWorld();

      const answer = await world.call('GET', `/export-tasks/${encodeURIComponent(taskId)}`);

      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual([
        { in: 'path', pointer: '#/taskId', detail: expect.stringContaining('1 to 512 characters') },
      ]);
    },
  );
});

test.each([
  ['POST', '/export-jobs/x/cancel', undefined],
  ['POST', '/export-jobs/x/retry', undefined],
  ['DELETE', '/archives/x', undefined],
  ['PATCH', '/archives/x', { name: 'other' }],
  ['POST', '/archives/x/pause', { reason: 'The bucket moves.' }],
  ['POST', '/authorization-checks', { action: 'ReadTarget' }],
  ['GET', '/targets/default', undefined],
  ['GET', '/webhook-endpoints', undefined],
] as const)('rejects a query parameter that %s %s does not have', async (method, path, body) => {
  await using world = await openWorld({ jobs: {} });

  const answer = await world.call(method, `${path}?dryRun=true`, body);

  expect(answer.status).toBe(400);
  expect(answer.body.errors).toEqual([
    { in: 'query', pointer: '#/dryRun', detail: 'is unknown; allowed names: none' },
  ]);
});
