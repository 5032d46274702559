import { createHash } from 'node:crypto';
import { termsIn } from './catalogue/terms.ts';
import type { ProblemExplanation } from './explanation.ts';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff; }
h2 { margin: 2rem 0 .25rem; font-size: 1.2rem; }
code { background: #f0f2f4; padding: .1em .35em; border-radius: 4px; }
.status { display: inline-block; min-width: 3ch; padding: 0 .5em; border-radius: 4px; background: #24292f; color: #fff; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } code { background: #21262d; } a { color: #79c0ff; } .status { background: #e6edf3; color: #0d1117; } }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

// Control characters without tab and line feed, and halves of surrogate pairs.
const invisible = /(?![\t\n])[\p{Cc}\p{Cs}]/gu;

/** Whether a request is a browser's: it prefers a page to JSON. */
export function wantsPage(request: { accepts(): { type(types: string[]): unknown } }): boolean {
  return request.accepts().type(['application/json', 'text/html']) === 'text/html';
}

/** The headers of a page: it may load nothing and run nothing; its one style sheet is named by hash. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

/**
 * A page that explains problems. Texts come from the catalogue, never from a request. `basePath` is
 * what a browser puts before every path.
 */
export function pageOfProblems(problems: readonly ProblemExplanation[], basePath: string): string {
  const only = problems.length === 1 ? problems[0] : undefined;
  const heading = only ? only.title : 'Problems';
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(heading)}</title><style>${style}</style></head>
<body>
<h1>${escapeHtml(heading)}</h1>
${only ? about(only) : problems.map(section).join('\n')}
${glossaryOf(problems)}
<p>${only ? `<a href="${basePath}/problems">All problems</a> · ` : ''}<a href="${basePath}/docs">API documentation</a></p>
</body>
</html>
`;
}

function section(problem: ProblemExplanation): string {
  const { type, title } = problem;
  return `<h2><a href="${type}">${escapeHtml(title)}</a></h2>
${about(problem)}`;
}

function about({ slug, status, explanation, remedy, isRetryable }: ProblemExplanation): string {
  return `<p><span class="status">${status}</span> <code>${slug}</code></p>
<dl><dt>What it means</dt><dd>${toHtml(explanation)}</dd>
<dt>What to do</dt><dd>${toHtml(remedy)}</dd>
<dt>Can a client automatically repeat what failed?</dt><dd>${isRetryable ? 'Yes.' : 'No.'}</dd></dl>`;
}

/** The terms that the problems use, for readers who come from an error and have seen nothing else. */
function glossaryOf(problems: readonly ProblemExplanation[]): string {
  const texts = problems.flatMap(({ title, explanation, remedy }) => [title, explanation, remedy]);
  const entries = termsIn(texts.join(' '));
  if (entries.length === 0) return '';
  const rows = entries.map(([term, meaning]) => `<dt>${term}</dt><dd>${escapeHtml(meaning)}</dd>`);
  return `<h2>Terms</h2>\n<dl>${rows.join('\n')}</dl>`;
}

/** A text of the catalogue, with what stands in backticks as code. */
function toHtml(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

/** Escapes a text for HTML and for attributes in double quotes. Control characters become visible. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(invisible, '\u{fffd}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
