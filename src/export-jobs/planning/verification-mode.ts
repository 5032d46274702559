import { Type } from '@sinclair/typebox';

/** How the exports of a job are verified, from nothing to most. */
export const verificationModes = ['off', 'objects', 'count'] as const;
export type VerificationMode = (typeof verificationModes)[number];

/** The verification of a job, in requests and answers. */
export const Verification = Type.Unsafe<VerificationMode>({
  title: 'VerificationMode',
  type: 'string',
  enum: verificationModes,
  description:
    'Verification of exports before a slice is `completed`. `off`: there is none. `objects`: the objects in S3 are listed. If there are none, the log group must have no log events in the time range. `count`: the log events in the objects are counted, too, and compared with a count of CloudWatch Logs Insights. This reads all objects, and AWS charges for the query by the bytes that it scans.',
  'x-rule': `one of ${verificationModes.join(', ')}`,
});
