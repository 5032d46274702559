import { jobBodyOf } from '../../requests.ts';

/** Creates an export job of `logGroups` × `hours` slices. Returns its Location. */
export function createJob(url: string, size: Parameters<typeof jobBodyOf>[0]): Promise<string> {
  return postJob(`${url}/export-jobs`, jobBodyOf(size));
}

/** Posts an export job until it is accepted. Returns its Location. */
export async function postJob(url: string, body: object): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status === 503) return postJob(url, body); // the machine is busy
  if (response.status !== 202) throw new Error(text);
  return response.headers.get('location') ?? '';
}
