import type { IncomingMessage } from 'node:http';

import { isFromOwnPage } from '#edge/browsers/cross-site.ts';
import { Problem } from '#problems/problem.ts';
import { isFormOf, readSession } from './session.ts';

/**
 * Requires that a page of this service sends the request: the browser must name the page's origin. It needs no body.
 * @throws Problem origin-not-allowed
 */
export function requireOwnPage({ headers }: IncomingMessage): void {
  if (!isFromOwnPage(headers)) throw refusal('The request was not sent by a page of this service.');
}

/**
 * Reads the form of a request. It must have the token of the session.
 * @throws Problem origin-not-allowed
 */
export function readOwnForm(request: IncomingMessage, body: unknown): URLSearchParams {
  const form = body instanceof URLSearchParams ? body : new URLSearchParams();
  if (isFormOf(readSession(request), form.get('token'))) return form;
  throw refusal('The form belongs to another session, or the browser has not sent its cookie.');
}

function refusal(detail: string): Problem {
  const remedy = 'Allow cookies for this service. Open the page again, and use its button.';
  return new Problem('origin-not-allowed', detail, { remedy });
}
