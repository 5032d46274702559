import { Type } from '@sinclair/typebox';

/** A rule for the ARN of an IAM role. */
export const roleArn = Type.String({
  pattern: String.raw`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`,
});
/**
 * A rule for the form of an AWS Region. It lists no Regions, because AWS adds new ones. The prefix `fips-`
 * is refused: it belongs to an endpoint, and AWS_USE_FIPS_ENDPOINT selects those.
 */
export const region = Type.String({
  pattern: '^(?!fips-)[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$',
  maxLength: 32,
});
/** A rule for a URL without query and fragment, such as that of an issuer. */
export const url = Type.String({ pattern: String.raw`^https?://[^\s?#]+$` });
/** A rule for origins, which may be absent. */
export const origins = (description: string, example: string) =>
  Type.Optional(
    Type.String({
      pattern: String.raw`^https?://[^\s/,]+(?:,https?://[^\s/,]+)*$`,
      description,
      'x-rule': `origins such as ${example}, separated by commas`,
    }),
  );
/** A rule for an address to listen on. Default: loopback. */
export const address = (description: string) =>
  Type.String({
    // A name or an IP address. An IPv6 address has at least two colons, a name with a port has one.
    pattern:
      '^(?:[A-Za-z0-9._-]+|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?)$',
    default: '127.0.0.1',
    description,
    'x-rule': 'an IP address or host name, without brackets or port',
  });
/** A rule for a port to listen on. */
export const port = (description: string) =>
  Type.Integer({
    minimum: 0,
    maximum: 65_535,
    description,
    'x-rule': 'a port number from 0 to 65535 (0 selects a free port)',
  });
/** A rule for the path of a file, which may be absent. */
export const filePath = (description: string) =>
  Type.Optional(
    Type.String({ minLength: 1, description, 'x-rule': 'the path of a readable file' }),
  );
/** A rule for the URL of a forward proxy, which may be absent. */
export const proxy = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: String.raw`^https?://(?:(?:[^\s/?#@%]|%[0-9A-Fa-f]{2})*@)?[^\s/?#@]+/?$`,
      description,
      'x-rule': 'the URL of an HTTP proxy such as http://proxy.example.com:3128',
      'x-secret': true,
    }),
  );
/** A rule for a switch. */
export const onOrOff = (fallback: 'on' | 'off' | undefined, description: string) =>
  Type.Unsafe<'on' | 'off'>({
    type: 'string',
    enum: ['on', 'off'],
    ...(fallback !== undefined && { default: fallback }),
    description,
    'x-rule': 'on or off',
  });
/** A rule for a limit. */
export const limit = (fallback: number, description: string) =>
  Type.Integer({
    minimum: 0,
    default: fallback,
    description,
    'x-rule': 'a whole number, 0 or more',
  });

/** A number of days; 0 for no limit. */
export const days = (fallback: number, description: string) =>
  Type.Integer({
    minimum: 0,
    maximum: 36_500,
    default: fallback,
    description,
    'x-rule': 'a whole number from 0 to 36500',
  });
