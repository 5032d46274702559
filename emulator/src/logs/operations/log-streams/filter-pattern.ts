import { awsError } from '../../../wire/aws-error.ts';

/**
 * Reads a filter pattern of terms. A message must contain each `term` and `"phrase"`, one of those
 * after `?` if there are any, and none after `-`. Case matters.
 * @throws InvalidParameterException for patterns for JSON, for space-delimited fields, and for regular
 * expressions: they are not supported
 */
export function readFilterPattern(pattern: string): (message: string) => boolean {
  const trimmed = pattern.trim();
  if (/^[{[%]/.test(trimmed)) {
    throw awsError(
      'InvalidParameterException',
      'Invalid filter pattern: the emulator supports only terms.',
    );
  }
  const terms = [...trimmed.matchAll(/([?-]?)(?:"([^"]*)"|([^\s"]+))/g)].map(
    ([, sign = '', phrase, word = '']) => ({ sign, text: phrase ?? word }),
  );
  const of = (sign: string) => terms.filter((term) => term.sign === sign);
  const [required, optional, excluded] = [of(''), of('?'), of('-')];
  return (message) =>
    required.every(({ text }) => message.includes(text)) &&
    (optional.length === 0 || optional.some(({ text }) => message.includes(text))) &&
    !excluded.some(({ text }) => message.includes(text));
}
