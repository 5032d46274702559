/** The routes that need no authentication: their answers are the same for all, and say nothing of AWS. */
const publicRoutes = new Set([
  '/problems',
  '/problems/:slug',
  '/health/live',
  '/health/ready',
  '/openapi.json',
  '/openapi.yaml',
  '/',
  '/ui',
  '/ui/',
  '/ui/*',
  '/ui/sign-in',
  '/ui/sign-out',
  '/ui/assets/:name',
  '/aws/:target',
  '/aws/:target/',
  '/aws/:target//',
]);

/** Whether a route needs no authentication. Swagger UI registers several routes of its own. */
export function isPublic(url: string): boolean {
  return publicRoutes.has(url) || url === '/docs' || url.startsWith('/docs/');
}
