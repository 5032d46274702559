import { configError } from './config-error.ts';

/**
 * Turns an error of `listen` into one named ConfigError that says which setting to change. Returns
 * an error without such a meaning as it is.
 */
export function toListenError(
  error: unknown,
  { host, port }: { host: string; port: number },
): unknown {
  const { code = '' } = error as { code?: string };
  const choosePort = 'Set EMULATOR_PORT or the option port to another one.';
  const chooseHost =
    'Set HOST or the option host to an address of this machine, such as 127.0.0.1, without a port.';
  switch (code) {
    case 'EADDRINUSE':
      return configError(
        `Another process listens on port ${port} of ${host} (${code}). ${choosePort}`,
      );
    case 'EACCES':
      return configError(`This user may not listen on port ${port} (${code}). ${choosePort}`);
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return configError(`${host} is not an address of this machine (${code}). ${chooseHost}`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return configError(
        `The host name ${JSON.stringify(host)} does not resolve (${code}). ${chooseHost}`,
      );
    default:
      return error;
  }
}
