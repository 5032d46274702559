import { type Problem, toProblemBody } from '#problems/problem.ts';
import { asCode, html, prose } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';

/** The page of a request that has failed. */
export function problemPage(problem: Problem, requestId: string, basePath: string): UiPage {
  const {
    type,
    title,
    status,
    detail,
    remedy,
    errors = [],
  } = toProblemBody(problem, requestId, basePath);
  return {
    title,
    content: html`<h1><span class="status">${status}</span> ${title}</h1>
<p>${detail}</p>
${errors.length > 0 && html`<ul>${errors.map((error) => html`<li>${asCode(error.pointer.slice(2))} ${error.detail}</li>`)}</ul>`}
<p><strong>What to do:</strong> ${prose(remedy)}</p>
<p><a href="${type}">About this problem</a> · <a href="${basePath}/ui/targets">Targets</a></p>
<p class="note">Request ${asCode(requestId)}</p>`,
  };
}
