/** Anything that survives `JSON.stringify`. */
export type Json = null | boolean | number | string | JsonArray | JsonObject;
export type JsonArray = readonly Json[];
/** Can be written to: work functions of @oada/jobs 2 to 5 keep notes in the config of their job. */
export interface JsonObject {
  [key: string]: Json | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value, where it is an object; an empty one otherwise. */
export function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

const ISO = /^\d{4}-\d\d-\d\d(?:T|$)/;

/**
 * A time in ISO 8601, or a day, which is its beginning in UTC; what is neither is undefined. Years of more than four digits
 * are written in another way.
 */
export function dateOf(value: Json | undefined): Date | undefined {
  if (typeof value !== 'string' || !ISO.test(value)) return undefined;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) || !ISO.test(time.toISOString()) ? undefined : time;
}

/**
 * A copy of the value that is JSON and nothing else: dates are text, functions are gone.
 *
 * @returns undefined for what JSON has no word for (`undefined`, a function)
 * @throws {TypeError} the value refers to itself, or holds a BigInt
 * @throws {RangeError} it is longer than `maxBytes`
 */
export function toJson(value: unknown, maxBytes: number): Json | undefined {
  const text = stringify(value);
  if (text === undefined) return undefined;
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw new RangeError(
      `it takes ${String(bytes)} bytes of JSON, and at most ${String(maxBytes)} are stored`,
    );
  }
  return parseJson(text);
}

/** `JSON.stringify` with its real result: what JSON has no word for gives undefined. */
export function stringify(value: unknown): string | undefined {
  return JSON.stringify(value);
}

/** @throws {SyntaxError} */
export function parseJson(text: string): Json {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-return -- JSON.parse makes nothing but JSON
  return JSON.parse(text);
}
