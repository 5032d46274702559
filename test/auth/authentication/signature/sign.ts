import { createHash, createHmac } from 'node:crypto';

/** A request to sign by hand, also in ways that no SDK would. */
export interface Unsigned {
  accessKeyId: string;
  secretAccessKey: string;
  /** Epoch ms. */
  at: number;
  path?: string;
  region?: string;
  service?: string;
  body?: string | Buffer;
  /** Further headers. Names in lower case. */
  headers?: Record<string, string>;
  /** The names of the signed headers. Default: all. */
  signedHeaders?: string[];
  /** Replaces X-Amz-Date. */
  date?: string;
  /** Replaces the hash of the body. */
  bodyHash?: string;
}

/** A signed request. */
export interface Signed {
  path: string;
  headers: Record<string, string>;
  body: string | Buffer;
}

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();

/** Signs a request, step by step as the documentation of AWS describes it. */
export function sign(unsigned: Unsigned): Signed {
  const { accessKeyId, secretAccessKey, at, path = '/', body = '{}' } = unsigned;
  const { region = 'eu-west-1', service = 'logs', bodyHash = sha256(body) } = unsigned;
  const { date = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '') } = unsigned;
  const headers: Record<string, string> = {
    host: 'gateway',
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': date,
    'x-amz-target': 'Logs_20140328.DescribeExportTasks',
    ...unsigned.headers,
  };
  const signedHeaders = unsigned.signedHeaders ?? Object.keys(headers).sort();
  const names = signedHeaders.join(';');
  const canonical = `POST\n${path}\n\n${signedHeaders
    .map((name) => `${name}:${headers[name] ?? ''}\n`)
    .join('')}\n${names}\n${bodyHash}`;
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`);
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature.toString('hex')}`;
  return { path, headers: { ...headers, authorization }, body };
}
