import type { JobDocument } from '../documents.ts';
import type { Screen, TextStyle } from './screen.ts';

/** How many slices a job has, without those that were split, and how many are completed. */
export function countSlices({ sliceCounts }: JobDocument): { done: number; total: number } {
  const { split, ...counted } = sliceCounts;
  const total = Object.values(counted).reduce((sum, count) => sum + count, 0);
  return { done: sliceCounts.completed, total };
}

/** The progress of a job: `18/90 · 1 failed · 2 ahead`. It is without estimates, which change all the time. */
export function steadyProgressOf(job: JobDocument): string {
  const { done, total } = countSlices(job);
  const { failed, cancelled } = job.sliceCounts;
  const ahead = (job.queue?.position ?? 1) - 1;
  return [
    `${done}/${total}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
    ...(ahead > 0 ? [`${ahead} ahead`] : []),
    ...(job.queue?.problem ? [job.queue.problem.title] : []),
  ].join(' · ');
}

/** The progress of a job with its estimated end in UTC: `18/90 · 1 failed · 2 ahead · ends ~14:20`. */
export function progressOf(job: JobDocument, now: number): string {
  const end = job.queue?.estimatedEndAt;
  if (end === undefined) return steadyProgressOf(job);
  const today = new Date(now).toISOString().slice(0, 10);
  const day = end.startsWith(today) ? '' : `${end.slice(5, 10)} `;
  return `${steadyProgressOf(job)} · ends ~${day}${end.slice(11, 16)}`;
}

/** The colour of a state. */
export function styleOfState(state: string): TextStyle | undefined {
  if (['completed', 'ready', 'current', 'pass', 'covered'].includes(state)) return 'green';
  if (['failed', 'unusable', 'atRisk', 'incomplete', 'fail'].includes(state)) return 'red';
  return ['cancelled', 'behind', 'warn'].includes(state) ? 'yellow' : undefined;
}

const ages = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** How long ago something was, in its largest unit: `5m`, `3h`, `12d`. */
export function ageOf(at: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(at));
  for (const [unit, lengthMs] of ages)
    if (ms >= lengthMs) return `${Math.floor(ms / lengthMs)}${unit}`;
  return `${Math.floor(ms / 1_000)}s`;
}

/** The facts of a job for `show`. A program gets the estimated end as a fact of its own. */
export function factsOf(
  job: JobDocument,
  now: number,
  screen: Screen,
): [name: string, value: string | undefined][] {
  const { verified } = job;
  const { isTerminal } = screen;
  const timeOf = (at: string | undefined) => (at === undefined ? undefined : screen.time(at));
  return [
    ['Job', job.id],
    ['Name', job.name],
    ['State', job.state],
    ['Slices', isTerminal ? progressOf(job, now) : steadyProgressOf(job)],
    ['Estimated end', isTerminal ? undefined : job.queue?.estimatedEndAt],
    ['Target', job.target],
    ['From', screen.time(job.from)],
    ['To', screen.time(job.to)],
    ['Sliced by', job.sliceBy === 'none' ? undefined : `${job.sliceBy}, ${job.timeZone}`],
    ['Destination', `s3://${job.destination}/${job.destinationPrefix}`],
    ['Caller', job.caller],
    ['Sent by', job.taskParameters === undefined ? undefined : 'AWS client'],
    ['Accepted', timeOf(job.acceptedAt)],
    ['Not before', timeOf(job.notBeforeAt)],
    ['Started', timeOf(job.startedAt)],
    ['Ended', timeOf(job.endedAt)],
    [
      'Verified',
      verified &&
        [
          screen.count(verified.slices, 'slice'),
          screen.count(verified.objects, 'object'),
          screen.count(verified.bytes, 'byte'),
        ].join(', '),
    ],
  ];
}
