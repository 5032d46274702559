import { Text } from '#validation/text.ts';

/** The reason of a change, for the audit and for other people. */
export const Reason = Text({
  minLength: 1,
  maxLength: 1_000,
  rule: 'text of 1 to 1000 characters',
  description: 'The reason, for other people and the audit.',
});
