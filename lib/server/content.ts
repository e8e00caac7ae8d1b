import { Refusal } from './errors.js';
import { isObject, nest, parseJson, unstorable } from './json.js';
import type { Json, JsonObject, Node } from './json.js';
import { isJsonType } from './media-type.js';
import { keysOf } from './place.js';
import type { Place } from './place.js';

/** What a client sends along: JSON that the transport has parsed, or bytes. */
export type Body = { readonly json: Json } | { readonly bytes: Uint8Array };

/** What a write puts. */
export type Content =
  { readonly json: Json; readonly type: string } | { readonly bytes: Uint8Array; readonly type: string };

/** @throws {Refusal} there is nothing to put, or nothing that can be stored */
export function parseContent(type: string | undefined, body: Body | undefined): Content {
  if (type === undefined || type === '') throw new Refusal(400, 'No content type specified');
  if (body === undefined) throw new Refusal(500, 'Cache input stream was empty'); // the reference server's own words
  if (!isJsonType(type)) {
    if ('bytes' in body) return { bytes: body.bytes, type };
    return {
      bytes: Buffer.from(typeof body.json === 'string' ? body.json : JSON.stringify(body.json)),
      type,
    };
  }
  const json = 'json' in body ? body.json : parseBytes(body.bytes);
  const fault = unstorable(json);
  if (fault !== undefined) throw new Refusal(400, `The body ${fault}`);
  return { json, type };
}

function parseBytes(bytes: Uint8Array): Json {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Refusal(
      400,
      `The body is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** What is put, as a document from the root of the resource. */
export function patchOf({ resource, segments }: Place, value: Json): JsonObject {
  const path = keysOf(segments);
  if (path.length === 0) {
    if (!isObject(value)) throw new Refusal(400, 'A resource has to be a JSON object');
    if (value['_id'] !== undefined && value['_id'] !== resource.id) {
      throw new Refusal(422, `Tried to write _id ${JSON.stringify(value['_id'])} to ${resource.id}`);
    }
    return value;
  }
  const array = arrayOnTheWay(resource.document, path.slice(0, -1));
  const patch =
    array === undefined
      ? nest(path, value)
      : nest(path.slice(0, array.depth), putInArray(array.value, path.slice(array.depth), value));
  return isObject(patch) ? patch : {};
}

/** The first array that the path leads into. */
export function arrayOnTheWay(
  document: Node,
  path: readonly string[],
): { value: readonly Json[]; depth: number } | undefined {
  let node: Node | undefined = document;
  for (const [index, key] of path.entries()) {
    node = node instanceof Map ? node.get(key) : undefined;
    if (Array.isArray(node)) return { value: node, depth: index + 1 };
  }
  return undefined;
}

/** The array, with the value at the path inside it. The reference server would replace the array by a new one. */
function putInArray(array: readonly Json[], path: readonly string[], value: Json): Json {
  const [key = '', ...rest] = path;
  const index = Number(key);
  if (!/^\d+$/.test(key) || index > array.length) {
    throw new Refusal(400, `${key} is no index of an array of ${String(array.length)}`);
  }
  const before = array[index] ?? null;
  const element =
    rest.length === 0
      ? value
      : Array.isArray(before)
        ? putInArray(before, rest, value)
        : mergeJson(before, nest(rest, value));
  return [...array.slice(0, index), element, ...array.slice(index + 1)];
}

function mergeJson(before: Json, patch: Json): Json {
  if (!isObject(before) || !isObject(patch)) return patch;
  const merged = Object.entries(patch).map(([key, value]): [string, Json] => [
    key,
    mergeJson(Object.hasOwn(before, key) ? (before[key] ?? null) : null, value),
  ]);
  return { ...before, ...Object.fromEntries(merged) };
}
