/** The authentication methods. */
export type AuthMethod = 'jwt' | 'api-key' | 'mtls';

/** A token issuer. */
export interface IssuerSettings {
  /** The exact `iss` of its tokens, and the base URL of its discovery document. */
  issuer: string;
  /** The accepted audiences; a token must have one of them. */
  audiences: string[];
  /** The claim with the audience; default `aud`. Access tokens of Cognito have `client_id`. */
  audienceClaim?: string;
  /** The claim with the groups of the caller; default `groups`. Cognito has `cognito:groups`. */
  groupsClaim?: string;
  /** The URL of its JWKS; default: the one in its discovery document. */
  jwksUri?: string;
  /** File with a bearer token for fetching discovery document and JWKS; Kubernetes requires one. */
  bearerTokenFile?: string;
}

/** How callers authenticate; without a method, every caller is `anonymous`. */
export interface AuthenticationSettings {
  methods: readonly AuthMethod[];
  issuers: readonly IssuerSettings[];
  apiKeysFile?: string;
  /** How requests of AWS clients are verified; absent if the wire endpoint is off. */
  signatures?: SignatureSettings;
}

/** The settings of signed requests. */
interface SignatureSettings {
  /** The current WIRE_SECRET, and the previous one during a rotation; empty without API keys. */
  secrets: readonly string[];
  /** The path prefix that a reverse proxy strips. */
  basePath: string;
}

/** Paths of the PEM files for TLS. They are loaded again when they change. */
export interface TlsSettings {
  certFile: string;
  keyFile: string;
  /** The CA certificates of client certificates; with it, the server asks for a client certificate. */
  clientCaFile?: string;
}
