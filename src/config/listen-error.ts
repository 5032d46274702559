import { configError } from '#problems/config-error.ts';

/** Where a process was to listen. */
interface ListenAddress {
  host: string;
  port: number;
}

/**
 * What it means for the settings that a place cannot be listened on, as an error named ConfigError;
 * the error itself where it means nothing for them.
 */
export function toListenError(error: unknown, { host, port }: ListenAddress): unknown {
  const { code = '' } = error as { code?: string };
  const named = `HOST is ${JSON.stringify(host)}`;
  const choose = 'set it to an address of this machine, such as 127.0.0.1, or to 0.0.0.0 for all';
  switch (code) {
    case 'EADDRINUSE':
      return configError(
        `PORT is ${port}, which another process listens on at ${host}; set it to another port.`,
      );
    case 'EACCES':
      return configError(
        `PORT is ${port}, which this user may not listen on; set it to 1024 or more.`,
      );
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return configError(`${named}, which is no address of this machine (${code}); ${choose}.`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return configError(`${named}, a name that does not resolve (${code}); ${choose}.`);
    default:
      return error;
  }
}
