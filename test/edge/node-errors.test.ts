import { getSystemErrorMap } from 'node:util';
import { expect, test } from 'vitest';

import { makeConnectionErrorHandler } from '#edge/raw-connections.ts';

// The errors of connections that Node can report: the codes of deps/llhttp/include/llhttp.h, and those of
// lib/internal/errors.js that begin with ERR_HTTP_. Node exports neither list, so the lists here are for these versions.
const listedFor = { llhttp: ['9.4.3'], node: ['24'] };
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

// Also from lib/internal/errors.js.
const tlsCodes = `
  ERR_TLS_ALPN_CALLBACK_INVALID_RESULT
  ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS
  ERR_TLS_CERT_ALTNAME_FORMAT
  ERR_TLS_CERT_ALTNAME_INVALID
  ERR_TLS_DH_PARAM_SIZE
  ERR_TLS_HANDSHAKE_TIMEOUT
  ERR_TLS_INVALID_CONTEXT
  ERR_TLS_INVALID_PROTOCOL_VERSION
  ERR_TLS_INVALID_STATE
  ERR_TLS_PROTOCOL_VERSION_CONFLICT
  ERR_TLS_RENEGOTIATION_DISABLED
  ERR_TLS_RENEGOTIATION_UNSUPPORTED
  ERR_TLS_REQUIRED_SERVER_NAME
  ERR_TLS_SESSION_ATTACK
  ERR_TLS_SNI_FROM_SERVER
  ERR_SSL_NO_SHARED_CIPHER
`
  .trim()
  .split(/\s+/);

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
  const { llhttp, node } = process.versions;
  const [major] = node.split('.');

  const advice = 'Compare the lists of this file with the new Node, and then add its version.';
  expect(listedFor.llhttp, `llhttp is ${llhttp}. ${advice}`).toContain(llhttp);
  expect(listedFor.node, `Node is ${node}. ${advice}`).toContain(major);
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
  const reported = tlsCodes.map((code) => report({ code }));

  for (const { lines, isAnswered } of reported) {
    expect(lines.map(({ level }) => level)).toEqual(['info']);
    expect(isAnswered).toBe(false);
  }
});
