import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A reverse proxy that strips a base path. */
export interface StrippingProxy extends AsyncDisposable {
  origin: string;
  /** The origin with the path that it strips. */
  url: string;
}

/** Opens a reverse proxy that serves a port below a path, strips that path and changes nothing else. */
export async function openStrippingProxy(
  basePath: string,
  servicePort: number,
): Promise<StrippingProxy> {
  const server = createServer((incoming, answer) => {
    const { url = '', method, headers } = incoming;
    if (!url.startsWith(`${basePath}/`)) return void answer.writeHead(404).end('no service here');
    const path = url.slice(basePath.length);
    const forwarded = request({ host: '127.0.0.1', port: servicePort, path, method, headers });
    forwarded.on('response', (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(answer);
    });
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: origin + basePath,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
