import { Type } from '@sinclair/typebox';

import { Text } from '#validation/text.ts';

/** The id of the document's examples. */
export const exampleJobId = '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10';

/** The id of a job in a path. */
export const JobId = Text({
  minLength: 1,
  maxLength: 64,
  rule: 'the id of an export job, 1 to 64 characters',
  description: 'The id of an export job.',
  examples: [exampleJobId],
});
export const JobParams = Type.Object({ jobId: JobId }, { additionalProperties: false });
