import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

import { readFile } from '#files/read-file.ts';
import { configError } from '#problems/config-error.ts';

/** How to connect to each host of a DATABASE_URL, in its order. Only one of them is the primary. */
export type Servers = [pg.ClientConfig, ...pg.ClientConfig[]];

// The values of libpq that a primary satisfies. Only a primary can store jobs.
const sessionAttributes = ['any', 'read-write', 'primary'];

/** Parameters whose other values the driver accepts silently, with unexpected results. */
const allowedValues: Record<string, readonly string[]> = {
  sslmode: ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'],
  ssl: ['true', '1', 'false', '0'],
  sslnegotiation: ['postgres', 'direct'],
};

/**
 * Reads DATABASE_URL. Several hosts have the form of libpq:
 * `postgres://user@host1:5432,host2:5432/name` (https://www.postgresql.org/docs/current/libpq-connect.html).
 * @throws an error named ConfigError that says what to write, without the URL
 */
export function readServers(url: string): Servers {
  const [scheme = '', rest = ''] = split(url, '://');
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const path = end === -1 ? '' : rest.slice(end);
  checkParameters(parametersOf(path));
  const hostsFrom = authority.lastIndexOf('@') + 1;
  const hosts = authority.slice(hostsFrom).split(',');
  const servers = hosts.map((host) =>
    readServer(`${scheme}://${authority.slice(0, hostsFrom)}${host}${withFullVerification(path)}`),
  );
  return servers as Servers;
}

const parametersOf = (url: string) => new URLSearchParams(url.slice(url.indexOf('?') + 1));

function checkParameters(parameters: URLSearchParams): void {
  for (const [name, value] of parameters) {
    const allowed = allowedValues[name];
    if (allowed && !allowed.includes(value)) {
      throw configError(
        `DATABASE_URL contains ${name}=${value}, but ${name} must be one of ${allowed.join(', ')}.`,
      );
    }
    if (name === 'target_session_attrs' && !sessionAttributes.includes(value)) {
      throw configError(
        `DATABASE_URL contains target_session_attrs=${value}, but only a primary can store jobs; use read-write, or remove the parameter.`,
      );
    }
  }
}

function readServer(url: string): pg.ClientConfig {
  let server: pg.ClientConfig;
  try {
    server = parseIntoClientConfig(url);
  } catch (error) {
    const { path, message } = error as NodeJS.ErrnoException;
    if (path !== undefined) throw unreadableFile(url, path, message);
    throw unreadable(message); // the message contains neither URL nor password
  }
  if (server.host?.includes(',')) throw unreadable('several hosts in a parameter');
  return server;
}

const unreadable = (reason: string) =>
  configError(
    `DATABASE_URL is set, but is not the URL of a PostgreSQL (${reason}); write postgres://user:password@host:5432/name, several hosts as host1:5432,host2:5432, and in the password %40 for @, %3A for :, %2F for /, %3F for ?, %23 for # and %25 for %; or remove the password and set DATABASE_PASSWORD_FILE.`,
  );

/** Makes the error for an unreadable file that a parameter of the URL names. */
function unreadableFile(url: string, path: string, message: string): Error {
  const [name = 'a file'] = [...parametersOf(url)].find(([, value]) => value === path) ?? [];
  return configError(
    `DATABASE_URL contains ${name}, but it must be the path of a readable file (${message}).`,
  );
}

/**
 * Reads every mode with TLS as `verify-full`, as the driver does. Writing it explicitly avoids the
 * driver's warning at each start.
 */
function withFullVerification(path: string): string {
  if (path.includes('uselibpqcompat=true')) return path;
  return path.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}

/**
 * Reads the password from a file, without a newline at its end.
 * @throws an error named ConfigError if the file is not readable
 */
export async function readPassword(path: string): Promise<string> {
  const content = await readFile(path).catch(({ message }: Error) => {
    throw configError(
      `DATABASE_PASSWORD_FILE is ${JSON.stringify(path)}, but must be the path of a readable file (${message}).`,
    );
  });
  return content.toString().replace(/\r?\n$/, '');
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return [text.slice(0, index), text.slice(index + at.length)];
}
