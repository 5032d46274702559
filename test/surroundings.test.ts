import { beforeEach, describe, expect, test } from 'vitest';

import { makeLogger } from '#telemetry/logger.ts';
import { readConfig } from '../src/config.ts';
import { checkSurroundings } from '../src/surroundings.ts';
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

  test('a role of another partition than the Region ends it with a sentence', async () => {
    const SERVICE_ROLE_ARN = 'arn:aws:iam::123456789012:role/log-export';

    await expect(check({ AWS_REGION: 'cn-north-1', SERVICE_ROLE_ARN })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `Target "default" is in cn-north-1, which is in the partition aws-cn, but its role ${SERVICE_ROLE_ARN} is in aws; the ARN must begin with arn:aws-cn:iam::.`,
    });
  });

  test('a role in a Region the AWS SDK does not list is for AWS to judge', async () => {
    const SERVICE_ROLE_ARN = 'arn:aws-new:iam::123456789012:role/log-export';

    await expect(check({ AWS_REGION: 'mars-north-1', SERVICE_ROLE_ARN })).resolves.toHaveLength(1);
  });
});
