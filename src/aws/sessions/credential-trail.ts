/** What the AWS SDK tries while it looks for credentials. */
export interface CredentialTrail {
  /** The option `logger` of a client. */
  logger: Record<'debug' | 'info' | 'warn' | 'error', (...words: unknown[]) => void>;
  /** Adds what was tried to an error that says there are no credentials. Returns others unchanged. */
  explain(error: unknown): unknown;
}

const source = /^@aws-sdk\/credential-provider-node - (?:defaultProvider|remoteProvider)::(.+)$/;
const reason = /^@smithy\/property-provider -> (.+)$/s;

// The SDK tries about ten sources. A longer trail belongs to several calls at once.
const maxTrail = 30;

/**
 * Makes a recorder of the SDK's default credential chain. When the chain finds nothing, its error does
 * not say what was tried. Only its debug log contains the sources and the reasons.
 */
export function makeCredentialTrail(): CredentialTrail {
  let trail: string[] = [];
  const ignore = () => {};
  return {
    logger: {
      debug(...words) {
        const text = words.join(' ');
        const [, provider] = source.exec(text) ?? [];
        const [, cause] = reason.exec(text) ?? [];
        if (provider === 'fromEnv') trail = [];
        if (provider !== undefined) trail.push(provider);
        else if (cause !== undefined && trail.length > 0) trail.push(`(${cause})`);
        trail = trail.slice(-maxTrail);
      },
      info: ignore,
      warn: ignore,
      error: ignore,
    },
    explain(error) {
      if (!(error instanceof Error) || error.name !== 'CredentialsProviderError') return error;
      const message = `${error.message}. Tried: ${trail.join(' ')}.${hopLimitHint(trail)}`;
      return Object.assign(new Error(message, { cause: error }), { name: error.name });
    },
  };
}

function hopLimitHint(trail: readonly string[]): string {
  if (!trail.includes('fromInstanceMetadata')) return '';
  return ' In a container on EC2, instance metadata (IMDSv2) answers only with a hop limit of 2: set HttpPutResponseHopLimit of the instance to 2, or give the container a role of its own (ECS task role, IRSA, EKS pod identity).';
}
