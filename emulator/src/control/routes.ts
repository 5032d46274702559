import type { ExportTask } from '../logs/exports/export-tasks.ts';
import { checkMembers, type RulesOf } from '../options/check-members.ts';
import { isNumber, isRecord, milliseconds } from '../options/rule.ts';
import type { OptionControl } from '../options/settings.ts';
import { readExactJson, writeExactJson } from '../wire/exact-json.ts';
import type { Answer, WireRequest } from '../wire/exchange.ts';
import type { Clock } from './clock.ts';
import type { Fault } from './faults/fault.ts';
import type { Faults } from './faults/faults.ts';
import type { Journal } from './journal.ts';
import type { Seed } from './seed/seed.ts';

/** The controls for tests, in the same process or over HTTP. */
export interface Controls {
  options: OptionControl;
  clock: Clock;
  faults: Faults;
  journal: Journal;
  seed: Seed;
  /** The current export tasks of all accounts and Regions, oldest first in each. */
  exportTasks(): ExportTask[];
}

type SeedOf<Name extends keyof Seed> = Parameters<Seed[Name]>[0];
type Route = (controls: Controls, body: never) => unknown;

interface ClockChange {
  advanceMs?: number;
  now?: number;
}

const clockRules: RulesOf<ClockChange> = {
  advanceMs: milliseconds,
  now: { must: 'a number, epoch ms', fits: isNumber },
};

/**
 * The controls over HTTP, for an emulator in another process. Requests and answers are JSON:
 *
 * - `GET /_emulator/options` → all options; `POST` changes some, null restores a default, and answers
 *   like `GET`
 * - `GET /_emulator/clock` → `{now}`; `POST` with `{advanceMs}` or `{now}` (epoch ms) changes it
 * - `GET /_emulator/faults` → pending faults; `POST` adds one; `DELETE` removes all
 * - `GET /_emulator/journal` → entries, oldest first; `DELETE` removes all
 * - `GET /_emulator/export-tasks` → the tasks of all accounts and Regions
 * - `POST /_emulator/seed/log-group | log-events | bucket | key | topic | finished-tasks | foreign-task |
 *   task-failure` with the argument of the function of that name
 */
const routes: Record<string, Route> = {
  'GET options': ({ options }) => options.all(),
  'POST options': ({ options }, changes: Record<string, unknown>) => {
    options.change(changes);
    return options.all();
  },
  'GET clock': ({ clock }) => ({ now: clock.now() }),
  'POST clock': ({ clock }, change: ClockChange) => {
    checkMembers('The change of the clock', 'the change of the clock', change, clockRules);
    const { advanceMs, now } = change;
    if (now !== undefined) clock.set(now);
    if (advanceMs !== undefined) clock.advance(advanceMs);
    return { now: clock.now() };
  },
  'GET faults': ({ faults }) => faults.pending(),
  'POST faults': ({ faults }, fault: Fault) => faults.add(fault),
  'DELETE faults': ({ faults }) => faults.clear(),
  'GET journal': ({ journal }) => journal.entries(),
  'DELETE journal': ({ journal }) => journal.clear(),
  'GET export-tasks': ({ exportTasks }) => exportTasks(),
  'POST seed/log-group': ({ seed }, body: SeedOf<'logGroup'>) => seed.logGroup(body),
  'POST seed/log-events': ({ seed }, body: SeedOf<'logEvents'>) => seed.logEvents(body),
  'POST seed/bucket': ({ seed }, body: SeedOf<'bucket'>) => seed.bucket(body),
  'POST seed/key': ({ seed }, body: SeedOf<'key'>) => seed.key(body),
  'POST seed/topic': ({ seed }, body: SeedOf<'topic'>) => seed.topic(body),
  'POST seed/finished-tasks': ({ seed }, body: SeedOf<'finishedTasks'>) => seed.finishedTasks(body),
  'POST seed/foreign-task': ({ seed }, body: SeedOf<'foreignTask'>) => seed.foreignTask(body),
  'POST seed/task-failure': ({ seed }, body: SeedOf<'taskFailure'>) => seed.taskFailure(body),
};

const root = '/_emulator/';

/** Answers a request to the controls. Returns undefined for any other request. */
export function control(request: WireRequest, controls: Controls): Answer | undefined {
  if (!request.path.startsWith(root)) return undefined;
  const route = routes[`${request.method} ${request.path.slice(root.length)}`];
  if (!route) return json(404, { message: `Unknown control: ${request.method} ${request.path}.` });
  try {
    const body = readExactJson(request.body.toString() || '{}');
    if (!isRecord(body)) throw new Error('The body must be a JSON object.');
    return json(200, route(controls, body as never) ?? {});
  } catch (error) {
    return json(400, { message: (error as Error).message });
  }
}

function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: writeExactJson(body) };
}
