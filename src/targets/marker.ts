/** What the taskName of every task of an installation's export jobs begins with. */
export const markerPrefix = (installation: string) => `xp1-${installation}-`;

/** An attempt of a slice, of which a task is. */
interface MarkedAttempt {
  jobId: string;
  slice: number;
  attempt: number;
}

/** The taskName of an attempt, by which it is found again; `random` makes it nobody else's. */
export function makeMarker(
  installation: string,
  { jobId, slice, attempt }: MarkedAttempt,
  random: string,
): string {
  return `${markerPrefix(installation)}${jobId}-${slice}-${attempt}-${random}`;
}

/** The job a taskName names, if it has the form of a marker. Whether it is the truth the database knows. */
export function jobOfMarker(taskName: string | undefined): string | undefined {
  const parts = taskName?.split('-') ?? [];
  return parts[0] === 'xp1' && parts.length > 5 ? parts.slice(2, -3).join('-') : undefined;
}
