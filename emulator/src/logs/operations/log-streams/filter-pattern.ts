import { awsError } from '../../../wire/aws-error.ts';

/**
 * Reads a filter pattern of terms: every `term` or `"phrase"` has to be in the message, one of those
 * after `?` if there are any, and none after `-`; letters of either case differ. Patterns for JSON,
 * for fields between spaces, and regular expressions are refused: the emulator does not know them.
 */
export function readFilterPattern(pattern: string): (message: string) => boolean {
  const trimmed = pattern.trim();
  if (/^[{[%]/.test(trimmed)) {
    throw awsError(
      'InvalidParameterException',
      'Invalid filter pattern: the emulator knows terms.',
    );
  }
  const terms = [...trimmed.matchAll(/([?-]?)(?:"([^"]*)"|([^\s"]+))/g)].map(
    ([, sign = '', phrase, word = '']) => ({ sign, text: phrase ?? word }),
  );
  const of = (sign: string) => terms.filter((term) => term.sign === sign);
  const [needed, optional, excluded] = [of(''), of('?'), of('-')];
  return (message) =>
    needed.every(({ text }) => message.includes(text)) &&
    (optional.length === 0 || optional.some(({ text }) => message.includes(text))) &&
    !excluded.some(({ text }) => message.includes(text));
}
