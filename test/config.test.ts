import { describe, expect, test } from 'vitest';

import { readConfig, readJobsConfig } from '#config/read-config.ts';

const noFile = (): string => {
  throw new Error('ENOENT: no such file');
};
const read = (env: NodeJS.ProcessEnv, file: () => string = noFile) => readConfig(env, file);
const region = { AWS_REGION: 'eu-west-1' };
const roleArn = 'arn:aws:iam::123456789012:role/path/log-export';

describe('the configuration', () => {
  test('has defaults for everything but the Region', () => {
    expect(read(region)).toEqual({
      host: '127.0.0.1',
      port: 8080,
      basePath: '',
      logLevel: 'info',
      isLogPretty: false,
      targets: [{ name: 'default', region: 'eu-west-1' }],
      jobs: { dataDir: '.data' },
      edge: {
        allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
        corsOrigins: [],
        keepAliveMs: 75_000,
      },
      access: {
        authentication: { methods: [], issuers: [] },
        tls: undefined,
        policyDir: undefined,
      },
      isSessionScoped: false,
      auditLog: 'stdout',
      isUiOn: true,
      awsCallsPerSecond: 4,
      limits: {
        createsPerMinute: 120,
        requestsPerMinute: 3_000,
        waitingSlices: 100_000,
        watchers: 100,
      },
      heartbeatOrigins: [],
      webhooks: { origins: [] },
      wire: undefined,
      verification: 'objects',
      keep: { finishedJobsMs: 90 * 86_400_000, auditMs: 400 * 86_400_000 },
    });
  });

  test('treats an empty variable as not set', () => {
    expect(read({ ...region, PORT: '', SERVICE_ROLE_ARN: '' })).toMatchObject({ port: 8080 });
  });

  test('reads one target from the environment', () => {
    const env = { ...region, SERVICE_ROLE_ARN: roleArn, SERVICE_ROLE_EXTERNAL_ID: 'shared' };

    expect(read(env).targets).toEqual([
      { name: 'default', region: 'eu-west-1', roleArn, externalId: 'shared' },
    ]);
  });

  test('reads many targets from a file, in its order', () => {
    const targets = [
      { name: 'prod', region: 'eu-west-1', roleArn, externalId: 'shared' },
      { name: 'test', region: 'us-gov-west-1', accountId: '210987654321' },
    ];

    const config = read({ TARGETS_FILE: 'targets.json' }, () => JSON.stringify(targets));

    expect(config.targets).toEqual(targets);
  });
});

describe('the metrics settings', () => {
  test('metrics are absent without METRICS_PORT', () => {
    expect(read({ ...region, METRICS_HOST: '0.0.0.0' }).metrics).toBeUndefined();
  });

  test.for<[NodeJS.ProcessEnv, object]>([
    [{}, { host: '127.0.0.1', isPerTarget: undefined }],
    [
      { METRICS_HOST: '0.0.0.0', METRICS_PER_TARGET: 'on' },
      { host: '0.0.0.0', isPerTarget: true },
    ],
    [{ METRICS_PER_TARGET: 'off' }, { host: '127.0.0.1', isPerTarget: false }],
  ])('are read: %o', ([env, metrics]) => {
    const config = read({ ...region, METRICS_PORT: '9464', ...env });

    expect(config.metrics).toEqual({ port: 9464, ...metrics });
  });
});

describe('the settings of traces', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', endpoint],
    [
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example.com/v1/traces' },
    ],
  ])('switch them on with %s', (_name, env) => {
    expect(read({ ...region, ...env }).traces).toEqual({
      sampler: 'parentbased_always_on',
      ratio: 1,
      serviceName: 'log-export-gateway',
    });
  });

  test('select the traces to record, and name the service', () => {
    const sampling = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };

    expect(
      read({ ...region, ...endpoint, ...sampling, OTEL_SERVICE_NAME: 'exports' }).traces,
    ).toEqual({ sampler: 'traceidratio', ratio: 0.25, serviceName: 'exports' });
  });

  test('switch them off with OTEL_SDK_DISABLED', () => {
    expect(read({ ...region, ...endpoint, OTEL_SDK_DISABLED: 'true' }).traces).toBeUndefined();
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', '127.0.0.1:4318', 'is set, but must be a URL'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user:secret@[', 'is set, but is not a URL'],
    [
      'OTEL_EXPORTER_OTLP_HEADERS',
      'secret',
      'is set, but must be names and percent-encoded values',
    ],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '0', 'is 0, but must be a whole number of milliseconds'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'is "jaeger_remote", but must be one of always_on'],
    ['OTEL_TRACES_SAMPLER_ARG', '10', 'is "10", but must be a number from 0 to 1'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'prod', 'is "prod", but must be names and percent-encoded values'],
  ])('reject %s=%s without showing a secret', (name, value, rest) => {
    const reject = () => read({ ...region, [name]: value });

    expect(reject).toThrow(`${name} ${rest}`);
    expect(reject).not.toThrow('user:secret');
  });
});

describe('the database settings', () => {
  test('name a directory, and PostgreSQL if DATABASE_URL is set', () => {
    const DATABASE_URL = 'postgresql://gateway:secret@db.internal:5432/jobs?sslmode=verify-full';

    expect(readJobsConfig({ DATA_DIR: '/data' })).toEqual({ dataDir: '/data' });
    expect(readJobsConfig({ DATABASE_URL })).toEqual({
      dataDir: '.data',
      databaseUrl: DATABASE_URL,
    });
  });

  test('are absent when export jobs are off', () => {
    expect(read({ ...region, EXPORT_JOBS: 'off' }).jobs).toBeUndefined();
  });

  test('rejects an invalid DATABASE_URL without repeating it: it may contain a password', () => {
    const readWrong = () => readJobsConfig({ DATABASE_URL: 'mysql://gateway:secret@db/jobs' });

    expect(readWrong).toThrow(
      /^DATABASE_URL is set, but must be a URL such as postgres:\/\/user:password@host:5432\/name\.$/,
    );
  });
});

describe('an invalid variable', () => {
  test.for([
    [
      { PORT: 'http' },
      'PORT is "http", but must be a port number from 0 to 65535 (0 selects a free port).',
    ],
    [
      { PORT: '65536' },
      'PORT is 65536, but must be a port number from 0 to 65535 (0 selects a free port).',
    ],
    [
      { PORT: '8e3' },
      'PORT is "8e3", but must be a port number from 0 to 65535 (0 selects a free port).',
    ],
    [
      { WAITING_SLICES_PER_CALLER: '0x10' },
      'WAITING_SLICES_PER_CALLER is "0x10", but must be a whole number, 0 or more.',
    ],
    [
      { FINISHED_JOBS_DAYS: '36501' },
      'FINISHED_JOBS_DAYS is 36501, but must be a whole number from 0 to 36500.',
    ],
    [
      { PORT: '80.5' },
      'PORT is "80.5", but must be a port number from 0 to 65535 (0 selects a free port).',
    ],
    [
      { LOG_LEVEL: 'verbose' },
      'LOG_LEVEL is "verbose", but must be one of fatal, error, warn, info, debug, trace, silent.',
    ],
    ...['0.0.0.0:8080', '[::1]', '*', 'http://gateway', 'my gateway'].map((HOST) => [
      { HOST },
      `HOST is "${HOST}", but must be an IP address or host name, without brackets or port.`,
    ]),
    [{ EXPORT_JOBS: 'no' }, 'EXPORT_JOBS is "no", but must be on or off.'],
    [{ METRICS_PER_TARGET: 'no' }, 'METRICS_PER_TARGET is "no", but must be on or off.'],
    [{ METRICS_PORT: '8080' }, 'METRICS_PORT is 8080, which is PORT, too; choose another port.'],
    [{ LOG_PRETTY: 'yes' }, 'LOG_PRETTY is "yes", but must be true or false.'],
    [
      { AWS_REGION: 'Ireland' },
      'AWS_REGION is "Ireland", but must be an AWS Region such as eu-west-1.',
    ],
    [
      { SERVICE_ROLE_ARN: 'log-export' },
      'SERVICE_ROLE_ARN is "log-export", but must be the ARN of an IAM role such as arn:aws:iam::123456789012:role/log-export.',
    ],
    [
      { AWS_ENDPOINT_URL: 'localhost:4566' },
      'AWS_ENDPOINT_URL is "localhost:4566", but must be a URL such as http://127.0.0.1:4566.',
    ],
    [
      { SERVICE_ROLE_EXTERNAL_ID: 'x' },
      'SERVICE_ROLE_EXTERNAL_ID is set, but must be 2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / -.',
    ],
    [
      { SERVICE_ROLE_EXTERNAL_ID: 'shared' },
      'SERVICE_ROLE_EXTERNAL_ID is set, but SERVICE_ROLE_ARN is not; set it to the role to assume with this external id.',
    ],
  ] as [NodeJS.ProcessEnv, string][])('is rejected: %o', ([env, sentence]) => {
    const readWrong = () => read({ ...region, ...env });

    expect(readWrong).toThrow(expect.objectContaining({ name: 'ConfigError', message: sentence }));
  });

  test('is rejected: neither AWS_REGION nor TARGETS_FILE', () => {
    expect(() => read({})).toThrow(
      'AWS_REGION is not set; set it to an AWS Region such as eu-west-1, or set TARGETS_FILE to the path of a file with targets.',
    );
  });
});

describe('an invalid file of targets', () => {
  const target = { name: 'prod', region: 'eu-west-1' };

  test.for([
    ['not JSON', '{', 'it must be the path of a readable JSON file'],
    ['not an array', '{}', 'the file is {}, but must be an array of at least one target.'],
    ['empty', '[]', 'the file is [], but must be an array of at least one target.'],
    [
      'without a Region',
      '[{"name":"prod"}]',
      '"region" is missing in /0; it must be an object with name and region',
    ],
    ['unknown member', JSON.stringify([{ ...target, role: 'x' }]), '"role" is unknown in /0'],
    [
      'an invalid account id',
      JSON.stringify([{ ...target, accountId: 1 }]),
      '/0/accountId is 1, but must be an account id of 12 digits.',
    ],
    [
      'a duplicate name',
      JSON.stringify([target, target]),
      'the name "prod" occurs twice; give each target its own name.',
    ],
    [
      'a topic that is no ARN',
      JSON.stringify([{ ...target, snsTopicArn: 'jobs' }]),
      '/0/snsTopicArn is "jobs", but must be the ARN of an SNS topic.',
    ],
    [
      'an event bus with another account id than one of 12 digits',
      JSON.stringify([{ ...target, eventBusArn: 'arn:aws:events:eu-west-1:1:event-bus/a' }]),
      '/0/eventBusArn is "arn:aws:events:eu-west-1:1:event-bus/a", but must be the ARN of an EventBridge event bus.',
    ],
  ] as const)('is rejected: %s', ([, file, words]) => {
    const readWrong = () => read({ TARGETS_FILE: 'targets.json' }, () => file);

    expect(readWrong).toThrow(`TARGETS_FILE is "targets.json": ${words}`);
  });

  test('is rejected: not readable', () => {
    expect(() => read({ TARGETS_FILE: 'none.json' })).toThrow('ENOENT: no such file');
  });

  test('has a topic and an event bus for each target', () => {
    const sinks = {
      snsTopicArn: 'arn:aws:sns:eu-west-1:111122223333:jobs.fifo',
      eventBusArn: 'arn:aws:events:eu-west-1:444455556666:event-bus/teams/exports',
    };
    const targets = JSON.stringify([{ ...target, ...sinks }]);

    expect(read({ TARGETS_FILE: 'targets.json' }, () => targets).targets).toEqual([
      { ...target, ...sinks },
    ]);
  });

  test.each([
    [{}, 'is in eu-west-1, but its snsTopicArn is'],
    [{ EXPORT_JOBS: 'off' }, 'has snsTopicArn, but EXPORT_JOBS is "off"'],
  ])('is rejected with %o: a topic that gets no events', (env, words) => {
    const snsTopicArn = 'arn:aws:sns:us-east-1:111122223333:jobs';
    const file = JSON.stringify([{ ...target, snsTopicArn }]);

    expect(() => read({ TARGETS_FILE: 'targets.json', ...env }, () => file)).toThrow(words);
  });

  test('is rejected: set together with SERVICE_ROLE_ARN', () => {
    const env = { TARGETS_FILE: 'targets.json', SERVICE_ROLE_ARN: roleArn };

    expect(() => read(env)).toThrow('SERVICE_ROLE_ARN must not be set, too');
  });
});

describe('the authentication settings', () => {
  const readAccess = (env: NodeJS.ProcessEnv, file = '') =>
    read({ ...region, ...env }, () => file).access;
  const tlsFiles = { TLS_CERT_FILE: 'tls.crt', TLS_KEY_FILE: 'tls.key' };

  test.for(['127.0.0.1', '127.8.9.10', '::1', 'localhost'])(
    'are optional when only this machine can reach the port: %s',
    (HOST) => {
      expect(readAccess({ HOST }).authentication.methods).toEqual([]);
    },
  );

  test.for(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'gateway.internal', '127.evil.example'])(
    'are required when other machines can reach the port: %s',
    (HOST) => {
      expect(() => readAccess({ HOST })).toThrow(
        expect.objectContaining({
          name: 'ConfigError',
          message: `HOST is "${HOST}", which other machines can reach, but AUTH is not set; set it to jwt, api-key or mtls (several separated by commas), or to none if callers need no credentials.`,
        }),
      );
    },
  );

  test('allow every caller with AUTH=none', () => {
    expect(readAccess({ HOST: '0.0.0.0', AUTH: 'none' })).toEqual({
      authentication: { methods: [], issuers: [] },
      tls: undefined,
      policyDir: undefined,
    });
  });

  test('name one issuer in variables, or several in a file', () => {
    const issuers = [
      {
        issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x',
        audiences: ['client-1', 'client-2'],
        audienceClaim: 'client_id',
        groupsClaim: 'cognito:groups',
      },
      {
        issuer: 'https://kubernetes.default.svc',
        audiences: ['log-export-gateway'],
        jwksUri: 'https://kubernetes.default.svc/openid/v1/jwks',
        bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
      },
    ];
    const one = { JWT_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'log-export-gateway' };

    const byVariables = readAccess({ AUTH: 'jwt', ...one });
    const byFile = readAccess(
      { AUTH: 'jwt', JWT_ISSUERS_FILE: 'issuers.json' },
      JSON.stringify(issuers),
    );

    expect(byVariables.authentication).toEqual({
      methods: ['jwt'],
      issuers: [{ issuer: 'https://issuer.example', audiences: ['log-export-gateway'] }],
    });
    expect(byFile.authentication).toEqual({ methods: ['jwt'], issuers });
  });

  test('combine several methods; mtls comes with TLS', () => {
    const env = {
      AUTH: 'api-key,mtls,mtls',
      API_KEYS_FILE: 'keys.json',
      TLS_CLIENT_CA_FILE: 'ca.crt',
    };

    expect(readAccess({ ...env, ...tlsFiles })).toEqual({
      authentication: { methods: ['api-key', 'mtls'], issuers: [], apiKeysFile: 'keys.json' },
      tls: { certFile: 'tls.crt', keyFile: 'tls.key', clientCaFile: 'ca.crt' },
      policyDir: undefined,
    });
  });

  test('allow TLS without client certificates', () => {
    const { tls } = readAccess(tlsFiles);

    expect(tls).toEqual({ certFile: 'tls.crt', keyFile: 'tls.key' });
  });

  const noIssuer =
    'AUTH contains jwt, but no issuer is configured; set JWT_ISSUER and JWT_AUDIENCE, or JWT_ISSUERS_FILE.';
  const noTls =
    'AUTH contains mtls, but TLS_CERT_FILE, TLS_KEY_FILE or TLS_CLIENT_CA_FILE is not set; set all three.';
  const halfTls = 'Only one of TLS_CERT_FILE and TLS_KEY_FILE is set; set both, or neither.';
  test.for([
    [
      { AUTH: 'basic' },
      'AUTH is "basic", but must be none, or one or more of jwt, api-key and mtls, separated by commas.',
    ],
    [{ AUTH: 'none,jwt' }, /^AUTH is "none,jwt", but must be none, or one or more/],
    [{ AUTH: 'jwt, mtls' }, /^AUTH is "jwt, mtls", but must be none, or one or more/],
    [{ AUTH: 'jwt' }, noIssuer],
    [{ AUTH: 'jwt', JWT_ISSUER: 'https://issuer.example' }, noIssuer],
    [{ AUTH: 'jwt', JWT_AUDIENCE: 'log-export-gateway' }, noIssuer],
    [
      { AUTH: 'jwt', JWT_ISSUER: 'issuer.example', JWT_AUDIENCE: 'x' },
      'JWT_ISSUER is "issuer.example", but must be a URL such as https://issuer.example.com/realm.',
    ],
    [
      { AUTH: 'jwt', JWT_ISSUER: 'https://issuer.example/#alice', JWT_AUDIENCE: 'x' },
      /^JWT_ISSUER is .* but must be a URL/,
    ],
    [
      { AUTH: 'jwt', JWT_ISSUERS_FILE: 'issuers.json', JWT_AUDIENCE: 'x' },
      'JWT_ISSUERS_FILE is set, but JWT_ISSUER or JWT_AUDIENCE is set, too; remove them, the file replaces them.',
    ],
    [
      { AUTH: 'api-key' },
      'AUTH contains api-key, but API_KEYS_FILE is not set; set it to the path of a JSON file.',
    ],
    [
      { API_KEYS_FILE: 'keys.json' },
      'API_KEYS_FILE is set, but AUTH does not contain api-key; add api-key to AUTH, or remove API_KEYS_FILE.',
    ],
    [
      { AUTH: 'api-key', API_KEYS_FILE: 'keys.json', JWT_AUDIENCE: 'log-export-gateway' },
      'JWT_AUDIENCE is set, but AUTH does not contain jwt; add jwt to AUTH, or remove JWT_AUDIENCE.',
    ],
    [
      { AUTH: 'none', TLS_CLIENT_CA_FILE: 'ca.crt' },
      'TLS_CLIENT_CA_FILE is set, but AUTH does not contain mtls; add mtls to AUTH, or remove TLS_CLIENT_CA_FILE.',
    ],
    [{ AUTH: 'mtls' }, noTls],
    [{ AUTH: 'mtls', ...tlsFiles }, noTls],
    [{ AUTH: 'mtls', TLS_CLIENT_CA_FILE: 'ca.crt' }, noTls],
    [{ TLS_CERT_FILE: 'tls.crt' }, halfTls],
    [{ TLS_KEY_FILE: 'tls.key' }, halfTls],
  ] as [NodeJS.ProcessEnv, string | RegExp][])('are rejected: %o', ([env, sentence]) => {
    const exactly =
      typeof sentence === 'string' ? new RegExp(`^${RegExp.escape(sentence)}$`) : sentence;

    expect(() => readAccess(env)).toThrow(exactly);
  });

  const issuer = { issuer: 'https://issuer.example', audiences: ['x'] };
  test.for([
    ['not JSON', '', 'it must be the path of a readable JSON file'],
    ['empty', '[]', 'the file is [], but must be an array of at least one issuer.'],
    ['no audiences', [{ issuer: issuer.issuer }], '"audiences" is missing in /0; it must be an'],
    ['audiences in one text', [{ ...issuer, audiences: 'x' }], '/0/audiences is "x", but must be'],
    ['an empty list', [{ ...issuer, audiences: [] }], '/0/audiences is [], but must be an array'],
    ['not a URL', [{ ...issuer, issuer: 'x' }], '/0/issuer is "x", but must be a URL such as'],
    [
      'an invalid jwksUri',
      [issuer, { ...issuer, jwksUri: 'x' }],
      '/1/jwksUri is "x", but must be a URL',
    ],
    ['an unknown member', [{ ...issuer, audience: 'x' }], '"audience" is unknown in /0'],
    ['a duplicate issuer', [issuer, issuer], 'the issuer "https://issuer.example" occurs twice'],
  ] as const)('reject an invalid file of issuers: %s', ([, content, words]) => {
    const file = typeof content === 'string' ? content : JSON.stringify(content);

    expect(() => readAccess({ AUTH: 'jwt', JWT_ISSUERS_FILE: 'issuers.json' }, file)).toThrow(
      `JWT_ISSUERS_FILE is "issuers.json": ${words}`,
    );
  });
});

describe('the edge settings', () => {
  const mutual = { AUTH: 'api-key', API_KEYS_FILE: 'keys.json' };

  test('limit the Host header by default only on a loopback address without authentication', () => {
    const hostsOf = (env: NodeJS.ProcessEnv) => read({ ...region, ...env }).edge.allowedHosts;

    expect(hostsOf({ HOST: '127.0.0.9', AUTH: 'none' })).toContain('127.0.0.9');
    expect(hostsOf({ HOST: '0.0.0.0', AUTH: 'none' })).toBeUndefined();
    expect(hostsOf(mutual)).toBeUndefined();
    expect(hostsOf({ ...mutual, ALLOWED_HOSTS: 'Exports.example.com,[::1]' })).toEqual([
      'exports.example.com',
      '[::1]',
    ]);
  });

  test.each([
    [
      { ALLOWED_HOSTS: 'localhost:8080' },
      /^ALLOWED_HOSTS is "localhost:8080", but must be host names/,
    ],
    [{ CORS_ORIGINS: '*' }, /^CORS_ORIGINS is "\*", but must be origins such as/],
    [
      { CORS_ORIGINS: 'https://a.example/' },
      /^CORS_ORIGINS is "https:\/\/a\.example\/", but must be/,
    ],
    [{ CORS_ORIGINS: 'https://A.example:443' }, /; write https:\/\/a\.example\.$/],
    [
      { HEARTBEAT_ORIGINS: 'http://a.example' },
      /^HEARTBEAT_ORIGINS contains "http:\/\/a\.example", but heartbeats are sent over HTTPS/,
    ],
    [{ WIRE: 'on', EXPORT_JOBS: 'off' }, /^WIRE is on, but EXPORT_JOBS is off; set EXPORT_JOBS=on/],
    [
      {
        WIRE: 'on',
        AUTH: 'jwt,api-key',
        JWT_ISSUER: 'https://i.example',
        JWT_AUDIENCE: 'a',
        API_KEYS_FILE: 'keys.json',
      },
      /^WIRE is on and AUTH contains api-key, but WIRE_SECRET is not set/,
    ],
    [
      {
        WIRE: 'on',
        AUTH: 'mtls',
        TLS_CERT_FILE: 'a',
        TLS_KEY_FILE: 'b',
        TLS_CLIENT_CA_FILE: 'c',
      },
      /^WIRE is on, but AUTH contains only mtls; add api-key or jwt/,
    ],
    [
      { WIRE: 'on', WIRE_SECRET: 'short' },
      /^WIRE_SECRET is set, but must be at least 32 characters/,
    ],
    [{ HEARTBEAT_ORIGINS: 'a.example' }, /^HEARTBEAT_ORIGINS is "a\.example", but must be origins/],
    [{ HEARTBEAT_ORIGINS: 'https://a.example:443' }, /; write https:\/\/a\.example\.$/],
    [
      { HEARTBEAT_ORIGINS: 'https://a.example,https://[::1]:8443' },
      /^HEARTBEAT_ORIGINS contains "https:\/\/\[::1\]:8443", but heartbeats are sent over HTTPS to public addresses/,
    ],
    [
      { KEEP_ALIVE_SECONDS: '0' },
      /^KEEP_ALIVE_SECONDS is 0, but must be a whole number of seconds/,
    ],
  ])('reject %j', (env, sentence) => {
    expect(() => read({ ...region, ...env })).toThrow(sentence);
  });
});

describe('the secrets of AWS clients', () => {
  const wireOn = { ...region, WIRE: 'on', AUTH: 'api-key', API_KEYS_FILE: 'keys.json' };
  const secret = 'a secret of at least 32 characters';
  const files = { WIRE_SECRET_FILE: 'current', WIRE_SECRET_PREVIOUS_FILE: 'previous' };

  test('come from files, without a newline at the end', () => {
    const texts = { current: `${secret}\n`, previous: `${secret} before\r\n` };
    const readFile = (path: string) => texts[path as keyof typeof texts];

    const { wire } = readConfig({ ...wireOn, ...files }, readFile);

    expect(wire).toEqual({ secrets: [secret, `${secret} before`] });
  });

  test('need no readable file while AWS clients are not served', () => {
    expect(read({ ...region, ...files }).wire).toBeUndefined();
  });

  test.each([
    [
      { WIRE_SECRET: secret, WIRE_SECRET_FILE: 'current' },
      'WIRE_SECRET is set, but WIRE_SECRET_FILE is set, too; remove one of them.',
    ],
    [
      { WIRE_SECRET_FILE: 'current' },
      'WIRE_SECRET_FILE is "current": it must be the path of a readable file (ENOENT',
    ],
  ])('are rejected: %j', (env, sentence) => {
    expect(() => read({ ...wireOn, ...env })).toThrow(sentence);
  });

  test('refuse a file with a short text, without showing this text', () => {
    expect(() => read({ ...wireOn, WIRE_SECRET_FILE: 'current' }, () => 'short\n')).toThrow(
      /^WIRE_SECRET_FILE is "current": it must contain at least 32 characters\.$/,
    );
  });
});
