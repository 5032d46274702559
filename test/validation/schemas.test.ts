import { expect, test } from 'vitest';

import { compileAnswer } from '#validation/serializer.ts';
import { compileRules } from '#validation/validator.ts';
import { readRoutes } from './read-routes.ts';

// Schemas are compiled at the first request that needs them, so a start does not find a faulty one.

const parts = ['body', 'querystring', 'params', 'headers'] as const;

test('every schema of a request and of an answer compiles', async () => {
  let requests = 0;
  let answers = 0;

  for (const { schema = {} } of await readRoutes()) {
    for (const part of parts) {
      for (const rules of schemasIn(schema[part])) {
        compileRules(rules, part);
        requests += 1;
      }
    }
    for (const answer of Object.values(schema.response ?? {}).flatMap(schemasIn)) {
      compileAnswer(answer);
      answers += 1;
    }
  }

  expect(requests).toBeGreaterThan(100);
  expect(answers).toBeGreaterThan(50);
});

/** The schemas of a part: one for each media type, if it names them. */
function schemasIn(part: unknown): object[] {
  if (typeof part !== 'object' || part === null) return [];
  const { content } = part as { content?: Record<string, { schema: object }> };
  return content ? Object.values(content).map(({ schema }) => schema) : [part];
}
