/** Who must never see a secret. The log is read by who runs the service, and names its roles. */
type Hidden = 'from everybody' | 'from callers';

/** Secrets that are planted, and looked for in everything that leaves the gateway. */
export interface Canaries {
  /** Plants a secret under a name; what is too short to be told from other text is left out. */
  plant(name: string, secret: string | undefined, hidden?: Hidden): void;
  /** Plants what a caller sends to show who it is. */
  plantCredentials(headers: Record<string, string>): void;
  /** How many are planted. */
  count(): number;
  /** Every secret that somebody sees who must not, each with where it was. */
  hits(seen: Seen): string[];
}

/** What has left the gateway, as text. */
interface Seen {
  answers: readonly string[];
  log: readonly string[];
  audit: readonly string[];
}

// Shorter, and "anonymous" after "Bearer" would be found wherever nobody calls.
const shortest = 12;
const credentialHeaders = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key'];

/** Makes an empty aviary. */
export function makeCanaries(): Canaries {
  const planted = new Map<string, { name: string; hidden: Hidden }>();

  function plant(name: string, secret = '', hidden: Hidden = 'from everybody'): void {
    if (secret.length < shortest || planted.has(secret)) return;
    planted.set(secret, { name, hidden });
  }

  /** What is looked for, by its first characters: a test may have thousands of secrets and lines. */
  function byBeginning() {
    const forms = [...planted].flatMap(([secret, whose]) =>
      formsOf(secret).map((form) => ({ form, ...whose })),
    );
    return Map.groupBy(forms, ({ form }) => form.slice(0, shortest));
  }

  return {
    plant,
    plantCredentials(headers) {
      for (const [name, value] of Object.entries(headers)) {
        if (!credentialHeaders.includes(name.toLowerCase())) continue;
        // A part of a token gives away as much: its claims, or its signature.
        for (const part of value.split(/[\s.;,:=]+/)) plant(name, part);
      }
    },
    count: () => planted.size,
    hits({ answers, log, audit }) {
      const hits = new Set<string>();
      const forms = byBeginning();
      for (const [place, texts] of Object.entries({ answers, log, audit })) {
        for (const text of texts) {
          for (let at = 0; at + shortest <= text.length; at++) {
            for (const { form, name, hidden } of forms.get(text.slice(at, at + shortest)) ?? []) {
              const isSeen = hidden === 'from everybody' || place === 'answers';
              if (isSeen && text.startsWith(form, at))
                hits.add(`${name} in ${place}: ${text.slice(0, 500)}`);
            }
          }
        }
      }
      return [...hits];
    },
  };
}

/** A secret as it is, and as it may look to the eye that should not see it. */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64];
}
