import { statedLimits } from '#problems/limits.ts';

/** What the edge allows a connection and a request. Times in milliseconds, sizes in bytes. */
export interface EdgeLimits {
  bodyBytes: number;
  bodiesBytes: number;
  callerBodiesBytes: number;
  urlBytes: number;
  headerBytes: number;
  headersMs: number;
  requestMs: number;
  handlerMs: number;
  keepAliveMs: number;
  checkMs: number;
  finishMs: number;
  flushMs: number;
}

export const edgeLimits: EdgeLimits = {
  bodyBytes: statedLimits.bodyBytes,
  // All bodies in flight together. Lower: eight large jobs at once are turned away. Higher: bodies, and
  // three times as much that is made of them, fill the memory of a container of 192 MiB.
  bodiesBytes: 8 * 1_048_576,
  callerBodiesBytes: statedLimits.callerBodiesBytes,
  urlBytes: statedLimits.urlBytes,
  headerBytes: statedLimits.headerBytes,
  headersMs: statedLimits.headersMs,
  requestMs: statedLimits.requestMs,
  // Above the deadline of a read at AWS, below the patience of a caller.
  handlerMs: 8_000,
  // Longer than the idle timeout of a load balancer (60 s is usual; KEEP_ALIVE_SECONDS): if we closed
  // first, it would now and then send a request into a closing connection and answer 502. The limit
  // of headers begins with the first byte of a request, so that it does not end idle connections.
  keepAliveMs: 75_000,
  // How often Node looks for connections past their time; its default of 30 s would add to each.
  checkMs: 1_000,
  // What requests in flight have to end in when the service closes. Longer, and the rest of the ten
  // seconds until the exit is not enough; shorter, and a slow create becomes one of unknown outcome.
  finishMs: 3_000,
  // Within it a last answer is sent, and headers on their way arrive, before connections are cut.
  flushMs: 250,
};
