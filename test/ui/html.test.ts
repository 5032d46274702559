import fc from 'fast-check';
import { expect, test } from 'vitest';

import { inUtc, span } from '#ui/html/formats.ts';
import { asCode, type Html, html, nameOf, toMarkup } from '#ui/html/html.ts';

test.each([
  ['markup', '<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ['the end of an attribute', `" onclick='x' &`, '&quot; onclick=&#39;x&#39; &amp;'],
  ['a control character', 'a\u0000b\u001bc', 'a\ufffdb\ufffdc'],
  ['half of a surrogate pair', 'a\ud800', 'a\ufffd'],
])('escapes %s', (_case, text, expected) => {
  expect(toMarkup(html`<p title="${text}">${text}</p>`)).toBe(
    `<p title="${expected}">${expected}</p>`,
  );
});

test('escapes every text in lists, too', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
      const inside = toMarkup(html`${texts}${texts.map((text) => html`${text}`)}`);
      expect(inside).not.toMatch(/[<>"']/);
    }),
  );
});

test('does not take an object for markup that only looks like it', () => {
  const forged = { markup: '<b>', 'Symbol(markup)': '<b>' } as unknown as Html;

  expect(() => toMarkup(forged)).toThrow();
});

test('isolates a name whose direction is right to left', () => {
  expect(toMarkup(nameOf('\u202egpj'))).toBe('<bdi class="name">\u202egpj</bdi>');
});

test.each([
  ['/demo/checkout', '/demo/<wbr>checkout'],
  ['//a-b_c.d/', '//a-<wbr>b_<wbr>c.<wbr>d/'],
  ['<a/b>', '&lt;a/<wbr>b&gt;'],
  ['', ''],
])('lets lines end only after the separators of %j', (text, markup) => {
  expect(toMarkup(asCode(text))).toBe(`<code><bdi>${markup}</bdi></code>`);
});

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [3_600_000, '1 h'],
  [12_000_000, '3 h 20 min'],
  [90_061_000, '1 d 1 h'],
])('writes %i ms in two units at most', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test('writes an instant to the second', () => {
  expect(inUtc('2024-05-04T08:00:03.999Z')).toBe('2024-05-04 08:00:03 UTC');
});
