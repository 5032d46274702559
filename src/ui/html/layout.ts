import { type Html, html, nameOf, toMarkup } from './html.ts';

/**
 * The headers of a page. It loads its own files only, runs its one script, and is in no frame. Forms lead to this
 * service. Without a referrer, browsers would send the origin `null` with forms.
 */
export const uiHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** What every page shows around its content. */
export interface Frame {
  /** What a browser puts before every path. */
  basePath: string;
  /** The URLs of the style sheet and the script. */
  assets: { css: string; js: string };
  /** Whether there are pages of jobs and archives. */
  hasJobs: boolean;
  /** The id of the caller; undefined before the sign-in. */
  caller?: string | undefined;
  /** The form token of the session. Present if the caller can sign out. */
  signOutToken?: string | undefined;
}

/** A page: its title, its content, and how it is kept current. */
export interface UiPage {
  title: string;
  current?: 'targets' | 'jobs' | 'archives';
  content: Html;
  /** The URL of the event stream whose events change the page. */
  events?: string | undefined;
  /** After how many seconds the page is read again. */
  refreshSeconds?: number;
  /** The URL of the page that replaces this one at once. */
  continueTo?: string;
}

/** Renders a page as text. */
export function renderPage(frame: Frame, page: UiPage): string {
  const { basePath, assets } = frame;
  const { title, content, events, refreshSeconds, continueTo } = page;
  return toMarkup(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${continueTo !== undefined && html`<meta http-equiv="refresh" content="0; url=${continueTo}">`}
<title>${title} · log-export-gateway</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assets.css}">
<script src="${assets.js}" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="top">
<a class="brand" href="${basePath}/ui/targets">log-export-gateway</a>
<nav aria-label="Pages">${navigation(frame, page)}</nav>
${frame.caller !== undefined && account(frame, frame.caller)}
</header>
<main id="content" tabindex="-1"${events !== undefined && html` data-events="${events}"`}${refreshSeconds !== undefined && html` data-refresh="${refreshSeconds}"`}>
${content}
</main>
</body>
</html>
`);
}

function navigation({ basePath, hasJobs }: Frame, { current }: UiPage): Html[] {
  const link = (path: string, text: string, isCurrent = false) =>
    html`<a href="${basePath}${path}"${isCurrent && html` aria-current="page"`}>${text}</a> `;
  return [
    link('/ui/targets', 'Targets', current === 'targets'),
    ...(hasJobs
      ? [
          link('/ui/jobs', 'Jobs', current === 'jobs'),
          link('/ui/archives', 'Archives', current === 'archives'),
        ]
      : []),
    link('/problems', 'Problems'),
    link('/docs', 'API'),
  ];
}

function account({ basePath, signOutToken }: Frame, caller: string): Html {
  return html`<div class="account">${nameOf(caller)}
${
  signOutToken !== undefined &&
  html`<form method="post" action="${basePath}/ui/sign-out"><input type="hidden" name="token" value="${signOutToken}"><button class="quiet">Sign out</button></form>`
}</div>`;
}
