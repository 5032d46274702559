import type { ChangeWatch } from './change-watch.ts';

/** Something as callers see it, with the version and the entity tag of this view. */
interface Shown {
  version: number;
  etag: string;
  /** Whether it changes no more. */
  hasEnded: boolean;
}

/** A read that may wait for a change. */
interface ConditionalRead<View extends Shown> {
  id: string;
  read: () => Promise<View>;
  watch: Pick<ChangeWatch, 'waitForChange'>;
  /** The value of If-None-Match. */
  known: string | undefined;
  /** The longest wait, in seconds, and what ends it; undefined for no wait. */
  wait: { seconds: number; signal: AbortSignal } | undefined;
  /** Authenticates the caller again after the wait: the credential may be revoked or expired by then. */
  authenticateAgain: () => Promise<void>;
}

/**
 * Reads something, at once or when it has changed: with If-None-Match when its entity tag is another one,
 * otherwise at its next change. `isKnown`: whether the caller has this view already.
 */
export async function readWhenChanged<View extends Shown>(
  request: ConditionalRead<View>,
): Promise<{ shown: View; isKnown: boolean }> {
  const { id, read, watch, wait, authenticateAgain } = request;
  let shown = await read();
  // `*` stands for what exists at the request. After a wait, it is news that this has changed.
  const known = request.known?.trim() === '*' ? shown.etag : request.known;
  const isKnown = ({ etag }: View) => known !== undefined && isAmong(known, etag);
  const isNews = known === undefined ? shown.hasEnded : !isKnown(shown);
  if (wait && !isNews) {
    const { seconds, signal } = wait;
    await watch.waitForChange(id, shown.version, { ms: seconds * 1_000, signal });
    await authenticateAgain();
    shown = await read();
  }
  return { shown, isKnown: isKnown(shown) };
}

/**
 * Whether an entity tag is in If-None-Match. It compares weakly (RFC 9110, section 13.1.2), so a proxy may
 * have dropped or added the W/.
 */
function isAmong(known: string, etag: string): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return known.split(',').some((tag) => opaque(tag) === opaque(etag));
}
