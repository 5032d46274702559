import type { ProxyEnv } from 'node:http';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { PollSleep } from '#files/reload-signal.ts';
import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import { backOffMs } from '#time/back-off.ts';
import { untilAborted } from '#time/until-aborted.ts';
import type { IssuerSettings } from '../settings.ts';
import { fetchJson } from './fetch-json.ts';

/** What the keys of an issuer are opened with. Times in milliseconds. */
export interface IssuerKeysOptions {
  readFile: (path: string) => Promise<string>;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: PollSleep;
  log: Log;
  /** Deadline for fetching discovery document and JWKS together; 5 s when absent. */
  fetchMs?: number;
  /** The forward proxy, in the form of Node's agents; none when absent. */
  proxyEnv?: ProxyEnv | undefined;
}

/** A key and the key set that contains it. */
export interface FoundKey {
  key: Awaited<ReturnType<JWTVerifyGetKey>>;
  set: JWTVerifyGetKey;
}

/** The current JWKS of an issuer. */
export interface IssuerKeys extends AsyncDisposable {
  /** The current key set: a new object when a key was added or removed; undefined before the first fetch. */
  current(): JWTVerifyGetKey | undefined;
  /**
   * Finds the key that a token names. If it is unknown, the JWKS is fetched again.
   * @throws Problem not-ready before the first fetch, otherwise what jose throws
   */
  find(...args: Parameters<JWTVerifyGetKey>): Promise<FoundKey>;
}

// Lower: useless requests to the issuer. Higher: a removed key stays valid longer.
const refreshIntervalMs = 4 * 60_000;
// Lower: tokens with made-up key ids cause more requests to the issuer. Higher: callers with a new key
// are refused longer.
const minFetchIntervalMs = 40_000;
// Before the first fetch all tokens of the issuer are refused, so it is retried sooner.
const pauses = { firstMs: 1_000, maxMs: minFetchIntervalMs };

/**
 * Opens the JWKS of an issuer. It is fetched at once, every four minutes, and when a token names an
 * unknown key. While the issuer is down, the known keys stay valid. The remote key set of jose differs: it
 * refuses every token when a refresh fails, and sends a request for each unknown key id.
 */
export function openIssuerKeys(settings: IssuerSettings, options: IssuerKeysOptions): IssuerKeys {
  const { issuer } = settings;
  const { elapsed, sleep, log } = options;
  const stop = new AbortController();
  let keys: { text: string; set: JWTVerifyGetKey } | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;
  const outage = makeOutageLog({ log });

  async function fetchOnce(): Promise<void> {
    fetchedAt = elapsed();
    try {
      const jwks = await fetchKeys(settings, options, stop.signal);
      outage.worked({ issuer }, 'fetched JWKS again');
      const text = JSON.stringify(jwks);
      if (text === keys?.text) return;
      keys = { text, set: createLocalJWKSet(jwks) };
      log.info({ issuer }, 'fetched new JWKS');
    } catch (err) {
      if (stop.signal.aborted) return;
      const effect = keys
        ? 'the previous keys stay valid'
        : 'all tokens of this issuer are rejected';
      outage.failed({ issuer, err }, `failed to fetch JWKS; ${effect}`);
    }
  }

  /** Fetches the JWKS unless that happened a moment ago. Concurrent calls share one fetch. */
  async function refresh(): Promise<void> {
    const isDue = !keys || elapsed() - fetchedAt >= minFetchIntervalMs;
    if (!fetching && !isDue) return;
    fetching ??= fetchOnce().finally(() => {
      fetching = undefined;
    });
    await fetching;
  }

  async function keepUpToDate(): Promise<void> {
    for (let attempts = 0; !stop.signal.aborted; attempts += 1) {
      await refresh();
      await sleep(keys ? refreshIntervalMs : backOffMs(attempts, pauses), stop.signal);
    }
  }

  async function find(...args: Parameters<JWTVerifyGetKey>): Promise<FoundKey> {
    if (!keys) await fetching;
    if (!keys) {
      throw new Problem(
        'not-ready',
        'The service has not fetched the keys of the issuer of this token yet.',
      );
    }
    try {
      return await findIn(keys.set, args);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      return await findIn(keys.set, args);
    }
  }

  const ended = keepUpToDate();
  return {
    current: () => keys?.set,
    find,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

async function findIn(set: JWTVerifyGetKey, args: Parameters<JWTVerifyGetKey>): Promise<FoundKey> {
  return { set, key: await set(...args) };
}

/** Fetches the JWKS from the URL of the settings or of the discovery document. */
async function fetchKeys(
  { issuer, jwksUri, bearerTokenFile }: IssuerSettings,
  { readFile, fetchMs = 5_000, proxyEnv }: IssuerKeysOptions,
  stopped: AbortSignal,
): Promise<JSONWebKeySet> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(fetchMs)]);
  // Read each time: a token that Kubernetes mounts is valid for an hour.
  const token = bearerTokenFile && (await readInTime(bearerTokenFile, readFile, signal)).trim();
  const headers = {
    accept: 'application/json, application/jwk-set+json',
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const read = (url: string) => fetchJson(url, { headers, signal, proxyEnv });
  const url = jwksUri ?? readJwksUri(issuer, await read(discoveryUrl(issuer)));
  return (await read(url)) as JSONWebKeySet; // jose validates it
}

/** Reads a file, but no longer than until the signal aborts. */
function readInTime(
  path: string,
  readFile: (path: string) => Promise<string>,
  signal: AbortSignal,
): Promise<string> {
  return untilAborted(readFile(path), signal).catch((cause: Error) => {
    throw new Error('bearerTokenFile cannot be read', { cause });
  });
}

function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Reads the URL of the JWKS. Plain HTTP is refused if the issuer itself uses HTTPS. */
export function readJwksUri(issuer: string, document: unknown): string {
  const { issuer: named, jwks_uri: uri } = (document ?? {}) as Record<string, unknown>;
  if (named !== issuer) throw new Error('the discovery document belongs to another issuer');
  const isSafe = typeof uri === 'string' && /^https:/.test(uri);
  const isPlainAllowed =
    typeof uri === 'string' && issuer.startsWith('http:') && /^http:/.test(uri);
  if (isSafe || isPlainAllowed) return uri;
  throw new Error('the discovery document has no usable jwks_uri');
}
