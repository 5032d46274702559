/** Who is calling. */
export interface Principal {
  /**
   * The one name of this caller among all: `<issuer>#<subject>`. An issuer has no `#`, so no subject
   * of one can be taken for that of another. Jobs, lines, limits and records go by it.
   */
  id: string;
  /** Who vouches for it: the URL of a token's issuer, `api-key` or `mtls`; `none` where nobody does. */
  issuer: string;
  /** What the issuer calls it. */
  subject: string;
  /** The groups the issuer says it is in. */
  groups: readonly string[];
  /** What else the issuer says of it: each claim as a list of texts. */
  claims: Readonly<Record<string, readonly string[]>>;
}

/** Everybody, where callers are not told apart, and whoever asks for what is public. */
export const anonymous: Principal = {
  id: 'anonymous',
  issuer: 'none',
  subject: 'anonymous',
  groups: [],
  claims: {},
};
