import { afterAll, beforeAll, expect, test } from 'vitest';

import { problemOfErrors } from '#validation/violations.ts';
import { createBody, openWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ jobs: {} });
});
afterAll(() => world[Symbol.asyncDispose]());

const check = (claims: unknown) =>
  world.call('POST', '/authorization-checks', {
    action: 'ReadTarget',
    principal: { issuer: 'api-key', subject: 'someone', claims },
  });

test('states the length of an array with a singular', async () => {
  const { body } = await world.call('POST', '/export-tasks', { ...createBody, taskName: ['x'] });

  expect(body.errors[0].detail).toContain('an array of 1 item');
  expect(body.errors[0].detail).not.toContain('items');
});

test.each([
  [4_000, '3950 more members break a rule.'],
  [51, '1 more member breaks a rule.'],
])('only counts violations after the first fifty of %i', async (length, detail) => {
  const unknown = Object.fromEntries(Array.from({ length }, (_, n) => [`m${n}`, n]));

  const { status, body, text } = await world.call('POST', '/export-tasks', {
    ...createBody,
    ...unknown,
  });

  expect([status, body.errors.length]).toEqual([400, 51]);
  expect(body.errors[50]).toEqual({
    in: 'body',
    pointer: '#',
    detail,
  });
  expect(text.length).toBeLessThan(12_000);
});

test('makes the texts of the first fifty violations only', () => {
  let made = 0;
  const parentSchema = {
    'x-rule': 'a number',
    'x-suggest': () => {
      made += 1;
    },
  };
  const errors = Array.from({ length: 4_000 }, (_, index) => ({
    instancePath: `/items/${index}`,
    keyword: 'type',
    params: {},
    schemaPath: '',
    parentSchema,
    data: 'a text',
  }));

  const { detail, members } = problemOfErrors(errors, 'body');

  expect(made).toBe(50);
  expect(detail).toBe('The request breaks 4000 rules.');
  expect(members.errors?.at(-1)?.detail).toBe('3950 more members break a rule.');
});

test.each(['\ud800', 'x\udc00', 'a~b/c', '%', '💥'])(
  'returns a valid pointer to an invalid claim named %j',
  async (name) => {
    const { status, body } = await check({ [name]: 5 });

    expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
    const pointer = decodeURI(body.errors[0].pointer);
    const escaped = name.toWellFormed().replace('~', '~0').replace('/', '~1');
    expect(pointer).toBe(`#/principal/claims/${escaped}`);
  },
);

test('returns a short answer for long names and values', async () => {
  const long = '\u{20ac}'.repeat(10_000);

  const { status, text } = await check({ [long]: Array(99).fill(long.slice(0, 100).concat('\0')) });

  expect(status).toBe(400);
  expect(text.length).toBeLessThan(4_096);
});

test.each(['a', '💥', '\ud800'])(
  'describes a text of 1 MiB of %j by its length',
  async (character) => {
    const name = character.repeat(Math.floor(1_000_000 / JSON.stringify(character).length));

    const { status, body } = await world.call('POST', '/export-jobs', { name });

    const { detail } = body.errors.find((each: { pointer: string }) => each.pointer === '#/name');
    expect(status).toBe(400);
    expect(detail).toContain(`is ${[...name].length} characters long`);
  },
);

test.each([
  ['taskName', 'a\u0007b', 'the control character U+0007 at index 1'],
  ['taskName', '💥\u0085', 'the control character U+0085 at index 1'],
  ['taskName', 'abc\ud83d', 'the unpaired surrogate U+D83D at index 3'],
  ['taskName', `${'x'.repeat(99)}\0`, 'the control character U+0000 at index 99'],
  ['destination', 'x\udc00y\n', 'the unpaired surrogate U+DC00 at index 1'],
  ['destination', 'archive\u200b', 'the format character U+200B at index 7'],
  ['destination', '\u{e0001}archive', 'the format character U+E0001 at index 0'],
  ['logGroupName', '/app\n', 'the control character U+000A at index 4'],
])('names the invisible character in %s %j: %s', async (member, text, found) => {
  const { status, body } = await world.call('POST', '/export-tasks', {
    ...createBody,
    [member]: text,
  });

  expect(status).toBe(400);
  expect(body.errors).toHaveLength(1);
  expect(body.errors[0]).toMatchObject({
    pointer: `#/${member}`,
    detail: expect.stringMatching(
      new RegExp(
        `^must be .*, but is .*, with ${found.replace('+', '\\+')}(?:; write "archive")?$`,
      ),
    ),
  });
});

test('names the control character in a query and in the name of a member', async () => {
  const inQuery = await world.call('GET', '/export-tasks?nextToken=a%07');
  const inName = await check({ 'a\u0007': ['x'] });

  for (const { body } of [inQuery, inName]) {
    expect(body.errors[0].detail).toMatch(
      /but is .*, with the control character U\+0007 at index 1$/,
    );
  }
});
