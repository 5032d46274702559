import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { ProblemKind } from '#problems/catalogue/problem-kind.ts';
import { termsIn } from '#problems/catalogue/terms.ts';
import { catalogue } from '#problems/catalogue.ts';
import { pageOfProblems } from '#problems/page.ts';
import { openWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const slugs = Object.keys(catalogue);
const kinds: [string, ProblemKind][] = Object.entries(catalogue);
const chrome =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const firefox = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe.each(kinds)('%s', (slug, kind) => {
  test('is explained as JSON', async () => {
    const { status, body } = await world.call('GET', `/problems/${slug}`);

    expect(status).toBe(200);
    expect(body).toEqual({
      type: `/problems/${slug}`,
      slug,
      status: kind.status,
      title: kind.title,
      explanation: expect.stringMatching(/^[A-Z].{20,}\.$/s),
      remedy: expect.stringMatching(/^[A-Z].{10,}\.$/s),
      isRetryable: kind.isRetryable,
    });
  });

  test('is explained on an HTML page', async () => {
    const page = await world.call('GET', `/problems/${slug}`, undefined, { accept: chrome });

    expect(page.status).toBe(200);
    expect(page.text).toContain(slug);
    expect(textOf(page.text)).toContain(kind.explanation);
    expect(textOf(page.text)).toContain(kind.remedy);
  });

  test('has Retry-After if its status is 429 or 503', () => {
    const isPassing = kind.status === 429 || kind.status === 503;
    expect(kind.retryAfterSeconds !== undefined).toBe(isPassing);
    if (isPassing) expect(kind).toMatchObject({ isRetryable: true });
  });

  test('is retryable only if its remedy begins with the repeat, not with a fix', () => {
    if (kind.isRetryable) expect(kind.remedy).toMatch(/^(?:Wait|Send|Close|Connect|Do nothing)\b/);
  });
});

test('GET /problems lists every problem', async () => {
  const { body } = await world.call('GET', '/problems');

  expect(body.problems.map((problem: { slug: string }) => problem.slug)).toEqual(slugs);
});

describe.each(['/problems', '/problems/export-slot-taken'])('%s', (path) => {
  test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['application/*', 'application/json'],
    ['application/problem+json, application/json', 'application/json'],
    ['text/html;q=0.5, application/json', 'application/json'],
    ['text/html', 'text/html'],
    ['text/*', 'text/html'],
    ['application/json;q=0.5, text/html', 'text/html'],
    [chrome, 'text/html'],
    [firefox, 'text/html'],
  ])('answers Accept: %s with %s', async (accept, type) => {
    const answer = await world.call('GET', path, undefined, accept ? { accept } : {});

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(answer.headers.get('vary')).toBe('Accept');
  });

  test('returns a page that cannot load or run anything', async () => {
    const page = await world.call('GET', path, undefined, { accept: firefox });

    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.text).not.toMatch(/<script|style=|\son\w+=/);
  });
});

test.each(['nope', 'constructor', 'tostring', 'export-slot-taken-'])(
  'returns 404 for the unknown problem %s',
  async (slug) => {
    const answer = await world.call('GET', `/problems/${slug}`, undefined, { accept: chrome });

    expect(answer.status).toBe(404);
    expect(answer.body.type).toBe('/problems/problem-not-found');
  },
);

test.each(['%3Cscript%3E', 'Export-Slot-Taken', '__proto__', 'a'.repeat(65)])(
  'returns 400 for the malformed name %s',
  async (slug) => {
    const answer = await world.call('GET', `/problems/${slug}`, undefined, { accept: chrome });

    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  },
);

test('explains the terms of a problem on its page, and no others', async () => {
  const page = await world.call('GET', '/problems/too-many-slices', undefined, { accept: chrome });

  const [, glossary = ''] = page.text.split('<h2>Terms</h2>');
  expect(glossary.match(/(?<=<dt>)[^<]+/g)).toEqual(['job', 'slice']);
});

test('finds terms in the plural and in capitals, but not in code or in other words', () => {
  const found = (text: string) => termsIn(text).map(([term]) => term);

  expect(found('Deliveries of the Slices.')).toEqual(['slice', 'delivery']);
  expect(found('Send `slice`, and see jobless.')).toEqual([]);
});

test('escapes texts on a page', () => {
  const text = `<b>&"it's"</b>`;

  const page = pageOfProblems(
    [
      {
        type: '/x',
        slug: 'x',
        status: 400,
        title: text,
        explanation: text,
        remedy: text,
        isRetryable: true,
      },
    ],
    '',
  );

  expect(page).not.toContain('<b>');
  expect(textOf(page).split(text)).toHaveLength(5); // title, heading, explanation, remedy
});

function textOf(page: string): string {
  return page
    .replaceAll(/<code>(.*?)<\/code>/g, '`$1`')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
