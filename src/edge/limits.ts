/** What the edge allows a connection and a request. Times in milliseconds, sizes in bytes. */
export interface EdgeLimits {
  bodyBytes: number;
  urlBytes: number;
  headerBytes: number;
  headersMs: number;
  requestMs: number;
  handlerMs: number;
  keepAliveMs: number;
  checkMs: number;
}

export const edgeLimits: EdgeLimits = {
  // The largest lawful body is some 6 KiB. More room only serves who wants to keep us parsing.
  bodyBytes: 16_384,
  // A task id of 512 characters, percent-encoded, and a long nextToken fit; below the header limit,
  // so that a long URL is told from long headers.
  urlBytes: 4_096,
  headerBytes: 8_192,
  // Node's defaults are 60 s and 300 s: a slow sender would hold a connection that long.
  headersMs: 5_000,
  requestMs: 10_000,
  // Above the deadline of a read at AWS, below the patience of a caller.
  handlerMs: 8_000,
  // Longer than the idle timeout of a load balancer (60 s is usual): if we closed first, it would
  // now and then send a request into a closing connection and answer 502.
  keepAliveMs: 75_000,
  // How often Node looks for connections past their time; its default of 30 s would add to each.
  checkMs: 1_000,
};
