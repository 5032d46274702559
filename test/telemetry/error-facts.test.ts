import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';

import { databaseUnavailable } from '#database/unavailable-problem.ts';
import { configError } from '#problems/config-error.ts';
import { Problem } from '#problems/problem.ts';
import { toErrorFacts } from '#telemetry/error-facts.ts';

const withMembers = (members: object, error = new Error('failed')) => Object.assign(error, members);

/** The error of a connection to a closed port. */
async function refused(): Promise<Error> {
  const socket = connect(1, '127.0.0.1');
  const [error] = await once(socket, 'error').catch((error: Error) => [error]);
  return error;
}

describe('a failure of the environment is logged without a stack:', () => {
  test.each([
    ['a refused connection', refused],
    ['every address of a host refused', async () => new AggregateError([await refused()])],
    [
      'a name that is not resolved',
      () => withMembers({ code: 'EAI_AGAIN', syscall: 'getaddrinfo' }),
    ],
    ['a certificate that is not trusted', () => withMembers({ code: 'CERT_HAS_EXPIRED' })],
    ['a database that starts', () => withMembers({ code: '57P03', severity: 'FATAL' })],
    ['a wrong password', () => withMembers({ code: '28P01' })],
    ['an answer of AWS', () => withMembers({ $metadata: { httpStatusCode: 503 } })],
    ['a mistake in the settings', () => configError('PORT is "x".')],
    [
      'a role that STS refuses',
      () => Object.assign(new Error('refused'), { name: 'CredentialsRefused' }),
    ],
    ['a problem', () => new Problem('aws-unavailable', 'AWS answered 503.')],
    [
      'a driver that gives no code',
      () => databaseUnavailable('It is away.', new Error('Connection terminated unexpectedly')),
    ],
  ])('%s', async (_what, makeError: () => Error | Promise<Error>) => {
    const error = await makeError();

    const facts = toErrorFacts(error);

    expect(facts).toMatchObject({ type: error.name, message: error.message });
    expect(JSON.stringify(facts)).not.toContain('"stack"');
  });
});

describe('a defect is logged with its stack:', () => {
  test.each([
    ['an error of ours', new Error('cannot be')],
    ['a wrong type', new TypeError('undefined is not a function')],
    ['a wrong argument', withMembers({ code: 'ERR_INVALID_ARG_TYPE' }, new TypeError('wrong'))],
    ['SQL that is not well-formed', withMembers({ code: '42601' })],
    ['an internal error', new Problem('internal-error', 'It failed.')],
    ['several errors, one of them a defect', new AggregateError([new Error('cannot be')])],
  ])('%s', (_what, error: Error) => {
    expect(toErrorFacts(error)?.stack).toBe(error.stack);
  });

  test('a defect behind a problem', () => {
    const defect = new TypeError('undefined is not a function');

    const facts = toErrorFacts(databaseUnavailable('It is away.', defect));

    expect(facts).not.toHaveProperty('stack');
    expect(facts?.cause?.stack).toBe(defect.stack);
  });
});
