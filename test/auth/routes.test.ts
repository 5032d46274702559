import Fastify, { type RouteOptions } from 'fastify';
import { describe, expect, test } from 'vitest';

import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import { authPlugin } from '#auth/plugin.ts';
import { routesOf } from '../routes-of.ts';
import { openWorld } from '../world.ts';
import { openGuard } from './guard.ts';

const publicRoutes = [
  '/',
  '/docs',
  '/docs/',
  '/docs/*',
  '/docs/json',
  '/docs/static/index.html',
  '/docs/static/swagger-initializer.js',
  '/docs/yaml',
  '/health/live',
  '/health/ready',
  '/openapi.json',
  '/openapi.yaml',
  '/problems',
  '/problems/:slug',
  '/ui',
  '/ui/',
  '/ui/*',
  '/ui/assets/:name',
  '/ui/sign-in',
];

describe('requests without credentials', () => {
  test('get answers from these routes, and 401 from every other route', async () => {
    await using guard = await openGuard({ methods: ['jwt'] });
    await using world = await openWorld({ access: guard.access, jobs: {} });
    const routes = routesOf(world.app);

    const isOpen: Record<string, boolean> = {};
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ');
      const url = path.replaceAll(/:\w+|\*/g, 'x');
      const { statusCode } = await world.app.inject({ method: method as 'GET', url });
      isOpen[route] = statusCode !== 401;
    }

    const open = Object.keys(isOpen).filter((route) => isOpen[route]);
    expect(routes).toContain('POST /export-jobs/:jobId/cancel');
    expect(open.sort()).toEqual([
      ...['GET', 'HEAD'].flatMap((method) => publicRoutes.map((path) => `${method} ${path}`)),
      'POST /ui/sign-in',
      'POST /ui/sign-out',
    ]);
  });

  test('are not read: their mistakes are not reported', async () => {
    await using guard = await openGuard({ methods: ['jwt'] });
    await using world = await openWorld({ access: guard.access });

    const { status, body } = await world.call('POST', '/export-tasks?target=nope', '{"a":');

    expect(status).toBe(401);
    expect(body).not.toHaveProperty('errors');
  });
});

describe('a route added without an action', () => {
  const add = async (route: Pick<RouteOptions, 'url' | 'config'>) => {
    const app = Fastify();
    const { authenticate } = openToAll;
    await app.register(authPlugin, { authenticate, audit: makeAudit({ write() {} }) });
    app.route({ method: 'GET', handler: async () => '', ...route });
    await app.ready();
  };

  test('is rejected at the start', async () => {
    await expect(add({ url: '/secrets' })).rejects.toThrow(
      'GET /secrets has no action and is not a public route',
    );
    await expect(add({ url: '/docs-of-others' })).rejects.toThrow('/docs-of-others');
  });

  test('is accepted when it is public or has an action after all', async () => {
    await add({ url: '/problems' });
    await add({ url: '/secrets', config: { action: 'ReadTarget' } });
  });
});
