/** JSON as it came in; what it holds is looked at as it is compared. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** What the placeholders stand for: `<ksuid1>` in a vector is whatever the server made up the first time it stood there. */
export type Names = Map<string, string>;

const PLACEHOLDER = /<ksuid\d+>/g;
const MADE_UP = '[0-9A-Za-z_-]{10,}';

/** Says how the value differs from the expected one; undefined where it does not. Binds the names it meets first. */
export function difference(
  expected: Json,
  actual: Json | undefined,
  names: Names,
  at = '',
): string | undefined {
  if (isTime(expected))
    return typeof actual === 'number' ? undefined : `${at}: expected a time, got ${show(actual)}`;
  if (typeof expected === 'string') return textDifference(expected, actual, names, at);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return unequal(at, expected, actual);
    return first(expected, (item, index) => difference(item, actual[index], names, `${at}/${String(index)}`));
  }
  if (isObject(expected)) return objectDifference(expected, actual, names, at);
  return expected === actual ? undefined : unequal(at, expected, actual);
}

/** The value with all placeholders whose meaning is known replaced. */
export function filled<T extends Json>(value: T, names: Names): T {
  return JSON.parse(JSON.stringify(value).replace(PLACEHOLDER, (name) => names.get(name) ?? name));
}

function textDifference(
  expected: string,
  actual: Json | undefined,
  names: Names,
  at: string,
): string | undefined {
  if (typeof actual !== 'string') return unequal(at, expected, actual);
  const unbound: string[] = [];
  const pattern = expected.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replace(PLACEHOLDER, (name) => {
    const known = names.get(name);
    if (known === undefined) unbound.push(name);
    return known ?? `(${MADE_UP})`;
  });
  const match = new RegExp(`^${pattern}$`).exec(actual);
  if (match === null) return unequal(at, expected, actual);
  for (const [index, name] of unbound.entries()) names.set(name, match[index + 1] ?? '');
  return undefined;
}

function objectDifference(
  expected: JsonObject,
  actual: Json | undefined,
  names: Names,
  at: string,
): string | undefined {
  if (!isObject(actual)) return unequal(at, expected, actual);
  const left = new Set(Object.keys(actual));
  for (const [written, value] of Object.entries(expected)) {
    const key = keyFor(written, left, names);
    if (key === undefined || !left.delete(key)) return `${at}: ${written} is missing`;
    const found = difference(value, actual[key], names, `${at}/${written}`);
    if (found !== undefined) return found;
  }
  return left.size === 0 ? undefined : `${at}: unexpected ${[...left].join(', ')}`;
}

function keyFor(written: string, left: ReadonlySet<string>, names: Names): string | undefined {
  const key = filled(written, names);
  if (!key.startsWith('<ksuid')) return key;
  const made = [...left].find((name) => new RegExp(`^${MADE_UP}$`).test(name));
  if (made !== undefined) names.set(key, made);
  return made;
}

function isTime(expected: Json): boolean {
  return (
    expected === '<unix-seconds>' ||
    (typeof expected === 'number' && expected > 1.6e9 && !Number.isInteger(expected))
  );
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function first<T>(
  items: readonly T[],
  find: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

function unequal(at: string, expected: Json, actual: Json | undefined): string {
  return `${at}: expected ${show(expected)}, got ${show(actual)}`;
}

function show(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 300);
}
