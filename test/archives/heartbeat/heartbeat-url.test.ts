import { describe, expect, test } from 'vitest';
import { makeHeartbeatSender } from '#archives/heartbeat/heartbeat-sender.ts';
import { heartbeatUrlFault } from '#archives/heartbeat/heartbeat-url.ts';

const origins = ['https://hc.example.com', 'https://beats.example.com:8443'];

describe('the URL of a heartbeat', () => {
  test.each([
    'https://hc.example.com/ping/1',
    'https://HC.example.com:443/ping/1?a=b',
    'https://beats.example.com:8443',
  ])('may be used with an allowed origin: %s', (url) => {
    expect(heartbeatUrlFault(url, origins)).toBeUndefined();
  });

  test.each([
    ['http://hc.example.com/ping', /begins with https/],
    ['//hc.example.com/ping', /begins with https/],
    ['hc.example.com', /begins with https/],
    ['https://me@hc.example.com/', /user name/],
    ['https://:pw@hc.example.com/', /user name/],
    [
      'https://hc.example.com.evil.example/',
      /https:\/\/hc\.example\.com\.evil\.example is not one/,
    ],
    ['https://hc.example.com./', /is not one/],
    ['https://hc.example.com@evil.example/', /user name/],
    ['https://hc.example.com\\@evil.example/x', undefined],
    ['https://evil.example/https://hc.example.com', /is not one/],
    ['https://beats.example.com/', /is not one/],
  ])('needs https and an allowed origin: %s', async (url, fault) => {
    const found = heartbeatUrlFault(url, origins);
    if (fault) expect(found).toMatch(fault);
    else expect(found).toBeUndefined();
  });

  test('is refused without HEARTBEAT_ORIGINS', () => {
    expect(heartbeatUrlFault('https://hc.example.com/', [])).toMatch(
      /has not set HEARTBEAT_ORIGINS/,
    );
  });

  test('is checked again when it is sent: an operator may have removed its origin', async () => {
    const send = makeHeartbeatSender(['https://other.example.com'], {
      lookup: () => Promise.reject(new Error('looked up')),
      isAllowed: () => true,
      deadline: () => new AbortController().signal,
    });

    expect(await send('https://hc.example.com/ping/s3cr3t')).toEqual({
      outcome: 'refused',
      origin: 'https://hc.example.com',
      reason: 'URL not allowed',
    });
  });
});
