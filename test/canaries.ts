/** Where a secret must not appear. Operators read the log, and may see roles there. */
type Hidden = 'everywhere' | 'in answers';

/** Planted secrets that must not appear in the output of the gateway. */
export interface Canaries {
  /** Plants a secret with a name. A short secret is ignored, because other text may contain it. */
  plant(name: string, secret: string | undefined, hidden?: Hidden): void;
  /** Plants the credentials in the headers of a request. */
  plantCredentials(headers: Record<string, string>): void;
  /** Returns the number of planted secrets. */
  count(): number;
  /** Returns each secret that appears where it must not, with the place. */
  hits(output: Output): string[];
}

/** The output of the gateway, as text. */
interface Output {
  answers: readonly string[];
  log: readonly string[];
  audit: readonly string[];
}

// Shorter: "anonymous" after "Bearer" would be found in every log without authentication.
const minLength = 12;
const credentialHeaders = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'x-amz-security-token',
];

/** Makes an empty set of canaries. */
export function makeCanaries(): Canaries {
  const planted = new Map<string, { name: string; hidden: Hidden }>();

  function plant(name: string, secret = '', hidden: Hidden = 'everywhere'): void {
    if (secret.length < minLength || planted.has(secret)) return;
    planted.set(secret, { name, hidden });
  }

  /** The forms to search for, by their first characters: a test may have thousands of secrets and lines. */
  function formsByStart() {
    const forms = [...planted].flatMap(([secret, facts]) =>
      formsOf(secret).map((form) => ({ form, ...facts })),
    );
    return Map.groupBy(forms, ({ form }) => form.slice(0, minLength));
  }

  return {
    plant,
    plantCredentials(headers) {
      for (const [name, value] of Object.entries(headers)) {
        if (!credentialHeaders.includes(name.toLowerCase())) continue;
        // Parts of a token are secret, too: its claims and its signature.
        // The names of signed headers are none.
        const secret = value.replace(/^AWS4.*Signature=/, '');
        for (const part of secret.split(/[\s.;,:=]+/)) plant(name, part);
      }
    },
    count: () => planted.size,
    hits({ answers, log, audit }) {
      const hits = new Set<string>();
      const forms = formsByStart();
      for (const [place, texts] of Object.entries({ answers, log, audit })) {
        for (const text of texts) {
          for (let at = 0; at + minLength <= text.length; at++) {
            for (const { form, name, hidden } of forms.get(text.slice(at, at + minLength)) ?? []) {
              const isLeaked = hidden === 'everywhere' || place === 'answers';
              if (isLeaked && text.startsWith(form, at))
                hits.add(`${name} in ${place}: ${text.slice(0, 500)}`);
            }
          }
        }
      }
      return [...hits];
    },
  };
}

/** A secret as it is, and in the encodings in which it may appear. */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64];
}
