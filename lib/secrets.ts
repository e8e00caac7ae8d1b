import { isJsonObject } from './json.js';
import type { Json, JsonArray } from './json.js';

/** Shorter ones are words, as stores for development have them: they are hidden where they stand alone. */
const SHORTEST = 8;

/** The text without any of the secrets: the tokens of all queues. */
export function hideSecrets(text: string, secrets: ReadonlySet<string>): string {
  let hidden = text;
  for (const secret of secrets) {
    if (secret === '') continue;
    if (secret.length >= SHORTEST) hidden = hidden.replaceAll(secret, '[token]');
    else if (hidden.includes(secret)) hidden = hidden.replaceAll(alone(secret), '[token]');
  }
  return hidden;
}

function alone(secret: string): RegExp {
  const escaped = secret.replaceAll(
    /[^\w]/g,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
  return new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, 'gu');
}

/** The same with each text in it redacted, keys included. */
export function redactJson(value: Json | undefined, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value);
  if (isJsonArray(value)) return value.map((item) => redactJson(item, redact));
  if (!isJsonObject(value)) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]): [string, Json] => [redact(key), redactJson(item, redact)]),
  );
}

function isJsonArray(value: Json | undefined): value is JsonArray {
  return Array.isArray(value);
}
