import { configError } from '#problems/config-error.ts';

/** Reads origins that are separated by commas. Each must be written as URLs have it, because texts are compared. */
export function readOrigins(name: string, text: string | undefined): string[] {
  const origins = text?.split(',') ?? [];
  for (const origin of origins) {
    const written = URL.parse(origin)?.origin;
    if (written === origin) continue;
    const instead = written === undefined ? '' : `; write ${written}`;
    throw configError(
      `${name} contains ${JSON.stringify(origin)}, but an origin is never written like this${instead}.`,
    );
  }
  return origins;
}
