import type { AuthMethod } from '#auth/authentication/settings.ts';
import { html } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';

/** What the sign-in shows. */
export interface SignInView {
  basePath: string;
  methods: readonly AuthMethod[];
  /** The path of the page to show afterwards. */
  next: string;
  token: string;
  /** Why the sign-in is needed again, or has failed. */
  message?: string | undefined;
}

/** The names of the credentials that people can enter. */
const kinds = { jwt: 'Token', 'api-key': 'API key' } as const;

/** The methods of a service that people can enter a credential for. */
export const enteredMethods = (methods: readonly AuthMethod[]) =>
  (['jwt', 'api-key'] as const).filter((kind) => methods.includes(kind));

/** The form for a token or an API key. */
export function signInPage({ basePath, methods, next, token, message }: SignInView): UiPage {
  const entered = enteredMethods(methods);
  const label = entered.map((kind) => kinds[kind]).join(' or ');
  return {
    title: 'Sign in',
    content: html`<h1>Sign in</h1>
${message !== undefined && html`<p class="error" role="alert">${message}</p>`}
<form class="sign-in" method="post" action="${basePath}/ui/sign-in">
<input type="hidden" name="token" value="${token}"><input type="hidden" name="next" value="${next}">
${
  entered.length > 1 &&
  html`<fieldset><legend>Kind of credential</legend>${entered.map(
    (kind, index) =>
      html`<label><input type="radio" name="kind" value="${kind}"${index === 0 && html` checked`}> ${kinds[kind]}</label>`,
  )}</fieldset>`
}
<label for="credential">${label}</label>
<input id="credential" name="credential" type="password" autocomplete="off" spellcheck="false" required>
<button>Sign in</button>
</form>
<p class="note">It is the same credential as for the API. This browser keeps it for these pages in a cookie that scripts cannot read, for 12 hours or until you sign out.</p>`,
  };
}
