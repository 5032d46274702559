import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { loudLevels, readLogMessages, readMessages } from './log-messages.ts';

describe('the warnings and errors of the log', () => {
  test('are found: a literal, a constant, a template, a level chosen at run time, an outage', () => {
    const source = `
      const text = 'a constant';
      log.warn({}, 'a literal');
      options.log?.error({ err }, text);
      app.log.fatal(\`\${what} is a template\`);
      log[level]({}, 'a level');
      log.info({}, 'quiet');
      table.error({}, 'no log');
      slot.outages.work.failed({}, 'an outage', options);
      outage.worked({}, 'its end');
      test.failed({}, 'no outage');
    `;

    expect(readMessages('x.ts', source, loudLevels).map(({ text }) => text)).toEqual([
      'a literal',
      'a constant',
      'is a template',
      'a level',
      'an outage',
    ]);
  });

  test('are explained in docs/operations.md', () => {
    const page = readFileSync('docs/operations.md', 'utf8');
    const messages = readLogMessages('src', loudLevels).filter(
      ({ file }) => !file.startsWith('emulator/'),
    );

    expect(messages.length).toBeGreaterThan(20);
    expect(messages.filter(({ text }) => !page.includes(text))).toEqual([]);
  });
});
