import { describe, expect, test } from 'vitest';

import { logGroupArn } from '#aws/arn.ts';
import { readEndpointOverride } from '#aws/endpoint/endpoint-override.ts';
import { partitionOf } from '#aws/endpoint/partition.ts';
import { sessionPolicyFor } from '#aws/sessions/session-policy.ts';
import { readConfig } from '#config/read-config.ts';
import { bucketStatements } from '#targets/preflight/policies/export-statements.ts';
import { pointSdkAt } from '../world.ts';

const accountId = '123456789012';

// One Region of each partition, and the suffix of its host names.
const partitions = [
  ['aws', 'eu-west-1', 'amazonaws.com'],
  ['aws-us-gov', 'us-gov-west-1', 'amazonaws.com'],
  ['aws-cn', 'cn-north-1', 'amazonaws.com.cn'],
  ['aws-eusc', 'eusc-de-east-1', 'amazonaws.eu'],
  ['aws-iso', 'us-iso-east-1', 'c2s.ic.gov'],
  ['aws-iso-b', 'us-isob-east-1', 'sc2s.sgov.gov'],
  ['aws-iso-e', 'eu-isoe-west-1', 'cloud.adc-e.uk'],
  ['aws-iso-f', 'us-isof-south-1', 'csp.hci.ic.gov'],
] as const;

describe.for(partitions)('in the partition %s, Region %s', ([partition, region, dnsSuffix]) => {
  const readFile = () => JSON.stringify([{ name: 'prod', region }]);

  test('is accepted in AWS_REGION and TARGETS_FILE', () => {
    expect(readConfig({ AWS_REGION: region }, readFile).targets[0]?.region).toBe(region);
    expect(readConfig({ TARGETS_FILE: 'a.json' }, readFile).targets[0]?.region).toBe(region);
  });

  test('has the name and suffix from the AWS SDK', () => {
    expect(partitionOf(region)).toMatchObject({ name: partition, dnsSuffix, isListed: true });
  });

  test('has log groups and buckets with ARNs of the partition', () => {
    const place = { region, accountId };

    expect(logGroupArn(place, '/app')).toBe(
      `arn:${partition}:logs:${region}:${accountId}:log-group:/app`,
    );
    expect(bucketStatements(place, 'archive')).toMatchObject([
      { Resource: `arn:${partition}:s3:::archive` },
      { Resource: `arn:${partition}:s3:::archive/*` },
    ]);
  });

  test('has every possible service principal of CloudWatch Logs in a bucket policy', () => {
    const statements = bucketStatements({ region, accountId }, 'archive');
    const regional = `logs.${region}.${dnsSuffix}`;

    const Service = dnsSuffix === 'amazonaws.com' ? regional : [regional, 'logs.amazonaws.com'];
    expect(statements).toMatchObject([{ Principal: { Service } }, { Principal: { Service } }]);
  });

  test('has its ARNs and the S3 host name of the partition in a session policy', () => {
    const grant = { logGroupName: '/app', destination: 'archive', destinationPrefix: 'a' };

    const policy = sessionPolicyFor({ partition, region, accountId }, grant);

    expect(policy).toContain(`"arn:${partition}:s3:::archive/a/*"`);
    expect(policy).toContain(`"kms:ViaService":"s3.${region}.${dnsSuffix}"`);
  });

  test('has no endpoint override when calls go to AWS', async () => {
    pointSdkAt('');

    await expect(readEndpointOverride(region)).resolves.toBeUndefined();
  });

  test('has an endpoint override when calls go to another partition', async () => {
    const elsewhere = dnsSuffix === 'amazonaws.eu' ? 'logs.amazonaws.com' : 'logs.x.amazonaws.eu';
    pointSdkAt(`https://${elsewhere}`);

    await expect(readEndpointOverride(region)).resolves.toBe(`https://${elsewhere}`);
  });
});

describe('a Region that the AWS SDK does not list', () => {
  test.for(['eu-west-9', 'eusc-fr-west-1', 'mars-north-12'])('is accepted: %s', (region) => {
    expect(readConfig({ AWS_REGION: region }, () => '').targets).toMatchObject([{ region }]);
    expect(partitionOf(region).isListed).toBe(false);
  });

  test('belongs to the partition that matches its form', () => {
    expect(partitionOf('us-gov-north-3').name).toBe('aws-us-gov');
    expect(partitionOf('cn-south-1').dnsSuffix).toBe('amazonaws.com.cn');
    expect(partitionOf('mars-north-12').name).toBe('aws');
  });
});

test.for(['eu-west', 'eu-west-1a', 'EU-WEST-1', 'fips-us-east-1', 'aws-global', 'eu-west-1.evil'])(
  '%s is rejected as a Region',
  (region) => {
    expect(() => readConfig({ AWS_REGION: region }, () => '')).toThrow(
      `AWS_REGION is "${region}", but must be an AWS Region such as eu-west-1.`,
    );
  },
);
