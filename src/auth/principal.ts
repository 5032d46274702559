/** An authenticated caller. */
export interface Principal {
  /**
   * The unique id of the caller: `<issuer>#<subject>`. An issuer contains no `#`, so ids of different
   * issuers never collide. Jobs, queues, limits and audit records use this id.
   */
  id: string;
  /** The URL of the token issuer, `api-key` or `mtls`; `none` without authentication. */
  issuer: string;
  /** The name of the caller at its issuer. */
  subject: string;
  /** The groups of the caller at its issuer. */
  groups: readonly string[];
  /** The other claims of the issuer, each as a list of texts. */
  claims: Readonly<Record<string, readonly string[]>>;
}

/** Every caller without authentication, and every caller of a public route. */
export const anonymous: Principal = {
  id: 'anonymous',
  issuer: 'none',
  subject: 'anonymous',
  groups: [],
  claims: {},
};
