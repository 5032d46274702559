import { jobOf } from '../../order.ts';

/** Has a gateway accept a job of `logGroups` × `hours` slices; where the job is shown. */
export async function postJob(url: string, size: Parameters<typeof jobOf>[0]): Promise<string> {
  const response = await fetch(`${url}/export-jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(jobOf(size)),
  });
  const text = await response.text();
  if (response.status === 503) return postJob(url, size); // the machine is busy
  if (response.status !== 202) throw new Error(text);
  return response.headers.get('location') ?? '';
}
