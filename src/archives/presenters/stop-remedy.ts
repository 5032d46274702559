import { forPartitions } from '#problems/catalogue/problem-kind.ts';

// What callers of tasks and jobs do after they have fixed the cause. An archive has nothing to send.
const ofJobs = /send the request again|retry the job|create a new job/;

/** Turns the remedy of a job into that of an archive that has stopped for the same reason. */
export function toStopRemedy(remedy: string): string {
  const sentences = remedy
    .replace(forPartitions, '')
    .trim()
    .split(/(?<=\.) /)
    .filter((sentence) => !ofJobs.test(sentence));
  return [
    ...sentences,
    'Then the archive continues by itself: this service checks the destination every 15 minutes.',
    'To export to another bucket, change `destination` with PATCH /archives/{archiveId}.',
  ].join(' ');
}
