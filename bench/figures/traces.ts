import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { RunningGateway } from '../gateway.ts';
import { createsAt, formatRates, measurePairs } from '../pairs.ts';
import type { Scale, World } from '../scale.ts';

/** CreateExportTask while traces are sent to a receiver, compared with a gateway without traces. */
export async function measureTraces(
  { openGateway, callers }: World,
  scale: Scale,
): Promise<string[]> {
  await using receiver = await openReceiver();
  await using bare = await openGateway();
  const subjectOf = (gateway: RunningGateway) => createsAt(gateway, callers, scale.roundSeconds);
  const lines: string[] = [];
  for (const share of ['1', '0.1']) {
    await using traced = await openGateway({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: share,
      },
    });
    const pairs = await measurePairs(subjectOf(traced), subjectOf(bare), scale);
    const { rates, cpuTimes } = formatRates(pairs);
    lines.push(
      `create, ${`${100 * Number(share)} %`.padEnd(5)} traced ${rates}`,
      `  CPU time a call    ${cpuTimes}`,
    );
  }
  return lines;
}

/** Opens a receiver of traces that reads them and forgets them. */
async function openReceiver() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
