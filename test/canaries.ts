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
// The search looks at a piece of text at every sixth character. A secret has a piece at each place where that
// can be: smaller steps look up more pieces of text, larger ones find shorter pieces in more places.
const step = 6;
const pieceLength = minLength - step + 1;
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

  /** The forms to search for, by each of their first pieces: a test may have thousands of secrets and lines. */
  function formsByPiece() {
    const forms = [...planted].flatMap(([secret, facts]) =>
      formsOf(secret).flatMap((form) =>
        Array.from({ length: step }, (_, offset) => ({ form, offset, ...facts })),
      ),
    );
    return Map.groupBy(forms, ({ form, offset }) => form.slice(offset, offset + pieceLength));
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
      const forms = formsByPiece();
      for (const [place, texts] of Object.entries({ answers, log, audit })) {
        for (const text of new Set(texts)) {
          for (let at = 0; at + pieceLength <= text.length; at += step) {
            const found = forms.get(text.slice(at, at + pieceLength)) ?? [];
            for (const { form, offset, name, hidden } of found) {
              const isLeaked = hidden === 'everywhere' || place === 'answers';
              if (isLeaked && text.startsWith(form, at - offset))
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
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64];
  return [...new Set(forms)];
}
