import { beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '#config/config.ts';
import { checkSurroundings } from '#config/surroundings.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { pointSdkAt } from './world.ts';

/** What is logged of the surroundings that an environment describes. */
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

describe('at the start', () => {
  test('a usual Region is not worth a line', async () => {
    expect(await check({ AWS_REGION: 'eusc-de-east-1' })).toEqual([]);
  });

  test('a Region the AWS SDK does not list is told of, with what is assumed of it', async () => {
    expect(await check({ AWS_REGION: 'eu-wset-1' })).toEqual([
      {
        level: 'warn',
        region: 'eu-wset-1',
        partition: 'aws',
        dnsSuffix: 'amazonaws.com',
        msg: 'the AWS SDK does not list this Region: check its spelling, and its partition if it is new',
      },
    ]);
  });

  test('an endpoint of STS alone that is not at AWS is told of', async () => {
    process.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';

    expect(await check({ AWS_REGION: 'eu-west-1' })).toMatchObject([
      {
        level: 'warn',
        url: 'http://127.0.0.1:1',
        msg: expect.stringContaining('STS is redirected'),
      },
    ]);
  });

  test('an endpoint of STS that is no URL ends it with a sentence', async () => {
    process.env.AWS_ENDPOINT_URL_STS = 'notaurl';

    await expect(check({ AWS_REGION: 'eu-west-1' })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^There is no usable endpoint of STS for eu-west-1 \(/),
    });
  });

  test('a role of another partition than the Region ends it with a sentence', async () => {
    const SERVICE_ROLE_ARN = 'arn:aws:iam::123456789012:role/log-export';

    await expect(check({ AWS_REGION: 'cn-north-1', SERVICE_ROLE_ARN })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `Target "default" is in cn-north-1, which is in the partition aws-cn, but its role ${SERVICE_ROLE_ARN} is in aws; the ARN must begin with arn:aws-cn:iam::.`,
    });
  });

  test('a role in a Region the AWS SDK does not list is for AWS to evaluate', async () => {
    const SERVICE_ROLE_ARN = 'arn:aws-new:iam::123456789012:role/log-export';

    await expect(check({ AWS_REGION: 'mars-north-1', SERVICE_ROLE_ARN })).resolves.toHaveLength(1);
  });
});

describe('a forward proxy', () => {
  const region = { AWS_REGION: 'eu-west-1' };
  const read = (env: NodeJS.ProcessEnv) => readConfig({ ...region, ...env }, () => '').proxyEnv;

  test('is none unless a variable names one', () => {
    expect(read({ NO_PROXY: 'example.com', https_proxy: '' })).toBeUndefined();
  });

  test('is named by either form of a variable, by the lower-case one first', () => {
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
  ])('must be the URL of an HTTP proxy; %s is not, and is not repeated', (HTTPS_PROXY) => {
    expect(() => read({ HTTPS_PROXY })).toThrow(
      /^HTTPS_PROXY is set, but must be the URL of an HTTP proxy such as http:\/\/proxy\.example\.com:3128\.$/,
    );
  });

  test('must have a port there is', () => {
    expect(() => read({ HTTP_PROXY: 'http://user:s3cret@proxy.example.com:99999' })).toThrow(
      /^HTTP_PROXY is set, but is no URL; check its host and port\.$/,
    );
  });

  test('for plain HTTP alone is told to be of no use for AWS', async () => {
    expect(await check({ ...region, HTTP_PROXY: 'http://user:s3cret@proxy:3128' })).toEqual([
      expect.objectContaining({ level: 'info', httpProxy: 'http://proxy:3128' }),
      expect.objectContaining({ level: 'warn', msg: expect.stringContaining('set HTTPS_PROXY') }),
    ]);
  });
});
