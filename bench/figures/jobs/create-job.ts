import { jobBodyOf } from '../../requests.ts';
import { waitUntil } from '../../wait-until.ts';

/** Creates an export job of `logGroups` × `hours` slices. Returns its Location. */
export function createJob(url: string, size: Parameters<typeof jobBodyOf>[0]): Promise<string> {
  return postJob(`${url}/export-jobs`, jobBodyOf(size));
}

/** Posts an export job until it is accepted. Returns its Location. */
export async function postJob(url: string, body: object): Promise<string> {
  const { status, location, text } = await postUntilAdmitted(url, body);
  if (status !== 202) throw new Error(text);
  return location ?? '';
}

/** Cancels an export job. */
export async function cancelJob({ url }: { url: string }, location: string): Promise<void> {
  const { status, text } = await postUntilAdmitted(`${url}${location}/cancel`);
  if (status >= 400) throw new Error(text);
}

/** Posts until the machine is not too busy for it. */
async function postUntilAdmitted(url: string, body?: object) {
  const content = body && {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return waitUntil({
    what: `an answer other than 503 to POST ${url}`,
    async read() {
      const response = await fetch(url, { method: 'POST', ...content });
      const { status } = response;
      return { status, location: response.headers.get('location'), text: await response.text() };
    },
    isDone: ({ status }) => status !== 503,
    describe: ({ text }) => text,
    pauseMs: () => 50,
  });
}
