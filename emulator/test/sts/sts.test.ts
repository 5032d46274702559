import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
} from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { openAws, refusal, sendRaw } from '../aws.ts';
import { openSession, RoleArn } from './open-session.ts';

/** Returns the error of AssumeRole. */
async function assume(
  input: Partial<AssumeRoleCommandInput>,
  roles: NonNullable<Parameters<typeof openAws>[0]>['roles'] = {},
) {
  await using aws = await openAws({ roles });
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'nightly', ...input });
  return await refusal(aws.sts.send(command));
}

describe('GetCallerIdentity', () => {
  it('returns the default account, or the one of accountsByAccessKey', async () => {
    await using aws = await openAws({ accountsByAccessKey: { AKIAOTHER: '210987654321' } });
    const other = aws.stsFor({ accessKeyId: 'AKIAOTHER', secretAccessKey: 'secret' });

    expect(await aws.sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '123456789012',
      Arn: 'arn:aws:iam::123456789012:user/emulated',
    });
    expect(await other.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '210987654321',
    });
  });

  it('returns the assumed role of a session', async () => {
    await using aws = await openSession();

    const identity = await aws.stsFor(aws.keys).send(new GetCallerIdentityCommand({}));

    const Arn = 'arn:aws:sts::111122223333:assumed-role/exporter/nightly';
    expect(identity).toMatchObject({ Account: '111122223333', Arn });
    expect(identity.UserId).toMatch(/^AROA[A-Z2-7]{17}:nightly$/);
    expect(aws.AssumedRoleUser).toEqual({ Arn, AssumedRoleId: identity.UserId });
  });
});

describe('the journal', () => {
  it('has the session name and source identity of each request', async () => {
    await using aws = await openSession({ SourceIdentity: 'alice@example.com' });
    const list = new DescribeLogGroupsCommand({});
    await aws.logsFor(aws.keys).send(list);
    await aws.logs.send(list);

    const [, inSession, plain] = aws.emulator.journal.entries();

    expect(inSession).toMatchObject({
      sessionName: 'nightly',
      sourceIdentity: 'alice@example.com',
    });
    expect([plain?.sessionName, plain?.sourceIdentity]).toEqual([undefined, undefined]);
  });
});

describe('AssumeRole rejects', () => {
  it('a role with `refuses`, and a wrong or missing external id', async () => {
    const denied = {
      name: 'AccessDenied',
      message: `User: arn:aws:iam::123456789012:user/emulated is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
      status: 403,
    };
    const secret = { [RoleArn]: { externalId: 'e-1' } };

    expect(await assume({}, { [RoleArn]: { refuses: true } })).toEqual(denied);
    expect(await assume({}, secret)).toEqual(denied);
    expect(await assume({ ExternalId: 'e-2' }, secret)).toEqual(denied);
    expect(await assume({ ExternalId: 'e-1' }, secret)).toBeUndefined();
  });

  it.each([
    [{ RoleSessionName: 'x' }, "'x' at 'roleSessionName'", 'length greater than or equal to 2'],
    [{ RoleSessionName: 'a b' }, "'a b' at 'roleSessionName'", 'pattern: [\\w+=,.@-]*'],
    [{ RoleSessionName: undefined }, "null at 'roleSessionName'", 'must not be null'],
    [{ RoleArn: 'short' }, "'short' at 'roleArn'", 'length greater than or equal to 20'],
    [{ RoleArn: undefined }, "null at 'roleArn'", 'must not be null'],
    [{ SourceIdentity: 'x' }, "'x' at 'sourceIdentity'", 'length greater than or equal to 2'],
    [{ SourceIdentity: 'a:b' }, "'a:b' at 'sourceIdentity'", 'pattern: [\\w+=,.@-]*'],
    [{ Policy: '{"ж":1}' }, `'{"ж":1}' at 'policy'`, 'pattern: [\\u0009\\u000A\\u000D'],
    [{ Policy: ' '.repeat(2_049) }, "at 'policy'", 'length less than or equal to 2048'],
    [{ ExternalId: 'x' }, "'x' at 'externalId'", 'length greater than or equal to 2'],
    [{ DurationSeconds: 899 }, "'899' at 'durationSeconds'", 'value greater than or equal to 900'],
    [{ DurationSeconds: 43_201 }, "'43201'", 'value less than or equal to 43200'],
  ])('%o', async (input, value, constraint) => {
    const refused = await assume(input);

    expect(refused).toMatchObject({ name: 'ValidationError', status: 400 });
    expect(refused?.message).toContain('1 validation error detected: Value');
    expect(refused?.message).toContain(value);
    expect(refused?.message).toContain(constraint);
  });

  it('an invalid role ARN, policy and duration', async () => {
    await using aws = await openAws();
    const userArn = 'arn:aws:iam::111122223333:user/somebody';
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const form = `Action=AssumeRole&RoleArn=${RoleArn}&RoleSessionName=ab&DurationSeconds=long`;

    expect(await assume({ RoleArn: userArn })).toMatchObject({
      name: 'ValidationError',
      message: `${userArn} is invalid`,
    });
    expect(await assume({ Policy: '{' })).toMatchObject({
      name: 'MalformedPolicyDocumentException',
    });
    const { status, text } = await sendRaw(aws.emulator.url, form, { service: 'sts', headers });
    expect(status).toBe(400);
    expect(text).toContain('<Code>MalformedInput</Code>');
  });

  it('a request without a signature, and an unknown operation', async () => {
    await using aws = await openAws();
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    const ask = (form: string, more: Record<string, string> = {}) =>
      sendRaw(aws.emulator.url, form, { service: 'sts', headers: { ...headers, ...more } });

    const unsigned = await ask('Action=GetCallerIdentity', { authorization: '' });
    const unknown = await ask('Action=DecodeAuthorizationMessage');
    const nameless = await ask('');

    expect(unsigned.status).toBe(403);
    expect(unsigned.text).toContain('<Code>MissingAuthenticationToken</Code>');
    expect(unknown.status).toBe(400);
    expect(unknown.text).toContain('<Code>InvalidAction</Code>');
    expect(nameless.text).toContain('<Code>InvalidAction</Code>');
  });
});
