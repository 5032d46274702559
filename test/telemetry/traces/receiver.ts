import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A span as it arrived. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  kind: 'internal' | 'server' | 'client';
  attributes: Record<string, unknown>;
  isError: boolean;
  links: { traceId: string; spanId: string }[];
  events: { name: string; atMs: number }[];
  durationMs: number;
  /** The attributes of the process that sent it. */
  resource: Record<string, unknown>;
}

/** A receiver of OTLP over HTTP with JSON, like a collector. */
export interface Receiver extends AsyncDisposable {
  url: string;
  spans: ReceivedSpan[];
  /** The headers and the body of each request. */
  requests: { headers: IncomingMessage['headers']; body: string }[];
  /** How it answers. Default: it accepts everything. */
  answer: (response: ServerResponse) => void;
}

/** Opens a receiver, and points the exporter at it. */
export async function openReceiver(): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    receiver.requests.push({ headers: request.headers, body });
    response.once('finish', () => {
      const isAccepted = response.statusCode === 200 && request.url === '/v1/traces';
      if (isAccepted) receiver.spans.push(...readSpans(JSON.parse(body)));
    });
    receiver.answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    spans: [],
    requests: [],
    answer: (response) => void response.end('{}'),
    async [Symbol.asyncDispose]() {
      delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
      if (!server.listening) return; // the test has closed it
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url;
  return receiver;
}

// The members of OTLP that are read here.
interface Export {
  resourceSpans: { resource: Holder; scopeSpans: { spans: OtlpSpan[] }[] }[];
}
interface Holder {
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}
interface OtlpSpan extends Holder {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  status: { code: number };
  links: { traceId: string; spanId: string }[];
  events: { name: string; timeUnixNano: string }[];
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}

const kinds = ['internal', 'internal', 'server', 'client'] as const;
const toMs = (nanoseconds: string) => Number(BigInt(nanoseconds) / 1_000_000n);

function readSpans({ resourceSpans }: Export): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        kind: kinds[span.kind] ?? 'internal',
        attributes: readAttributes(span),
        isError: span.status.code === 2,
        links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
        events: span.events.map(({ name, timeUnixNano }) => ({ name, atMs: toMs(timeUnixNano) })),
        durationMs: toMs(span.endTimeUnixNano) - toMs(span.startTimeUnixNano),
        resource: readAttributes(resource),
      })),
    ),
  );
}

function readAttributes({ attributes }: Holder): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
  );
}
