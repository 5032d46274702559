import type { Emulator } from '../emulator.ts';
import { readExactJson, writeExactJson } from '../wire/exact-json.ts';
import type { Answer, WireRequest } from '../wire/exchange.ts';
import type { Fault } from './faults.ts';

type Controlled = Pick<Emulator, 'clock' | 'faults' | 'journal' | 'seed' | 'exportTasks'>;
type Body = Record<string, unknown>;
type Route = (emulator: Controlled, body: Body) => unknown;

/**
 * The controls for an emulator that is a process of its own; JSON in and out:
 *
 * - `GET /_emulator/clock` → `{now}`; `POST` with `{advanceMs}` or `{now}` (epoch ms) turns it
 * - `GET /_emulator/faults` → those pending; `POST` adds one; `DELETE` clears
 * - `GET /_emulator/journal` → entries, oldest first; `DELETE` clears
 * - `GET /_emulator/export-tasks` → every task of every account and Region
 * - `POST /_emulator/seed/log-group | log-events | bucket | finished-tasks | foreign-task |
 *   task-failure` with the argument of the function of that name
 */
const routes: Record<string, Route> = {
  'GET clock': ({ clock }) => ({ now: clock.now() }),
  'POST clock': ({ clock }, { advanceMs, now }) => {
    if (now !== undefined) clock.set(Number(now));
    if (advanceMs !== undefined) clock.advance(Number(advanceMs));
    return { now: clock.now() };
  },
  'GET faults': ({ faults }) => faults.pending(),
  'POST faults': ({ faults }, fault) => faults.add(fault as Body & Fault),
  'DELETE faults': ({ faults }) => faults.clear(),
  'GET journal': ({ journal }) => journal.entries(),
  'DELETE journal': ({ journal }) => journal.clear(),
  'GET export-tasks': ({ exportTasks }) => exportTasks(),
  'POST seed/log-group': ({ seed }, body) => seed.logGroup(body as never),
  'POST seed/log-events': ({ seed }, body) => seed.logEvents(body as never),
  'POST seed/bucket': ({ seed }, body) => seed.bucket(body as never),
  'POST seed/finished-tasks': ({ seed }, body) => seed.finishedTasks(body as never),
  'POST seed/foreign-task': ({ seed }, body) => seed.foreignTask(body as never),
  'POST seed/task-failure': ({ seed }, body) => seed.taskFailure(body as never),
};

const root = '/_emulator/';

/** Answers a request to the controls; undefined for every other. */
export function control(request: WireRequest, emulator: Controlled): Answer | undefined {
  if (!request.path.startsWith(root)) return undefined;
  const route = routes[`${request.method} ${request.path.slice(root.length)}`];
  if (!route) return json(404, { message: 'No such control.' });
  try {
    const text = request.body.toString();
    return json(200, route(emulator, text === '' ? {} : (readExactJson(text) as Body)) ?? {});
  } catch (error) {
    return json(400, { message: (error as Error).message });
  }
}

function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: writeExactJson(body) };
}
