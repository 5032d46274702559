/** The ways to say who is calling. */
export type AuthMethod = 'jwt' | 'api-key' | 'mtls';

/** An issuer of tokens. */
export interface IssuerSettings {
  /** Exactly what tokens have as `iss`; where its discovery document is found. */
  issuer: string;
  /** What tokens must be meant for: one of these. */
  audiences: string[];
  /** The claim that says what a token is meant for; `aud` when absent. Cognito's access tokens have `client_id`. */
  audienceClaim?: string;
  /** The claim that lists the caller's groups; `groups` when absent. Cognito has `cognito:groups`. */
  groupsClaim?: string;
  /** Where its keys are; when absent, what its discovery document says. */
  jwksUri?: string;
  /** A file with a token to send when asking for the two, as Kubernetes wants it. */
  bearerTokenFile?: string;
}

/** How callers are told apart; without a method they are not. */
export interface AuthenticationSettings {
  methods: readonly AuthMethod[];
  issuers: readonly IssuerSettings[];
  apiKeysFile?: string;
}

/** TLS ended here. Paths of PEM files, read again when they change. */
export interface TlsSettings {
  certFile: string;
  keyFile: string;
  /** Who signs the certificates of callers; with it they are asked for one. */
  clientCaFile?: string;
}
