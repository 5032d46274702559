import { Problem } from '#problems/problem.ts';
import type { Reading } from '../storage.ts';

/** An answer of AWS that a setting does not exist. */
interface Absent {
  absent: true;
  $metadata: object;
}

/** Sends a read. Errors with one of these codes become an answer, so that they do not count as failures. */
export async function sendRead<Answer extends object>(
  answer: Promise<Answer>,
  absentCodes: readonly string[],
): Promise<Answer | Absent> {
  try {
    return await answer;
  } catch (error) {
    const { name, $metadata } = error as Error & { $metadata?: object };
    if ($metadata && absentCodes.includes(name)) return { absent: true, $metadata };
    throw error;
  }
}

/** Makes a reading of what AWS answers. Problems become a reading, too. */
export async function toReading<Answer extends object, Value>(
  answering: Promise<Answer>,
  read: (answer: Exclude<Answer, Absent>) => Value | undefined,
): Promise<Reading<Value>> {
  try {
    const answer = await answering;
    const value = isAbsent(answer) ? undefined : read(answer as Exclude<Answer, Absent>);
    return value === undefined ? { outcome: 'absent' } : { outcome: 'known', value };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.slug === 'service-role-not-permitted') return { outcome: 'denied' };
    const { slug, members } = problem;
    // AWS was not called. Its own answer would be an `Absent`, or about a bucket in another Region.
    if (slug === 'destination-not-found' && !members.awsErrorCode) return { outcome: 'absent' };
    return { outcome: 'unknown', problem };
  }
}

const isAbsent = (answer: object): answer is Absent => 'absent' in answer;
