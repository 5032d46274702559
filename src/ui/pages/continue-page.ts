import { html } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';

/**
 * The page for a link on another site. A browser does not send the session cookie with it, but with the request
 * that this page causes.
 */
export function continuePage(url: string): UiPage {
  return {
    title: 'Continue',
    continueTo: url,
    content: html`<h1>Continue</h1><p><a href="${url}">Continue to the page</a></p>`,
  };
}
