// Preloaded into the gateway with --import: counts the statements it sends to its database, and answers
// every message with their number.

type Methods = Record<string, (...values: unknown[]) => unknown>;
let statements = 0;

function countCalls(of: object, names: readonly string[]): void {
  const methods = of as Methods;
  for (const name of names) {
    const method = methods[name];
    methods[name] = function counted(this: unknown, ...values) {
      statements += 1;
      return method?.apply(this, values);
    };
  }
}

if (process.env.DATABASE_URL) {
  const { default: pg } = await import('pg');
  countCalls(pg.Client.prototype, ['query']);
} else {
  const { DatabaseSync, StatementSync } = await import('node:sqlite');
  countCalls(DatabaseSync.prototype, ['exec']);
  countCalls(StatementSync.prototype, ['all', 'get', 'iterate', 'run']);
}
process.on('message', () => process.send?.({ statements }));
process.channel?.unref(); // it must not keep the gateway running
