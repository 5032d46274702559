import { randomUUID } from 'node:crypto';

import { formTokenOf } from '#ui/session/session.ts';

const session = { id: randomUUID() };

/** The headers that a page of the gateway sends with its form. */
export const formHeaders = {
  'sec-fetch-site': 'same-origin',
  cookie: `log-export-session=${session.id}`,
};

// Each near a given size.
const formShapes: ((bytes: number) => string)[] = [
  (bytes) => form({ kind: 'api-key', credential: 'x'.repeat(bytes) }),
  (bytes) => form({ kind: 'jwt', credential: `${'a.'.repeat(bytes / 2)}`, next: '/ui/jobs' }),
  (bytes) => form({ next: `/ui/${'../'.repeat(bytes / 3)}` }),
  (bytes) => form({ reason: 'x'.repeat(bytes) }),
  () => form({ reason: 'No longer needed.' }),
  (bytes) => form({ reason: '\0💥'.repeat(bytes / 15) }),
  (bytes) => `${form({})}${'&a'.repeat(bytes / 2)}`,
  (bytes) => `${form({})}&${'%'.repeat(bytes)}`,
  (bytes) => `${form({})}&reason=${'+'.repeat(bytes)}`,
  (bytes) => `token=${'x'.repeat(bytes)}`,
  (bytes) => '\xff'.repeat(bytes),
  () => '',
];

/** Forms of all shapes. The gateway accepts up to 16 KiB. */
export const formBodies = formShapes.flatMap((shape) =>
  [1_024, 15_000, 15_000, 40_000].map((bytes) => Buffer.from(shape(bytes), 'latin1')),
);

function form(fields: Record<string, string>): string {
  return new URLSearchParams({ token: formTokenOf(session), ...fields }).toString();
}
