// The longest text that is parsed: an ARN with the longest name, or a URL with the longest key.
const maxLength = 2_048;

const bucketName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;
const arnOrScheme = /^(?:arn:[a-z0-9-]+:s3:::|s3[an]?:\/\/)/i;

/** Suggests a bucket name for an ARN or URL of a bucket; `undefined` when there is none. */
export function suggestBucket(text: string): string | undefined {
  if (text.length > maxLength) return undefined;
  const visible = text.replaceAll(/\p{Cf}/gu, '').trim();
  const bucketAndKey = readUrl(visible) ?? visible.replace(arnOrScheme, '');
  const [bucket = '', ...names] = bucketAndKey.split('/');
  if (!bucketName.test(bucket)) return undefined;
  const prefix = names.join('/').replace(/\*$/, '');
  const andPrefix = prefix && `, and ${JSON.stringify(prefix)} as destinationPrefix`;
  return `write ${JSON.stringify(bucket)}${andPrefix}`;
}

/** The bucket and the key of an S3 URL, joined by a slash. The bucket is in its host or in its path. */
function readUrl(text: string): string | undefined {
  const [, host = '', path = ''] = /^https?:\/\/([^:/]+)(?:\/(.*))?$/i.exec(text) ?? [];
  if (!host.includes('.amazonaws.')) return undefined;
  if (/^s3[.-]/.test(host)) return path;
  const end = ['.s3.', '.s3-'].map((mark) => host.indexOf(mark)).find((at) => at > 0);
  return end === undefined ? undefined : `${host.slice(0, end)}/${path}`;
}

const logGroupArn = /^arn:[a-z0-9-]+:logs:[a-z0-9-]*:\d*:log-group:([^:]+)(?::.*)?$/;
const nameWithStar = /^([.\-_/#A-Za-z0-9]+)\*$/;

/** Suggests a log group name for an ARN or a pattern of log groups. */
export function suggestLogGroup(text: string): string | undefined {
  const name = nameInArn(text);
  const [, prefix] = nameWithStar.exec(name ?? '') ?? [];
  if (prefix !== undefined) {
    return `logGroupName is the whole name of one log group; to export all whose name begins with it, create an export job with logGroupNamePrefix ${JSON.stringify(prefix)}`;
  }
  return name === undefined || name === text ? undefined : `write ${JSON.stringify(name)}`;
}

/** Suggests a log group name prefix for an ARN or a pattern of log groups. */
export function suggestLogGroupPrefix(text: string): string | undefined {
  const name = nameInArn(text);
  const [, prefix = name] = nameWithStar.exec(name ?? '') ?? [];
  return prefix === undefined || prefix === text ? undefined : `write ${JSON.stringify(prefix)}`;
}

/** The name in the ARN of a log group. Other texts are returned unchanged. */
function nameInArn(text: string): string | undefined {
  if (text.length > maxLength) return undefined;
  return logGroupArn.exec(text)?.[1] ?? text;
}
