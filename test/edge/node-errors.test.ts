import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { expect, test } from 'vitest';

import { makeConnectionErrorHandler } from '#edge/raw-connections.ts';

// The errors of connections that Node can report. A code of a newer Node is on no list, so the test fails until
// somebody decides about it.
const problems: Record<string, string> = {
  'malformed-request': `
    HPE_CLOSED_CONNECTION
    HPE_CR_EXPECTED
    HPE_INVALID_CHUNK_SIZE
    HPE_INVALID_CONSTANT
    HPE_INVALID_CONTENT_LENGTH
    HPE_INVALID_EOF_STATE
    HPE_INVALID_HEADER_TOKEN
    HPE_INVALID_METHOD
    HPE_INVALID_STATUS
    HPE_INVALID_TRANSFER_ENCODING
    HPE_INVALID_URL
    HPE_INVALID_VERSION
    HPE_LF_EXPECTED
    HPE_PAUSED_H2_UPGRADE
    HPE_STRICT
    HPE_UNEXPECTED_CONTENT_LENGTH
    HPE_UNEXPECTED_SPACE
  `,
  'headers-too-large': 'HPE_HEADER_OVERFLOW',
  'body-too-large': 'HPE_CHUNK_EXTENSIONS_OVERFLOW',
  'request-timeout': 'ERR_HTTP_REQUEST_TIMEOUT',
  // No request can cause them.
  'internal-error': `
    HPE_CB_CHUNK_COMPLETE
    HPE_CB_CHUNK_EXTENSION_NAME_COMPLETE
    HPE_CB_CHUNK_EXTENSION_VALUE_COMPLETE
    HPE_CB_CHUNK_HEADER
    HPE_CB_HEADERS_COMPLETE
    HPE_CB_HEADER_FIELD_COMPLETE
    HPE_CB_HEADER_VALUE_COMPLETE
    HPE_CB_MESSAGE_BEGIN
    HPE_CB_MESSAGE_COMPLETE
    HPE_CB_METHOD_COMPLETE
    HPE_CB_PROTOCOL_COMPLETE
    HPE_CB_RESET
    HPE_CB_STATUS_COMPLETE
    HPE_CB_URL_COMPLETE
    HPE_CB_VERSION_COMPLETE
    HPE_INTERNAL
    HPE_JS_EXCEPTION
    HPE_OK
    HPE_PAUSED
    HPE_PAUSED_UPGRADE
    HPE_USER
    ERR_HTTP_BODY_NOT_ALLOWED
    ERR_HTTP_CONTENT_LENGTH_MISMATCH
    ERR_HTTP_HEADERS_SENT
    ERR_HTTP_INVALID_HEADER_VALUE
    ERR_HTTP_INVALID_STATUS_CODE
    ERR_HTTP_SOCKET_ASSIGNED
    ERR_HTTP_SOCKET_ENCODING
    ERR_HTTP_TRAILER_INVALID
  `,
};
const listed = Object.entries(problems).flatMap(([slug, codes]) =>
  codes
    .trim()
    .split(/\s+/)
    .map((code) => [code, slug] as const),
);

const known = new Set(listed.map(([code]) => code));

// Node exports neither list. Its program has the codes of the parser as texts.
const program = readFileSync(process.execPath, 'latin1');
const parserCodes = new Set(program.match(/\bHPE_[A-Z\d_]+/g));
const print = 'Object.keys(require("internal/errors").codes).join(" ")';
const nodeCodes = execFileSync(process.execPath, ['--expose-internals', '-p', print], {
  encoding: 'utf8',
}).split(/\s+/);

/** Reports an error of a connection, and returns what is logged and whether it is answered. */
function report(error: object) {
  const lines: { level: string; problem?: string }[] = [];
  const log = {
    info: (facts: object) => void lines.push({ level: 'info', ...facts }),
    error: (facts: object) => void lines.push({ level: 'error', ...facts }),
  };
  const handle = makeConnectionErrorHandler({ newId: () => 'an-id', basePath: '', log } as never);
  let isAnswered = false;
  const socket = { writable: true, destroy() {}, end: () => (isAnswered = true) };
  handle(Object.assign(new Error('of the connection'), error) as never, socket as never);
  return { lines, isAnswered };
}

test('decides about each code of the HTTP parser and of HTTP servers', () => {
  const codes = [...parserCodes, ...nodeCodes.filter((code) => /^ERR_HTTP_/.test(code))];

  expect(codes.length).toBeGreaterThan(40);
  expect(codes.filter((code) => !known.has(code))).toEqual([]);
});

test.each(listed)('answers %s with %s, and logs an error only for a defect', (code, slug) => {
  const { lines, isAnswered } = report({ code });

  const level = slug === 'internal-error' ? 'error' : 'info';
  expect(lines).toEqual([expect.objectContaining({ level, problem: slug })]);
  expect(isAnswered).toBe(true);
});

test('answers no connection that failed in the network, and logs nothing', () => {
  const errors = [...getSystemErrorMap()].map(([errno, [code]]) => ({ errno, code }));

  const reported = [...errors, { code: 'ECONNRESET' }].map(report);

  expect(reported.length).toBeGreaterThan(50);
  expect(reported.filter(({ lines, isAnswered }) => isAnswered || lines.length > 0)).toEqual([]);
});

test('answers no TLS connection that failed in its handshake, and logs no error', () => {
  const codes = [...nodeCodes.filter((code) => /^ERR_TLS_/.test(code)), 'ERR_SSL_NO_SHARED_CIPHER'];

  const reported = codes.map((code) => report({ code }));

  expect(codes.length).toBeGreaterThan(10);
  for (const { lines, isAnswered } of reported) {
    expect(lines.map(({ level }) => level)).toEqual(['info']);
    expect(isAnswered).toBe(false);
  }
});
