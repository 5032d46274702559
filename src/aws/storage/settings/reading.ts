import { Problem } from '#problems/problem.ts';
import { unexpectedAnswer } from '../../client/unexpected-answer.ts';
import type { Reading } from '../storage.ts';

/** What AWS has answered about a setting: its value, or that there is none. */
export interface ReadSetting<Value> {
  value: Value | undefined;
  $metadata: object;
}

/**
 * Sends a read of a setting. Errors with one of these codes become an answer, so that they do not count as
 * failures. An answer without the value is none: AWS has a code for a setting that does not exist.
 */
export async function sendRead<Answer extends { $metadata: object }, Value>(
  sent: Promise<Answer>,
  absentCodes: readonly string[],
  [member, read]: [member: string, read: (answer: Answer) => Value | undefined],
): Promise<ReadSetting<Value>> {
  try {
    const answer = await sent;
    const value = read(answer);
    if (value === undefined) throw unexpectedAnswer(answer, member);
    return { value, $metadata: answer.$metadata };
  } catch (error) {
    const { name, $metadata } = error as Error & { $metadata?: object };
    if ($metadata && absentCodes.includes(name)) return { value: undefined, $metadata };
    throw error;
  }
}

/** Makes a reading of what AWS answers. Problems become a reading, too. */
export async function toReading<Value>(
  answering: Promise<Pick<ReadSetting<Value>, 'value'>>,
): Promise<Reading<Value>> {
  try {
    const { value } = await answering;
    return value === undefined ? { outcome: 'absent' } : { outcome: 'known', value };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.slug === 'service-role-not-permitted') return { outcome: 'denied' };
    const { slug, members } = problem;
    // AWS was not called. Its own answer would have no value, or about a bucket in another Region.
    if (slug === 'destination-not-found' && !members.awsErrorCode) return { outcome: 'absent' };
    return { outcome: 'unknown', problem };
  }
}
