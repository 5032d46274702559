/**
 * Orders the replicas by their precedence at a target: the first is the preferred owner of its slot
 * (rendezvous hashing). Each replica is first at about the same number of targets. When one comes or
 * goes, only the targets change their first that it is or was first at.
 */
export function orderOwners(target: string, owners: readonly string[]): string[] {
  return owners
    .map((owner) => ({ owner, score: score(owner, target) }))
    .sort((one, other) => other.score - one.score || (one.owner < other.owner ? -1 : 1))
    .map(({ owner }) => owner);
}

/** Makes the same order, which is computed again only when other replicas are alive. */
export function makeOwnerOrder(): typeof orderOwners {
  const orders = new Map<string, string[]>();
  let known = '';
  return (target, owners) => {
    const current = owners.join();
    if (current !== known) orders.clear();
    known = current;
    const order = orders.get(target) ?? orderOwners(target, owners);
    orders.set(target, order);
    return order;
  };
}

/** A hash of 32 bits: FNV-1a, then the finalizer of MurmurHash3, which spreads similar names. */
function score(owner: string, target: string): number {
  let hash = 0x811c9dc5;
  const text = `${owner}/${target}`;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
