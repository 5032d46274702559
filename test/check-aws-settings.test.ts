import { beforeEach, describe, expect, test } from 'vitest';
import { checkSurroundings } from '#config/check-aws-settings.ts';
import { readConfig } from '#config/read-config.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { pointSdkAt } from './world.ts';

/** The log lines of `checkSurroundings` for an environment. */
async function check(env: NodeJS.ProcessEnv): Promise<object[]> {
  const lines: object[] = [];
  const log = makeLogger('info', {
    write(line: string) {
      const { time: _now, ...facts } = JSON.parse(line);
      lines.push(facts);
    },
  });
  await checkSurroundings(
    readConfig(env, () => ''),
    log,
  );
  return lines;
}

beforeEach(() => pointSdkAt(''));

describe('checkSurroundings', () => {
  test('logs nothing for a listed Region', async () => {
    expect(await check({ AWS_REGION: 'eusc-de-east-1' })).toEqual([]);
  });

  test('warns of a Region the AWS SDK does not list, and logs the partition it assumes', async () => {
    expect(await check({ AWS_REGION: 'eu-wset-1' })).toEqual([
      {
        level: 'warn',
        region: 'eu-wset-1',
        partition: 'aws',
        dnsSuffix: 'amazonaws.com',
        msg: 'the AWS SDK does not list this Region; check its spelling and partition',
      },
    ]);
  });

  test('warns when only the STS endpoint is overridden', async () => {
    process.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';

    expect(await check({ AWS_REGION: 'eu-west-1' })).toMatchObject([
      {
        level: 'warn',
        url: 'http://127.0.0.1:1',
        msg: expect.stringContaining('the STS endpoint is overridden'),
      },
    ]);
  });

  test('rejects an STS endpoint that is not a URL', async () => {
    process.env.AWS_ENDPOINT_URL_STS = 'notaurl';

    await expect(check({ AWS_REGION: 'eu-west-1' })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^The endpoint of STS for eu-west-1 is not usable \(/),
    });
  });

  test('rejects a role of another partition than the Region', async () => {
    const SERVICE_ROLE_ARN = 'arn:aws:iam::123456789012:role/log-export';

    await expect(check({ AWS_REGION: 'cn-north-1', SERVICE_ROLE_ARN })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `Target "default" is in cn-north-1, in the partition aws-cn, but its role ${SERVICE_ROLE_ARN} is in the partition aws; the ARN must begin with arn:aws-cn:iam::.`,
    });
  });

  test('accepts a role of any partition in a Region the AWS SDK does not list', async () => {
    const SERVICE_ROLE_ARN = 'arn:aws-new:iam::123456789012:role/log-export';

    await expect(check({ AWS_REGION: 'mars-north-1', SERVICE_ROLE_ARN })).resolves.toHaveLength(1);
  });
});

describe('the forward proxy', () => {
  const region = { AWS_REGION: 'eu-west-1' };
  const read = (env: NodeJS.ProcessEnv) => readConfig({ ...region, ...env }, () => '').proxyEnv;

  test('is absent unless a variable names it', () => {
    expect(read({ NO_PROXY: 'example.com', https_proxy: '' })).toBeUndefined();
  });

  test('comes from either form of a variable, and the lower-case one wins', () => {
    const lower = { https_proxy: 'http://lower:3128', no_proxy: 'b' };
    const upper = { HTTPS_PROXY: 'http://upper:3128', NO_PROXY: 'a' };

    expect(read(upper)).toMatchObject({ HTTPS_PROXY: 'http://upper:3128' });
    expect(read({ ...upper, ...lower })).toEqual({
      HTTPS_PROXY: 'http://lower:3128',
      NO_PROXY: 'localhost,127.0.0.1-127.255.255.254,::1,[::1],b',
    });
  });

  test.for([
    'proxy.example.com:3128',
    'socks5://proxy.example.com:1080',
    'http://user:s3cret@proxy.example.com:3128/path',
    'http://user:s3cret%zz@proxy.example.com:3128',
  ])(
    'is rejected without repeating it when it is not the URL of an HTTP proxy: %s',
    (HTTPS_PROXY) => {
      expect(() => read({ HTTPS_PROXY })).toThrow(
        /^HTTPS_PROXY is set, but must be the URL of an HTTP proxy such as http:\/\/proxy\.example\.com:3128\.$/,
      );
    },
  );

  test('is rejected when its port is out of range', () => {
    expect(() => read({ HTTP_PROXY: 'http://user:s3cret@proxy.example.com:99999' })).toThrow(
      /^HTTP_PROXY is set, but is not a URL; check its host and port\.$/,
    );
  });

  test('causes a warning when only HTTP_PROXY is set', async () => {
    expect(await check({ ...region, HTTP_PROXY: 'http://user:s3cret@proxy:3128' })).toEqual([
      expect.objectContaining({ level: 'info', httpProxy: 'http://proxy:3128' }),
      expect.objectContaining({ level: 'warn', msg: expect.stringContaining('set HTTPS_PROXY') }),
    ]);
  });
});
