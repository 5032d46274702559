/**
 * Whether an entity tag is in If-None-Match. It compares weakly (RFC 9110, section 13.1.2), so a proxy may
 * have dropped or added the W/.
 */
export function isAmong(known: string, etag: string): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return known.split(',').some((tag) => tag.trim() === '*' || opaque(tag) === opaque(etag));
}
