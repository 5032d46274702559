import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Audit, makeAudit } from '#audit/audit.ts';
import type { Access } from '#auth/access.ts';
import type { Authorizer, Question } from '#auth/authorization/authorizer.ts';
import { openAuthorizer } from '#auth/authorization/open-authorizer.ts';
import type { Files } from '#auth/authorization/policies/policy-files.ts';
import type { Principal } from '#auth/principal.ts';
import { Problem } from '#problems/problem.ts';
import { makeLogger } from '#telemetry/logger.ts';
import type { LogLine } from '../world.ts';

/** A directory with policies, removed when it is disposed of. */
export interface PolicyFolder extends Disposable {
  path: string;
  write(name: string, text: string): void;
  remove(name: string): void;
}

/** Makes a directory with policies: texts by file name. */
export function makePolicyFolder(texts: Record<string, string> = {}): PolicyFolder {
  const path = mkdtempSync(join(tmpdir(), 'policies-'));
  const write = (name: string, text: string) => writeFileSync(join(path, name), text);
  for (const [name, text] of Object.entries(texts)) write(name, text);
  return {
    path,
    write,
    remove: (name) => rmSync(join(path, name)),
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

/** The real file system. */
export const files: Files = {
  list: (directory) => readdir(directory),
  read: (path) => readFile(path),
};

/** An authorizer over a directory that is polled when the test says so. */
export interface OpenedAuthorizer extends AsyncDisposable {
  authorizer: Authorizer;
  audit: LogLine[];
  log: LogLine[];
  /** Returns the decision and its policies. */
  ask(principal: Principal, question: Question): { isPermitted: boolean; policies: string[] };
  /** Polls the directory once. */
  poll(): Promise<void>;
  /** Polls the directory twice, so that a change is settled. */
  look(): Promise<void>;
}

/** Opens an authorizer. */
export async function openPolicyDir(
  policyDir: string | undefined,
  options: { isAuthenticationOn?: boolean; files?: Files; audit?: Audit } = {},
): Promise<OpenedAuthorizer> {
  const log: LogLine[] = [];
  const audit: LogLine[] = [];
  const pauses = makePauses();
  const authorizer = await openAuthorizer({
    policyDir,
    isAuthenticationOn: true,
    files,
    newId: randomUUID,
    sleep: pauses.sleep,
    audit: makeAudit({ write: (line: string) => void audit.push(JSON.parse(line)) }),
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
    ...options,
  });
  return {
    authorizer,
    audit,
    log,
    ask(principal, question) {
      const { isPermitted, policies } = authorizer.decide({ principal, id: 'r-1' }, question);
      return { isPermitted, policies: [...policies] };
    },
    poll: pauses.endOne,
    async look() {
      await pauses.endOne();
      await pauses.endOne();
    },
    [Symbol.asyncDispose]: () => authorizer[Symbol.asyncDispose](),
  };
}

/** A sleep that ends when the test says so. */
function makePauses() {
  let end = () => {};
  let next = Promise.withResolvers<void>();
  return {
    sleep: (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        end = resolve;
        signal.addEventListener('abort', () => resolve());
        next.resolve();
      }),
    /** Ends the pause, and waits for the next one to begin. */
    async endOne() {
      next = Promise.withResolvers();
      end();
      await next.promise;
    },
  };
}

const place = { name: 'default', accountId: '123456789012', region: 'eu-west-1' };

/** A question about a create; defaults are what every caller in these tests may do. */
export function createOf(
  given: { logGroupName?: string; target?: Partial<typeof place> } & Question['context'] = {},
): Question {
  const { logGroupName = '/team-a/app', target, ...context } = given;
  return {
    action: 'CreateExportTask',
    resource: { target: { ...place, ...target }, logGroupName },
    context: {
      destination: 'team-a-logs',
      destinationPrefix: 'team-a/x',
      from: 1n,
      to: 2n,
      ...context,
    },
  };
}

/** A question about a job or an archive. */
export function jobOf(
  action: 'ReadExportJob' | 'CancelExportJob' | 'RetryExportJob' | 'ReadArchive' | 'ChangeArchive',
  isOwn: boolean,
): Question {
  const context = { isOwn, destination: 'team-a-logs', destinationPrefix: 'team-a/{jobId}' };
  return { action, resource: { target: place, logGroupName: '/team-a/app' }, context };
}

/** A question about the target. */
export function targetOf(action: 'ReadTarget' | 'CheckAuthorization'): Question {
  return { action, resource: { target: place } };
}

/** A caller with some groups; by default with an API key. */
export function callerIn(
  groups: string[],
  { issuer = 'api-key', subject = 'a', claims = {} as Principal['claims'] } = {},
): Principal {
  return { id: `${issuer}#${subject}`, issuer, subject, groups, claims };
}

/**
 * Callers by the name in `x-test-caller`, with an authorizer. Only the test polls the directory, so there
 * is nothing to close.
 */
export function accessBy(
  policyDir: string,
  callers: Record<string, Principal>,
): (audit: Audit) => Promise<Access> {
  return async (audit) => ({
    methods: [],
    authenticate({ headers }) {
      const caller = callers[String(headers['x-test-caller'])];
      if (!caller) throw new Problem('unauthenticated', 'No name.', { challenges: ['Test'] });
      return caller;
    },
    authorizer: (await openPolicyDir(policyDir, { audit })).authorizer,
  });
}
