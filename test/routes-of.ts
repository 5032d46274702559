import type { FastifyInstance } from 'fastify';

/** Every route of the service, read from the printed tree of the router: "GET /problems/:slug". */
export function routesOf(app: FastifyInstance): string[] {
  const path: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', methods = ''] =
        /^([│ ]*)[├└]── (\S+) \((.*)\)$/.exec(line) ?? [];
      path.splice(indent.length / 4, Number.POSITIVE_INFINITY, part);
      return methods.split(', ').map((method) => `${method} ${path.join('')}`);
    });
}
