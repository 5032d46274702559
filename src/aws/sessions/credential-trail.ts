/** What the AWS SDK says while it looks for credentials. */
export interface CredentialTrail {
  /** For the option `logger` of a client. */
  logger: Record<'debug' | 'info' | 'warn' | 'error', (...words: unknown[]) => void>;
  /** The error of a call; if there were no credentials for it, with what was tried. */
  explain(error: unknown): unknown;
}

const source = /^@aws-sdk\/credential-provider-node - (?:defaultProvider|remoteProvider)::(.+)$/;
const reason = /^@smithy\/property-provider -> (.+)$/s;

// The SDK looks in some ten places. More than this is the trail of several calls at once.
const longestTrail = 30;

/**
 * Makes what keeps the trail of the SDK's default chain. When the chain finds nothing, its error says
 * no more than that; where it looked, and why that was of no use, it says in debug lines alone.
 */
export function makeCredentialTrail(): CredentialTrail {
  let trail: string[] = [];
  const ignore = () => {};
  return {
    logger: {
      debug(...words) {
        const text = words.join(' ');
        const [, place] = source.exec(text) ?? [];
        const [, why] = reason.exec(text) ?? [];
        if (place === 'fromEnv') trail = [];
        if (place !== undefined) trail.push(place);
        else if (why !== undefined && trail.length > 0) trail.push(`(${why})`);
        trail = trail.slice(-longestTrail);
      },
      info: ignore,
      warn: ignore,
      error: ignore,
    },
    explain(error) {
      if (!(error instanceof Error) || error.name !== 'CredentialsProviderError') return error;
      const told = new Error(`${error.message}. Tried: ${trail.join(' ')}.${hopLimit(trail)}`, {
        cause: error,
      });
      return Object.assign(told, { name: error.name });
    },
  };
}

function hopLimit(trail: readonly string[]): string {
  if (!trail.includes('fromInstanceMetadata')) return '';
  return ' In a container on EC2, instance metadata (IMDSv2) answers only with a hop limit of 2: set HttpPutResponseHopLimit of the instance to 2, or give the container a role of its own (ECS task role, IRSA, EKS pod identity).';
}
