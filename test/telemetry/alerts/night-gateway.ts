import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import { makeQueueView } from '#export-jobs/queue/position.ts';
import { makeSlotStatusSource } from '#export-jobs/queue/slot/slot-status.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { buildApp } from '../../../src/app.ts';
import type { Queue } from '../../export-jobs/open-queue.ts';
import { readRules, sectionOf } from './read-rules.ts';
import { curlOf, readRunbook } from './read-runbook.ts';

/** An answer of the gateway: a page for a browser, or JSON. */
interface Answer {
  status: number;
  text: string;
}

/** Gets a path of a gateway, as a browser or as curl does. */
export type Get = (path: string, accept?: string) => Promise<Answer>;

/** Opens the gateway of a queue in virtual time, without a port. */
export async function openNightGateway(queue: Queue): Promise<Get & AsyncDisposable> {
  const { database, targets, time } = queue;
  const elapsed = time.now;
  const view = makeQueueView(database, elapsed);
  const app = await buildApp({
    jobs: {
      database,
      watch: { changed() {}, waitForChange: async () => {} },
      queue: view,
      slots: makeSlotStatusSource(database, view, elapsed),
      isMarker: async () => false,
      wake() {},
      sleepUntilAborted,
    },
    targets,
    log: makeLogger('info', { write() {} }),
    access: openToAll,
    audit: makeAudit({ write() {} }),
    isStopping: () => false,
    now: time.now,
    elapsed,
    sleep: async () => {},
    random: () => 0,
    loopDelayMs: () => 0,
    rateLimits: { createsPerMinute: 0, requestsPerMinute: 0 },
    newId: () => '0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11',
  });
  const get: Get = async (url, accept = '*/*') => {
    const { statusCode: status, body } = await app.inject({ url, headers: { accept } });
    return { status, text: body.replaceAll('<wbr>', '') };
  };
  return Object.assign(get, { [Symbol.asyncDispose]: () => app.close() });
}

/** Gets a page as a browser does. */
export const visit = (get: Get, path: string) => get(path, 'text/html');

/** Sends the requests of the section behind an alert, about a target. Returns their answers as one text. */
export async function followRunbook(get: Get, alert: string, target: string): Promise<string> {
  const rule = readRules().find((each) => each.alert === alert);
  const section = readRunbook().find(({ anchor }) => rule && anchor === sectionOf(rule));
  const texts: string[] = [];
  for (const { language, text } of section?.commands ?? []) {
    if (language !== 'sh') continue;
    const { status, text: answer } = await get(curlOf(text).replaceAll(/\bdefault\b/g, target));
    texts.push(`${status} ${answer}`);
  }
  return texts.join('\n');
}
