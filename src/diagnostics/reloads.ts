import { openChannel } from './channel.ts';

/** The result of loading changed files. */
interface Reload {
  /** What the files hold, as in the log: `policies`, `API keys`, `TLS certificates` or `targets`. */
  what: string;
  /** Whether their content is invalid, so that the previous version stays active. */
  hasFailed: boolean;
}

/** Results of reloads: the first failure for each reason, and the next success. */
export const reloads = openChannel<Reload>('reload');
