import { afterAll } from 'vitest';

// Test files share a process. What one of them tells the SDK is not left to the next.
const before = { ...process.env };

afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});
