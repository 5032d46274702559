import { setTimeout as delay } from 'node:timers/promises';

import { jobBodyAt, type OrganisationTarget } from '../../organisation.ts';
import { postJob } from '../jobs/create-job.ts';

/**
 * Creates a job at every target, one after another over a time, so that their tasks do not end at once.
 * Returns the Locations.
 */
export async function keepTargetsBusy(
  gateways: readonly { url: string }[],
  targets: readonly OrganisationTarget[],
  { hours, overSeconds }: { hours: number; overSeconds: number },
): Promise<string[]> {
  const beganAt = performance.now();
  const posted = targets.map(async (target, index) => {
    const dueMs = (1_000 * overSeconds * index) / targets.length;
    await delay(Math.max(0, beganAt + dueMs - performance.now()));
    const { url } = gateways[index % gateways.length] as { url: string };
    return postJob(`${url}/export-jobs?target=${target.name}`, jobBodyAt(target, hours));
  });
  return Promise.all(posted);
}
