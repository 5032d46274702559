import { statedLimits } from '#problems/limits.ts';

/** The limits of a connection and a request. Times in milliseconds, sizes in bytes. */
export interface EdgeLimits {
  bodyBytes: number;
  bodiesBytes: number;
  callerBodiesBytes: number;
  signedBodiesBytes: number;
  claimedBodiesBytes: number;
  publicBodiesBytes: number;
  addressBodiesBytes: number;
  freeBodyBytes: number;
  earlyBodyMs: number;
  urlBytes: number;
  headerBytes: number;
  headersMs: number;
  requestMs: number;
  handlerMs: number;
  silentMs: number;
  connections: number;
  idleConnections: number;
  connectionRequests: number;
  pipelinedRequests: number;
  unreadBytes: number;
  unreadCheckMs: number;
  keepAliveMs: number;
  checkMs: number;
  finishMs: number;
  flushMs: number;
}

/** The limits in production. */
export const edgeLimits: EdgeLimits = {
  bodyBytes: statedLimits.bodyBytes,
  // All bodies in flight together. Lower: eight large jobs at once are refused. Higher: bodies and their
  // parsed values, three times as large, fill the memory of a container of 192 MiB.
  bodiesBytes: 8 * 1_048_576,
  callerBodiesBytes: statedLimits.callerBodiesBytes,
  // All bodies of signed requests, of which nobody knows yet who sent them. Lower: the bodies of eight
  // guessed callers keep all others out. Higher: they fill the memory that other bodies need.
  signedBodiesBytes: 4 * 1_048_576,
  // Those that claim to be of one caller: eight of the largest size.
  // Lower: a caller with large bodies is refused. Higher: few names keep all other callers out.
  claimedBodiesBytes: 524_288,
  // All bodies of public routes, which are the forms of the sign-in and the sign-out.
  // Lower: few addresses keep all others from signing in. Higher: they fill the memory that other bodies need.
  publicBodiesBytes: 524_288,
  // Those of one address: ten of the largest forms. Lower: people behind one proxy who sign in at once with long tokens
  // are refused. Higher: few addresses keep all others from signing in.
  addressBodiesBytes: 131_072,
  // The first bytes of each signed body and each form that no budget counts. A connection without a key takes as much
  // for its headers. Lower: half-sent bodies in the name of a caller, or from its address, keep its usual requests and
  // forms out. Higher: many connections fill the memory.
  freeBodyBytes: 4_096,
  // The time for a signed body or a form. Lower: callers with large bodies and slow connections fail. Higher: impostors
  // hold the budget of a caller or an address longer.
  earlyBodyMs: 3_000,
  urlBytes: statedLimits.urlBytes,
  headerBytes: statedLimits.headerBytes,
  headersMs: statedLimits.headersMs,
  requestMs: statedLimits.requestMs,
  // Lower: shorter than the deadline of a read at AWS. Higher: longer than the timeouts of callers.
  handlerMs: 8_000,
  // A request or an answer of which no byte moves. Lower: the longest operations, which have two minutes, lose their
  // connection. Higher: clients that do not read their answers hold memory longer. Each part that a client reads begins
  // the time anew.
  silentMs: 150_000,
  // Open connections; the one that is idle longest gives its place to a new one. Lower: 1,000 event streams, 1,000
  // requests with `wait` and the usual connections do not fit. Higher: they fill the memory of a container of 192 MiB.
  connections: 2_500,
  // Those without a request in flight: anybody can open them. Lower: clients with many idle connections lose some of
  // them. Higher: at 11 KB each, or 60 KB with TLS, they fill the memory.
  idleConnections: 500,
  // Requests in flight of one connection. Lower: clients that send many requests without waiting for the answers lose
  // their connection. Higher: few connections reach the next limit.
  connectionRequests: 100,
  // Those of all connections that wait behind another one of their connection. Above, a connection that sends one more of
  // them is closed. Lower: ten such clients fail. Higher: at some KB each, they fill the memory.
  pipelinedRequests: 1_000,
  // The bytes of all answers that wait for their clients. With TLS, they take twice as much. Lower: slow clients of large
  // answers lose them. Higher: clients that do not read fill the memory.
  unreadBytes: 16 * 1_048_576,
  // How often these bytes are counted. Higher: more of them arrive in between.
  unreadCheckMs: 250,
  // Must be longer than the idle timeout of a load balancer (usually 60 s; KEEP_ALIVE_SECONDS). Otherwise
  // it sometimes sends a request into a closing connection and answers 502. `headersMs` begins with a new
  // connection or the first byte of a further request, so it does not end idle connections.
  keepAliveMs: 75_000,
  // How often Node checks connections for timeouts. Higher: each timeout is later by that much.
  checkMs: 1_000,
  // Time for requests in flight when the service closes. Lower: a slow create ends with an unknown
  // outcome. Higher: too little of the ten seconds until the exit is left.
  finishMs: 3_000,
  // Time to send the last answers and to receive headers before connections are destroyed.
  flushMs: 250,
};
