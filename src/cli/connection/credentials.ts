import { makeUsageError } from '../exit-codes.ts';
import type { Surroundings } from '../surroundings.ts';
import type { GatewayPlace } from './gateway-url.ts';

const toHeader = {
  LOG_EXPORT_TOKEN_FILE: (token: string) => ({ authorization: `Bearer ${token}` }),
  LOG_EXPORT_API_KEY_FILE: (key: string) => ({ 'x-api-key': key }),
} as const;

/**
 * Makes the reader of the credential. It reads the file for each request, because tokens are replaced while
 * the command waits for hours. No message contains the credential.
 * @throws CommandError of exit code 2
 */
export function makeCredentialReader(
  { env, readFile }: Pick<Surroundings, 'env' | 'readFile'>,
  place: GatewayPlace,
): () => Record<string, string> {
  const names = ['LOG_EXPORT_TOKEN_FILE', 'LOG_EXPORT_API_KEY_FILE'] as const;
  const [name, other] = names.filter((each) => (env[each] ?? '') !== '');
  if (name === undefined) return () => ({});
  if (other !== undefined) throw makeUsageError(`Set only one of ${names.join(' and ')}.`);
  if (!place.isSafe && env.LOG_EXPORT_PLAIN_HTTP !== 'allowed') {
    throw makeUsageError(
      `${place.base} is neither HTTPS nor this machine: others could read the credential of ${name}. Use https, or set LOG_EXPORT_PLAIN_HTTP=allowed.`,
    );
  }
  const path = env[name] ?? '';
  return () => toHeader[name](readCredential(readFile, name, path));
}

function readCredential(readFile: Surroundings['readFile'], name: string, path: string): string {
  let text: string;
  try {
    text = readFile(path).trim();
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw makeUsageError(`${name} names a file that cannot be read: ${path} (${code}).`);
  }
  if (text === '') throw makeUsageError(`${name} names an empty file: ${path}.`);
  // The error of `fetch` for an invalid header would contain it.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw makeUsageError(
      `${name} must name a file with one line of ASCII without spaces: ${path}.`,
    );
  }
  return text;
}
