import { readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';

import { lastOf, readHealthCheck, readStages, stepsUpTo } from './dockerfile.ts';

const stages = readStages();
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

test('the Dockerfile passes the linter', () => {
  const found = validate(readFileSync('Dockerfile', 'utf8'));

  expect(found.map(({ message }) => message)).toEqual([]);
});

test('the gateway is the default target', () => {
  expect(stages.at(-1)?.name).toBe('gateway');
});

test('the Dockerfile has no ADD, ONBUILD or SHELL', () => {
  const keywords = new Set(stages.flatMap(({ steps }) => steps).map(({ keyword }) => keyword));

  expect([...keywords].filter((keyword) => ['ADD', 'ONBUILD', 'SHELL'].includes(keyword))).toEqual(
    [],
  );
});

test('the builder gets only the files that are copied', () => {
  const [first, ...others] = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  expect(first).toBe('*');
  expect(others).toEqual([
    '!package.json',
    '!package-lock.json',
    '!rolldown.config.ts',
    '!src',
    '!emulator/package.json',
    '!emulator/src',
  ]);
});

describe.each(['gateway', 'emulator'])('the image of the %s', (name) => {
  const steps = stepsUpTo(name, stages);

  test('has no RUN, because its base has no shell', () => {
    expect(steps.filter(({ keyword }) => keyword === 'RUN')).toEqual([]);
  });

  test('runs as a user other than root, given as a number', () => {
    expect(lastOf('USER', steps)).toBe('65532:65532');
  });

  test('starts and checks its health with Node, in exec form', () => {
    const started = JSON.parse(lastOf('ENTRYPOINT', steps) ?? '');

    expect(started[0]).toBe('node');
    expect(readHealthCheck(steps)[0]).toBe('node');
    expect(steps.filter(({ keyword }) => keyword === 'CMD')).toEqual([]);
  });

  test('stops on SIGTERM, is set up for production, and listens on all addresses', () => {
    const env = Object.assign(
      {},
      ...steps.map(({ keyword, properties }) => keyword === 'ENV' && properties),
    );

    expect(lastOf('STOPSIGNAL', steps)).toBe('SIGTERM');
    expect(env).toMatchObject({ NODE_ENV: 'production', HOST: '0.0.0.0' });
    expect([env.PORT, env.EMULATOR_PORT]).toContain(lastOf('EXPOSE', steps));
  });

  test('has labels with the version of the package', () => {
    const labels = Object.assign(
      {},
      ...steps.map(({ keyword, properties }) => keyword === 'LABEL' && properties),
    );

    expect(labels).toEqual({
      'org.opencontainers.image.title': `log-export-${name}`,
      'org.opencontainers.image.description': expect.any(String),
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'MIT',
    });
  });
});

test('the volume of the gateway belongs to its user, and to group 0 for other users', () => {
  const steps = stepsUpTo('gateway', stages);
  const volume = JSON.parse(lastOf('VOLUME', steps) ?? '')[0];
  const made = steps.find(({ keyword, words }) => keyword === 'COPY' && words.at(-1) === volume);

  expect(steps.find(({ properties }) => 'DATA_DIR' in properties)?.properties.DATA_DIR).toBe(
    volume,
  );
  expect(made?.flags.chown).toBe('65532:0');
});
