// The longest text that is looked at: an ARN of the longest name, or a URL with the longest key.
const maxLength = 2_048;

const bucketName = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
// All are anchored, and no part can match in two ways.
const bucketForms = [
  /^arn:[a-z0-9-]+:s3:::([^:/]+)(?:\/(.*))?$/,
  /^s3[an]?:\/\/([^:/]+)(?:\/(.*))?$/,
  /^https?:\/\/s3[^/]*\.amazonaws\.[^/]+\/([^:/]+)(?:\/(.*))?$/,
  /^([^:/]+)\/(.*)$/,
];
const bucketHost = /^https?:\/\/([^:/]+)(?:\/(.*))?$/;

/** What to write instead of an ARN or URL of a bucket, in words; `undefined` where it cannot be known. */
export function meantBucket(text: string): string | undefined {
  if (text.length > maxLength) return undefined;
  const [bucket, key] = readHost(text) ?? readForms(text) ?? [];
  if (bucket === undefined || !bucketName.test(bucket)) return undefined;
  const prefix = key?.replace(/^\/|\*$/g, '');
  const beside = prefix ? `, and ${JSON.stringify(prefix)} as destinationPrefix` : '';
  return `write ${JSON.stringify(bucket)}${beside}`;
}

function readForms(text: string): (string | undefined)[] | undefined {
  for (const form of bucketForms) {
    const found = form.exec(text);
    if (found) return [found[1], found[2]];
  }
  return undefined;
}

/** Of a URL whose host begins with the bucket. */
function readHost(text: string): [bucket: string, key?: string] | undefined {
  const [, host = '', key] = bucketHost.exec(text) ?? [];
  const end = ['.s3.', '.s3-'].map((mark) => host.indexOf(mark)).find((at) => at > 0);
  if (end === undefined || !host.includes('.amazonaws.')) return undefined;
  return key === undefined ? [host.slice(0, end)] : [host.slice(0, end), key];
}

const logGroupArn = /^arn:[a-z0-9-]+:logs:[a-z0-9-]*:\d*:log-group:([^:]+)(?::.*)?$/;
const nameAndStar = /^([.\-_/#A-Za-z0-9]+)\*$/;

/** What to write instead of an ARN or a pattern of log groups, where one is named. */
export function meantLogGroup(text: string): string | undefined {
  const name = nameInArn(text);
  const [, prefix] = nameAndStar.exec(name ?? '') ?? [];
  if (prefix !== undefined) {
    return `this is one log group by its whole name; for all that begin with it create an export job with logGroupNamePrefix ${JSON.stringify(prefix)}`;
  }
  return name === undefined || name === text ? undefined : `write ${JSON.stringify(name)}`;
}

/** What to write instead of an ARN or a pattern of log groups, where a prefix is asked for. */
export function meantLogGroupPrefix(text: string): string | undefined {
  const name = nameInArn(text);
  const [, prefix = name] = nameAndStar.exec(name ?? '') ?? [];
  return prefix === undefined || prefix === text ? undefined : `write ${JSON.stringify(prefix)}`;
}

/** The name in an ARN of a log group; what is none, as it is. */
function nameInArn(text: string): string | undefined {
  if (text.length > maxLength) return undefined;
  return logGroupArn.exec(text)?.[1] ?? text;
}
