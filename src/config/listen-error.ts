import { configError } from '#problems/config-error.ts';

/** The address that a process tried to listen on. */
interface ListenAddress {
  host: string;
  port: number;
  /** What the names of its settings begin with. Default: nothing. */
  prefix?: string;
}

/**
 * Turns an error of `listen` into an error named ConfigError that names the setting to change. An
 * error that no setting causes is returned as it is.
 */
export function toListenError(error: unknown, { host, port, prefix = '' }: ListenAddress): unknown {
  const { code = '' } = error as { code?: string };
  const named = `${prefix}HOST is ${JSON.stringify(host)}`;
  const choose = 'set it to an address of this machine, such as 127.0.0.1, or to 0.0.0.0 for all';
  switch (code) {
    case 'EADDRINUSE':
      return configError(
        `${prefix}PORT is ${port}, but another process already listens on it at ${host}; choose another port.`,
      );
    case 'EACCES':
      return configError(
        `${prefix}PORT is ${port}, but this user may not listen on it; choose 1024 or above.`,
      );
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return configError(`${named}, which is not an address of this machine (${code}); ${choose}.`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return configError(`${named}, but this name does not resolve (${code}); ${choose}.`);
    default:
      return error;
  }
}
