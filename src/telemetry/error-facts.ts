import { Problem } from '#problems/problem.ts';

/** The logged members of an error. Other members may contain secrets. */
interface ErrorFacts {
  type: string;
  message: string;
  code?: unknown;
  metadata?: unknown;
  responseBody?: string;
  stack?: string | undefined;
  cause?: ErrorFacts;
}

// Lower: the error page of a proxy cannot be recognised. Higher: too long for one line.
const maxBodyLength = 2_000;
const maxCauseDepth = 5;

// Classes of PostgreSQL's codes: connections, credentials, unknown database, resources, shutdown.
const sqlClasses = new Set(['08', '28', '3D', '53', '57']);
const tlsCodes = /CERT|^UNABLE_|^ERR_TLS_|^ERR_SSL_/;
const systemCodes = /^E[A-Z0-9_]+$/;

function isEnvironmentCode(code: string): boolean {
  if (tlsCodes.test(code)) return true;
  if (code.length === 5 && sqlClasses.has(code.slice(0, 2))) return true;
  return systemCodes.test(code) && !code.startsWith('ERR_'); // Node's own checks
}

// Errors without a code that are no defect: settings, and credentials that AWS or the machine refuses.
const environmentNames = new Set([
  'ConfigError',
  'CredentialsProviderError',
  'CredentialsRefused',
  'CallerRefused',
  'CredentialsUnavailable',
]);

const defects = [TypeError, RangeError, ReferenceError, SyntaxError, URIError, EvalError];

/**
 * Whether the environment caused an error, and not a defect here. Its stack would only show the driver,
 * again and again during an outage.
 */
function isOfEnvironment(error: Error, isBehindProblem: boolean): boolean {
  if (defects.some((defect) => error instanceof defect)) return false;
  if (error instanceof Problem) return error.slug !== 'internal-error';
  if (error instanceof AggregateError) {
    return error.errors.every((each) => each instanceof Error && isOfEnvironment(each, false));
  }
  const { name, code, $metadata } = error as { name: string; code?: unknown; $metadata?: unknown };
  if (environmentNames.has(name) || $metadata !== undefined) return true;
  if (typeof code === 'string') return isEnvironmentCode(code);
  return isBehindProblem; // some connection failures of drivers have no code
}

/** Returns the facts of an error and its causes for the log; `$…` are members of AWS SDK errors. */
export function toErrorFacts(
  error: unknown,
  depth = 0,
  isBehindProblem = false,
): ErrorFacts | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, $metadata, $responseBodyText } = error as {
    code?: unknown;
    $metadata?: unknown;
    $responseBodyText?: string;
  };
  const isEnvironment = isOfEnvironment(error, isBehindProblem);
  const isProblem = isEnvironment && error instanceof Problem;
  const cause = depth < maxCauseDepth ? toErrorFacts(error.cause, depth + 1, isProblem) : undefined;
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...($metadata !== undefined && { metadata: $metadata }),
    ...($responseBodyText !== undefined && {
      responseBody: $responseBodyText.slice(0, maxBodyLength),
    }),
    ...(!isEnvironment && { stack: error.stack }),
    ...(cause && { cause }),
  };
}
