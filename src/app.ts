import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Archives } from '#archives/archives.ts';
import { makeArchiveOperations } from '#archives/operations/archive-operations.ts';
import { archivesPlugin } from '#archives/plugin.ts';
import type { Audit } from '#audit/audit.ts';
import type { Access } from '#auth/access.ts';
import type { TargetIdentity } from '#auth/authorization/authorizer.ts';
import { limitsPlugin, type RateLimits } from '#auth/limits/plugin.ts';
import { authorizationPlugin, authPlugin, bodyPermissionPlugin } from '#auth/plugin.ts';
import { coveragePlugin } from '#coverage/plugin.ts';
import { makeConnections } from '#edge/connections.ts';
import { type EdgeLimits, edgeLimits } from '#edge/limits.ts';
import { overloadPlugin } from '#edge/overload/plugin.ts';
import { edgePlugin, makeRoutingErrorHandler } from '#edge/plugin.ts';
import { makeServer } from '#edge/server.ts';
import type { Tls } from '#edge/tls.ts';
import { makeJobLookup } from '#export-jobs/access/job-lookup.ts';
import type { JobsOptions } from '#export-jobs/jobs-options.ts';
import { makeJobOperations } from '#export-jobs/operations/job-operations.ts';
import { exportJobsPlugin } from '#export-jobs/plugin.ts';
import { exportTasksPlugin } from '#export-tasks/plugin.ts';
import { healthPlugin } from '#health/plugin.ts';
import { openapiPlugin } from '#openapi/plugin.ts';
import { preflightsPlugin } from '#preflights/plugin.ts';
import { cataloguePlugin, problemsPlugin } from '#problems/plugin.ts';
import { targetsPlugin } from '#targets/plugin.ts';
import { makePreflight } from '#targets/preflight/preflight.ts';
import { makeSlotReader } from '#targets/slot/slot-reader.ts';
import { identityNamed, identityOf, type Targets } from '#targets/target.ts';
import { makeTargetAccess } from '#targets/target-access.ts';
import { telemetryPlugin } from '#telemetry/plugin.ts';
import { uiPlugin } from '#ui/plugin.ts';
import { makeSerializer } from '#validation/serializer.ts';
import { makeValidator } from '#validation/validator.ts';
import { webhookMessages } from '#webhook-endpoints/contract/event-message.ts';
import { webhookEndpointsPlugin } from '#webhook-endpoints/plugin.ts';
import type { WebhookEndpoints } from '#webhook-endpoints/webhook-endpoints.ts';
import { wirePlugin } from '#wire/plugin.ts';

/** Everything the service depends on. Times in milliseconds. */
export interface AppOptions {
  log: Logger;
  targets: Targets;
  access: Access;
  audit: Audit;
  rateLimits: RateLimits;
  /** Whether the process is stopping: it is no longer ready and keeps no connection. */
  isStopping: () => boolean;
  now: () => number;
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
  newId: () => string;
  random: () => number;
  /** The delay of the event loop. */
  loopDelayMs: () => number;
  /** The queue of export jobs; absent if export jobs are switched off. */
  jobs?: JobsOptions | undefined;
  /** The archives; absent if export jobs are switched off. */
  archives?: Archives | undefined;
  /** The webhook endpoints; absent if they or export jobs are switched off. */
  webhookEndpoints?: WebhookEndpoints | undefined;
  limits?: EdgeLimits;
  /** The names the Host header may have; any when absent. */
  allowedHosts?: readonly string[] | undefined;
  /** The origins whose scripts may call the service; none when absent. */
  corsOrigins?: readonly string[];
  /** The path prefix that a reverse proxy strips; none when absent. */
  basePath?: string;
  /** Whether there are pages for people. Default: true. */
  isUiOn?: boolean;
  /** The TLS settings of the server; plain HTTP when absent. */
  tls?: Tls | undefined;
}

/**
 * Builds the service: registers every room, in reading order. It is complete once `ready()` has resolved.
 * A room is called directly if it needs no Fastify scope: a scope takes longer to build than its routes.
 */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { log, targets, isStopping, now, elapsed, sleep, newId, jobs } = options;
  const { access, audit, tls, rateLimits, random, loopDelayMs } = options;
  const { limits = edgeLimits, basePath = '', isUiOn = true } = options;
  const { authenticate, signatures, authorizer } = access;
  const raw = { newId, basePath, log };
  const { allowedHosts, corsOrigins = [] } = options;
  const connections = makeConnections({ limits, log, now, elapsed });
  const app: FastifyInstance = Fastify({
    bodyLimit: limits.bodyBytes,
    // This timeout ends when the body has been read. Operations with a body wait only for AWS then,
    // and each call to AWS has its own deadline.
    handlerTimeout: limits.handlerMs,
    pluginTimeout: 0, // no plugin waits for another process, and a busy machine takes long to load them
    forceCloseConnections: 'idle', // requests in flight end by themselves
    return503OnClosing: false, // closing begins after readiness has been 503 for a while
    trustProxy: false, // anyone can send X-Forwarded-*
    genReqId: newId,
    requestIdHeader: false, // the id that a caller sends is logged separately
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    exposeHeadRoutes: true,
    serverFactory: (handler) => makeServer(handler, { limits, tls, connections, raw, elapsed }),
    ...(tls && { https: {} }), // so that listen() returns an https URL
    routerOptions: {
      maxParamLength: limits.urlBytes, // the schema limits the length of a parameter
      ignoreTrailingSlash: false,
      caseSensitive: true,
    },
    clientErrorHandler: () => {}, // makeServer adds one to each server; localhost has two servers
    frameworkErrors: makeRoutingErrorHandler(raw),
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }), // telemetry logs requests
    childLoggerFactory: (logger) => logger, // telemetry adds the request id
  });
  app.setValidatorCompiler(makeValidator);
  app.setSerializerCompiler(makeSerializer);

  await app.register(telemetryPlugin, { log });
  await app.register(edgePlugin, {
    limits,
    basePath,
    isStopping,
    connections,
    allowedHosts,
    corsOrigins,
  });
  await app.register(overloadPlugin, { loopDelayMs, random });
  await app.register(authPlugin, { authenticate, signatures, audit });
  await app.register(limitsPlugin, { rateLimits, elapsed });
  await app.register(bodyPermissionPlugin, { authorizer });
  await app.register(problemsPlugin);
  const webhooks = jobs && options.webhookEndpoints && webhookMessages;
  await app.register(openapiPlugin, { basePath, webhooks }); // collects the routes that are registered after it
  await cataloguePlugin(app, {});
  await healthPlugin(app, { whyNotReady });
  const slots = makeSlotReader({ targets, slotStatusSource: jobs?.slots, now, elapsed });
  const queries = jobs && makeJobLookup({ database: jobs.database, authorizer, targets, elapsed });
  const visibility = queries?.visibility;
  const targetAccess = makeTargetAccess({ targets, slots, authorizer, visibility });
  const forecast = jobs?.queue.estimate;
  const preflight = makePreflight({ targets, access: targetAccess, forecast, now });
  await targetsPlugin(app, { access: targetAccess });
  await preflightsPlugin(app, { targets, authorizer, preflight, now });
  await authorizationPlugin(app, {
    authorizer,
    identityNamed: (name) => identityNamed(targets, name),
    findTarget,
  });
  await exportTasksPlugin(app, {
    targets,
    authorizer,
    visibility,
    isReserved: jobs?.isMarker,
    now,
    elapsed,
    sleep,
  });
  const asked = { targets, authenticate, authorizer, elapsed };
  const operations =
    jobs && queries && makeJobOperations({ ...jobs, ...queries, ...asked, random, basePath });
  if (operations) {
    await exportJobsPlugin(app, {
      ...jobs,
      ...asked,
      operations,
      preflight,
      newId,
      sleep,
    });
  }
  const { archives } = options;
  const archiveOperations =
    archives &&
    jobs &&
    makeArchiveOperations({ ...asked, ...archives, sleep, database: jobs.database, basePath });
  if (archives && jobs && operations && archiveOperations) {
    await archivesPlugin(app, {
      ...asked,
      ...archives,
      database: jobs.database,
      operations: archiveOperations,
      polls: operations.polls,
      preflight,
      newId,
      sleep,
    });
  }
  if (jobs) {
    const { database } = jobs;
    await coveragePlugin(app, { database, authorizer, targets, findTarget });
  }
  const { webhookEndpoints } = options;
  if (jobs && webhookEndpoints) {
    const { database } = jobs;
    const shared = { database, authorizer, basePath, newId };
    await webhookEndpointsPlugin(app, { ...webhookEndpoints, ...shared });
  }
  if (signatures && jobs && operations) {
    const { access: jobAccess, announce } = operations;
    await app.register(wirePlugin, {
      ...jobs,
      targets,
      authorizer,
      access: jobAccess,
      announce,
      newId,
      now,
      elapsed,
    });
  }
  if (isUiOn) {
    const shown = { targetAccess, operations, archiveOperations, basePath };
    await app.register(uiPlugin, { ...shown, access, audit, newId, now, elapsed });
  }
  return app;

  function findTarget(name: string | undefined): TargetIdentity {
    const known = targets.look(name);
    return known?.accountId === undefined ? targets.find(name) : identityOf(known);
  }

  function whyNotReady(): string | undefined {
    if (isStopping()) return 'The service is stopping.';
    return targets.whyNotReady() ?? jobs?.database.whyNotReady();
  }
}
