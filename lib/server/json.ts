/** JSON as it comes in and goes out. */
export type Json = null | boolean | number | string | JsonArray | JsonObject;
export type JsonArray = readonly Json[];
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * JSON as the server keeps it: objects are Maps, so that any key is safe (`__proto__` too) and putting or
 * removing one key of a hundred thousand costs as much as one of ten. Arrays are values: a write replaces them whole.
 */
export type Node = null | boolean | number | string | JsonArray | ObjectNode;
export type ObjectNode = Map<string, Node>;

/** The deepest nesting that a body may have, and the longest path; the recursive walks rely on it. */
export const MAX_DEPTH = 500;

/** @throws {SyntaxError} the text is no JSON */
export function parseJson(text: string): Json {
  const value: unknown = JSON.parse(text);
  if (!isJson(value)) throw new SyntaxError('This is not JSON');
  return value;
}

/** The one place where something unknown becomes {@link Json}: it is what `JSON.parse` made, and so needs no look. */
function isJson(value: unknown): value is Json {
  return value !== undefined;
}

/** Is it a JSON object (no array, no null)? */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value inside objects of one key each, one for each segment: `nest(['a', 'b'], 1)` is `{a: {b: 1}}`. */
export function nest(segments: readonly string[], value: Json): Json {
  return segments.reduceRight((inner: Json, key) => ({ [key]: inner }), value);
}

/** Makes a node of an object; its arrays are taken as they are. */
export function toNode(object: JsonObject): ObjectNode {
  const node: ObjectNode = new Map();
  for (const [key, value] of Object.entries(object)) node.set(key, isObject(value) ? toNode(value) : value);
  return node;
}

/**
 * Copies a node into plain JSON that the caller may keep and change.
 *
 * @param over keys of the object that are there besides its own, and in place of them
 */
export function toJson(node: Node, over?: ObjectNode): Json {
  if (!(node instanceof Map)) return asJson(node);
  const copy: Record<string, Json> = {};
  for (const [key, child] of node) if (over?.has(key) !== true) setOwn(copy, key, toJson(child));
  for (const [key, child] of over ?? []) setOwn(copy, key, toJson(child));
  return copy;
}

/** Sets a key that may be `__proto__`. */
function setOwn(object: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}

/**
 * What `JSON.parse` makes of what `JSON.stringify` makes of the value: a copy that the caller may keep and change.
 *
 * @throws {TypeError} it goes round in a circle, or holds a bigint
 * @throws {SyntaxError} it is nothing that JSON has: undefined, a function, a symbol
 */
export function asJson(value: unknown): Json {
  return plain(value, MAX_DEPTH) ?? parseJson(JSON.stringify(value));
}

/** A copy of what is plain JSON, as most is; undefined where only JSON.stringify knows what becomes of it. */
function plain(value: unknown, left: number): Json | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : undefined; // -0 is 0 in JSON
  if (typeof value !== 'object' || left === 0 || 'toJSON' in value) return undefined;
  if (Array.isArray(value)) {
    const elements: readonly unknown[] = value;
    const copy: Json[] = [];
    for (const element of elements) {
      const child = plain(element, left - 1);
      if (child === undefined) return undefined;
      copy.push(child);
    }
    return copy;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const copy: Record<string, Json> = {};
  for (const [key, element] of Object.entries(value)) {
    if (element === undefined) continue;
    const child = plain(element, left - 1);
    if (child === undefined) return undefined;
    setOwn(copy, key, child);
  }
  return copy;
}

/** What `JSON.stringify` makes of what {@link toJson} makes, without building that first. */
export function stringify(node: Node, over?: ObjectNode): string {
  if (!(node instanceof Map)) return JSON.stringify(node);
  let text = '';
  for (const [key, child] of node) {
    if (over?.has(key) !== true) text += `,${JSON.stringify(key)}:${stringify(child)}`;
  }
  if (over !== undefined)
    for (const [key, child] of over) text += `,${JSON.stringify(key)}:${stringify(child)}`;
  return `{${text.slice(1)}}`;
}

/** What is wrong with a value to be stored; undefined where nothing is. */
export function unstorable(value: Json, left: number = MAX_DEPTH): string | undefined {
  // JSON.parse makes Infinity of 1e999, JSON.stringify makes null of Infinity: it would not survive a restart.
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'has a number that is too large';
  if (typeof value !== 'object' || value === null) return undefined;
  if (left === 0) return `is nested deeper than ${String(MAX_DEPTH)} levels`;
  for (const child of Object.values(value)) {
    const fault = unstorable(child, left - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
