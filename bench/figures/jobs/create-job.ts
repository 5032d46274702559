import { jobBodyOf } from '../../requests.ts';

/** Creates an export job of `logGroups` × `hours` slices. Returns its Location. */
export async function createJob(
  url: string,
  size: Parameters<typeof jobBodyOf>[0],
): Promise<string> {
  const response = await fetch(`${url}/export-jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(jobBodyOf(size)),
  });
  const text = await response.text();
  if (response.status === 503) return createJob(url, size); // the machine is busy
  if (response.status !== 202) throw new Error(text);
  return response.headers.get('location') ?? '';
}
