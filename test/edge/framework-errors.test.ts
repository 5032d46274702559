import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { errorCodes } from 'fastify';
import { expect, test } from 'vitest';

import { makeRoutingErrorHandler } from '#edge/plugin.ts';
import { frameworkErrors } from '#problems/plugin.ts';
import { callersBy } from '../access.ts';
import { openWorld } from '../world.ts';
import { expectProblem } from './expect-problem.ts';
import { request, talk } from './raw.ts';

// Codes that no request can cause, or only a defect: then 500 and a logged error are right. A code of a
// newer Fastify is on no list, so the test fails until somebody decides about it.
const notOfRequests: Record<string, string> = {
  'at the start: options of the service': `
    FST_ERR_OPTIONS_NOT_OBJ
    FST_ERR_QSP_NOT_FN
    FST_ERR_SCHEMA_CONTROLLER_BUCKET_OPT_NOT_FN
    FST_ERR_SCHEMA_ERROR_FORMATTER_NOT_FN
    FST_ERR_AJV_CUSTOM_OPTIONS_OPT_NOT_OBJ
    FST_ERR_AJV_CUSTOM_OPTIONS_OPT_NOT_ARR
    FST_ERR_LISTEN_OPTIONS_INVALID
    FST_ERR_LOG_INVALID_DESTINATION
    FST_ERR_LOG_INVALID_LOGGER
    FST_ERR_LOG_INVALID_LOGGER_INSTANCE
    FST_ERR_LOG_INVALID_LOGGER_CONFIG
    FST_ERR_LOG_LOGGER_AND_LOGGER_INSTANCE_PROVIDED
    FST_ERR_LOG_INVALID_LOG_CONTROLLER
    FST_ERR_INIT_OPTS_INVALID
    FST_ERR_ROUTE_REWRITE_NOT_STR
  `,
  'at the start: plugins, decorators, hooks and handlers': `
    FST_ERR_ERROR_HANDLER_NOT_FN
    FST_ERR_ERROR_HANDLER_ALREADY_SET
    FST_ERR_DEC_ALREADY_PRESENT
    FST_ERR_DEC_DEPENDENCY_INVALID_TYPE
    FST_ERR_DEC_MISSING_DEPENDENCY
    FST_ERR_DEC_AFTER_START
    FST_ERR_DEC_REFERENCE_TYPE
    FST_ERR_DEC_UNDECLARED
    FST_ERR_HOOK_INVALID_TYPE
    FST_ERR_HOOK_INVALID_HANDLER
    FST_ERR_HOOK_INVALID_ASYNC_HANDLER
    FST_ERR_HOOK_NOT_SUPPORTED
    FST_ERR_MISSING_MIDDLEWARE
    FST_ERR_HOOK_TIMEOUT
    FST_ERR_PLUGIN_VERSION_MISMATCH
    FST_ERR_PLUGIN_NOT_PRESENT_IN_INSTANCE
    FST_ERR_PLUGIN_INVALID_ASYNC_HANDLER
    FST_ERR_PLUGIN_DEPENDENCY_NOT_REGISTERED
    FST_ERR_PLUGIN_CALLBACK_NOT_FN
    FST_ERR_PLUGIN_NOT_VALID
    FST_ERR_ROOT_PLG_BOOTED
    FST_ERR_PARENT_PLUGIN_BOOTED
    FST_ERR_PLUGIN_TIMEOUT
  `,
  'at the start: parsers of bodies': `
    FST_ERR_CTP_ALREADY_PRESENT
    FST_ERR_CTP_INVALID_TYPE
    FST_ERR_CTP_EMPTY_TYPE
    FST_ERR_CTP_INVALID_HANDLER
    FST_ERR_CTP_INVALID_PARSE_TYPE
    FST_ERR_CTP_INSTANCE_ALREADY_STARTED
  `,
  'at the start: routes': `
    FST_ERR_DUPLICATED_ROUTE
    FST_ERR_INVALID_URL
    FST_ERR_ROUTE_OPTIONS_NOT_OBJ
    FST_ERR_ROUTE_DUPLICATED_HANDLER
    FST_ERR_ROUTE_HANDLER_NOT_FN
    FST_ERR_ROUTE_MISSING_HANDLER
    FST_ERR_ROUTE_METHOD_INVALID
    FST_ERR_ROUTE_METHOD_NOT_SUPPORTED
    FST_ERR_ROUTE_LOG_LEVEL_INVALID
    FST_ERR_ROUTE_BODY_VALIDATION_SCHEMA_NOT_SUPPORTED
    FST_ERR_ROUTE_BODY_LIMIT_OPTION_NOT_INT
    FST_ERR_ROUTE_HANDLER_TIMEOUT_OPTION_NOT_INT
  `,
  'at the start: schemas': `
    FST_ERR_SCH_MISSING_ID
    FST_ERR_SCH_ALREADY_PRESENT
    FST_ERR_SCH_CONTENT_MISSING_SCHEMA
    FST_ERR_SCH_DUPLICATE
    FST_ERR_SCH_VALIDATION_BUILD
    FST_ERR_SCH_SERIALIZATION_BUILD
    FST_ERR_SCH_RESPONSE_SCHEMA_NOT_NESTED_2XX
  `,
  'at the start and the end: listening and closing': `
    FST_ERR_FORCE_CLOSE_CONNECTIONS_IDLE_NOT_AVAILABLE
    FST_ERR_REOPENED_CLOSE_SERVER
    FST_ERR_REOPENED_SERVER
    FST_ERR_INSTANCE_ALREADY_LISTENING
  `,
  'at the start: the order of plugins': `
    AVV_ERR_EXPOSE_ALREADY_DEFINED
    AVV_ERR_ATTRIBUTE_ALREADY_DEFINED
    AVV_ERR_CALLBACK_NOT_FN
    AVV_ERR_PLUGIN_NOT_VALID
    AVV_ERR_ROOT_PLG_BOOTED
    AVV_ERR_PARENT_PLG_LOADED
    AVV_ERR_READY_TIMEOUT
    AVV_ERR_PLUGIN_EXEC_TIMEOUT
  `,
  'a defect: an answer that cannot be sent': `
    FST_ERR_REP_INVALID_PAYLOAD_TYPE
    FST_ERR_REP_RESPONSE_BODY_CONSUMED
    FST_ERR_REP_READABLE_STREAM_LOCKED
    FST_ERR_REP_ALREADY_SENT
    FST_ERR_REP_SENT_VALUE
    FST_ERR_SEND_INSIDE_ONERR
    FST_ERR_SEND_UNDEFINED_ERR
    FST_ERR_BAD_STATUS_CODE
    FST_ERR_BAD_TRAILER_NAME
    FST_ERR_BAD_TRAILER_VALUE
    FST_ERR_FAILED_ERROR_SERIALIZATION
    FST_ERR_MISSING_SERIALIZATION_FN
    FST_ERR_MISSING_CONTENTTYPE_SERIALIZATION_FN
  `,
  'a defect: a validator that is missing, or returns no problem': `
    FST_ERR_VALIDATION
    FST_ERR_REQ_INVALID_VALIDATION_INVOCATION
  `,
  'never: a handler of ours replaces what throws it': `
    FST_ERR_NOT_FOUND
    FST_ERR_CTP_BODY_TOO_LARGE
    FST_ERR_CTP_INVALID_CONTENT_LENGTH
    FST_ERR_CTP_EMPTY_JSON_BODY
    FST_ERR_CTP_INVALID_JSON_BODY
  `,
  'never: no route has a constraint, or the method QUERY': `
    FST_ERR_ASYNC_CONSTRAINT
    FST_ERR_ROUTE_MISSING_CONTENT_TYPE
    FST_ERR_ROUTE_MISSING_CONTENT
  `,
  'at the start: options of the file server': `
    FST_STATIC_INVALID_OPTION
    FST_STATIC_INVALID_OPTION_VALUE
  `,
  'never: the file server lists and redirects no folder': `
    FST_STATIC_MULTIROOT_LIST_CONFLICT
    FST_STATIC_INVALID_REDIRECT_URL
  `,
};

/** The codes that the packages of Fastify and of its plugins define. Only some packages export them. */
const defined = packagesOf([
  'fastify',
  '@fastify/accepts',
  '@fastify/swagger',
  '@fastify/swagger-ui',
])
  .flatMap((folder) => globSync(`${folder}/{*,lib/**/*}.{js,cjs}`))
  .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/createError\(\s*['"](\w+)['"]/g)])
  .map(([, code = '']) => code);
const codes = [...new Set([...Object.keys(errorCodes), ...defined])];

/** The folders of packages and of all that they depend on. */
function packagesOf(names: readonly string[]): string[] {
  const folders = new Set<string>();
  const add = (name: string, from: string) => {
    const paths = createRequire(from).resolve.paths(name) ?? [];
    const [file] = globSync(paths.map((path) => join(path, name, 'package.json')));
    if (file === undefined || folders.has(dirname(file))) return;
    folders.add(dirname(file));
    const { dependencies = {} } = JSON.parse(readFileSync(file, 'utf8'));
    for (const dependency of Object.keys(dependencies)) add(dependency, file);
  };
  for (const name of names) add(name, import.meta.filename);
  return [...folders];
}

const listed = Object.values(notOfRequests).flatMap((codes) => codes.trim().split(/\s+/));

test.each(codes)('maps %s to a problem, or no request can cause it', (code) => {
  const places = [...Object.keys(frameworkErrors), ...listed].filter((known) => known === code);

  expect(places).toEqual([code]);
});

test('lists only codes of Fastify and its plugins, and finds those that are exported', () => {
  const fromFastify = createRequire(createRequire(import.meta.url).resolve('fastify'));
  const exported = [errorCodes, fromFastify('avvio/lib/errors')].flatMap(Object.keys);

  expect(listed.filter((code) => !codes.includes(code))).toEqual([]);
  expect(exported.filter((code) => !defined.includes(code))).toEqual([]);
});

test.each(['/export-tasks/', '/export-jobs/', '/problems/', '/targets/', '/docs/static/'])(
  'returns 414 for a parameter of more than 4,096 characters behind %s, without credentials',
  async (path) => {
    await using world = await openWorld({ access: callersBy(() => false), jobs: {} });

    const { answers } = await talk(world.port, request(`GET ${path}${'x'.repeat(4_097)}`));

    await expectProblem(world, answers[0], 'url-too-long');
  },
);

test('logs an unknown error of the router as an error, with its cause', () => {
  const lines: object[] = [];
  const log = {
    info: (facts: object) => lines.push({ level: 'info', ...facts }),
    error: (facts: object) => lines.push({ level: 'error', ...facts }),
  };
  const handle = makeRoutingErrorHandler({ basePath: '', log });
  const unknown = Object.assign(new Error('new'), { code: 'FST_ERR_OF_TOMORROW', statusCode: 500 });

  handle(unknown as never, aRequest(), aReply());

  expect(lines).toEqual([
    expect.objectContaining({ level: 'error', problem: 'internal-error', err: unknown }),
  ]);
});

function aRequest() {
  return { id: '0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11', method: 'GET' } as never;
}

function aReply() {
  const reply: Record<string, unknown> = {};
  for (const name of ['header', 'code', 'type', 'send']) reply[name] = () => reply;
  return reply as never;
}
