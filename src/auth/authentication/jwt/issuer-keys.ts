import type { ProxyEnv } from 'node:http';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { backOffMs } from '#time/back-off.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { IssuerSettings } from '../settings.ts';
import { fetchJson } from './fetch-json.ts';

/** What the keys of an issuer are opened with. Times in milliseconds. */
export interface IssuerKeysOptions {
  readFile: (path: string) => Promise<string>;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: AbortableSleep;
  log: Pick<Log, 'info' | 'warn'>;
  /** How long discovery and keys together may take; 5 s when absent. */
  fetchMs?: number;
  /** The forward proxy on the way, in the words of Node's agents; none when absent. */
  proxyEnv?: ProxyEnv | undefined;
}

/** A key, and the set it is of. */
export interface FoundKey {
  key: Awaited<ReturnType<JWTVerifyGetKey>>;
  set: JWTVerifyGetKey;
}

/** The keys an issuer signs with, kept up to date. */
export interface IssuerKeys extends AsyncDisposable {
  /** The set in force: another object as soon as a key has come or gone; undefined before the first. */
  current(): JWTVerifyGetKey | undefined;
  /**
   * Finds the key a token names; where there is none of that id, the issuer is asked anew.
   * @throws Problem not-ready while there are no keys at all, else what jose throws
   */
  find(...question: Parameters<JWTVerifyGetKey>): Promise<FoundKey>;
}

// A withdrawn key lives on for as long. Sooner costs the issuer a request for nothing each time.
const refreshIntervalMs = 4 * 60_000;
// Tokens with made-up key ids cost the issuer one request in this time, and callers with a new key
// wait for at most as long. Two in a minute, then, and no more.
const askAgainAfterMs = 40_000;
// While there are no keys nobody of this issuer comes in: so they are asked for sooner.
const pauses = { firstMs: 1_000, maxMs: askAgainAfterMs };

/**
 * Opens the keys of an issuer: fetched at once, looked at every four minutes, and asked for when a
 * token names an unknown one. An issuer that cannot be asked changes nothing: known keys stay good
 * for as long as that lasts. jose's own remote key set does not do that: when a look at old keys
 * fails it refuses every token, and while the issuer is away each unknown id asks it again.
 */
export function openIssuerKeys(settings: IssuerSettings, options: IssuerKeysOptions): IssuerKeys {
  const { issuer } = settings;
  const { elapsed, sleep, log } = options;
  const stop = new AbortController();
  let keys: { text: string; set: JWTVerifyGetKey } | undefined;
  let polledAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    polledAt = elapsed();
    try {
      const jwks = await fetchKeys(settings, options, stop.signal);
      const text = JSON.stringify(jwks);
      if (text === keys?.text) return;
      keys = { text, set: createLocalJWKSet(jwks) };
      log.info({ issuer }, 'fetched new JWKS');
    } catch (err) {
      if (stop.signal.aborted) return;
      const effect = keys
        ? 'the previous keys stay valid'
        : 'all tokens of this issuer are rejected';
      log.warn({ issuer, err }, `failed to fetch JWKS; ${effect}`);
    }
  }

  /** Asks unless that was done a moment ago; whoever comes meanwhile waits for the same answer. */
  async function refresh(): Promise<void> {
    const isDue = !keys || elapsed() - polledAt >= askAgainAfterMs;
    if (!asking && !isDue) return;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    await asking;
  }

  async function keepUpToDate(): Promise<void> {
    for (let attempts = 0; !stop.signal.aborted; attempts += 1) {
      await refresh();
      await sleep(keys ? refreshIntervalMs : backOffMs(attempts, pauses), stop.signal);
    }
  }

  async function find(...question: Parameters<JWTVerifyGetKey>): Promise<FoundKey> {
    if (!keys) await asking;
    if (!keys) {
      throw new Problem(
        'not-ready',
        'The service has not fetched the keys of the issuer of this token yet.',
      );
    }
    try {
      return await findIn(keys.set, question);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      return await findIn(keys.set, question);
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

async function findIn(
  set: JWTVerifyGetKey,
  question: Parameters<JWTVerifyGetKey>,
): Promise<FoundKey> {
  return { set, key: await set(...question) };
}

/** Fetches the keys from where the settings, or else the discovery document, say that they are. */
async function fetchKeys(
  { issuer, jwksUri, bearerTokenFile }: IssuerSettings,
  { readFile, fetchMs = 5_000, proxyEnv }: IssuerKeysOptions,
  stopped: AbortSignal,
): Promise<JSONWebKeySet> {
  // Read anew each time: what Kubernetes mounts is good for an hour.
  const token = bearerTokenFile && (await readFile(bearerTokenFile)).trim();
  const headers = {
    accept: 'application/json, application/jwk-set+json',
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(fetchMs)]);
  const read = (url: string) => fetchJson(url, { headers, signal, proxyEnv });
  const at = jwksUri ?? readJwksUri(issuer, await read(discoveryUrl(issuer)));
  return (await read(at)) as JSONWebKeySet; // jose looks whether it is one
}

function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Reads where the keys are; not over plain HTTP when the issuer itself has better. */
export function readJwksUri(issuer: string, document: unknown): string {
  const { issuer: named, jwks_uri: uri } = (document ?? {}) as Record<string, unknown>;
  if (named !== issuer) throw new Error('the discovery document is that of another issuer');
  const isSafe = typeof uri === 'string' && /^https:/.test(uri);
  const isPlainToo = typeof uri === 'string' && issuer.startsWith('http:') && /^http:/.test(uri);
  if (isSafe || isPlainToo) return uri;
  throw new Error('the discovery document has no usable jwks_uri');
}
