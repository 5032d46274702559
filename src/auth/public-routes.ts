/** The routes that are for everybody: what they tell is the same for all, and nothing of AWS. */
const publicRoutes = new Set([
  '/problems',
  '/problems/:slug',
  '/health/live',
  '/health/ready',
  '/openapi.json',
  '/openapi.yaml',
]);

/** Whether a route is for everybody; Swagger UI registers several of its own. */
export function isPublic(url: string): boolean {
  return publicRoutes.has(url) || url === '/docs' || url.startsWith('/docs/');
}
