import { isObject } from './json.js';
import type { Json, JsonArray, JsonObject, Node, ObjectNode } from './json.js';

/** A value that is stored under a key of its own: everything but an object with something in it. */
export type Leaf = null | boolean | number | string | JsonArray | Record<string, never>;

/** Told of each leaf and each link that a write touches, in the order of the write. */
export interface DocumentChanges {
  leafPut(path: readonly string[], leaf: Leaf): void;
  leafRemoved(path: readonly string[]): void;
  /** The write put a versioned link at `path`. */
  linked(path: readonly string[], node: ObjectNode, target: string): void;
  /** The link that stood at `path`, and may have been a versioned one, is gone, is one no longer, or points elsewhere. */
  unlinked(path: readonly string[], target: string): void;
}

const EMPTY: Leaf = Object.freeze({});

/** The id of the resource that an object links to; undefined where it is no link. */
export function linkTarget(node: Node | undefined): string | undefined {
  if (!(node instanceof Map)) return undefined;
  const id = node.get('_id');
  return typeof id === 'string' && isResourceId(id) ? id : undefined;
}

/** The same, for a link that is versioned or once was: only such a link has a `_rev`. */
export function versionedTarget(node: Node | undefined): string | undefined {
  return node instanceof Map && node.has('_rev') ? linkTarget(node) : undefined;
}

/** The longest key of a resource: ArangoDB's limit in the reference server. */
export const MAX_KEY_LENGTH = 254;

/** Is it `resources/<key>`, with nothing behind the key? A longer key than there can be is none. */
export function isResourceId(id: string): boolean {
  return id.length <= 'resources/'.length + MAX_KEY_LENGTH && /^resources\/[^/]+$/.test(id);
}

/**
 * Merges `value` into `parent` under `key`, as an OADA PUT does: objects merge at any depth, all else replaces.
 * Costs by the size of `value` (and of what it replaces), never by that of `parent`.
 */
function merge(
  parent: ObjectNode,
  key: string,
  value: Json,
  path: readonly string[],
  changes: DocumentChanges,
): void {
  const before = parent.get(key);
  if (!isObject(value)) {
    forget(before, path, changes);
    parent.set(key, value);
    changes.leafPut(path, value);
    return;
  }
  const filled = Object.keys(value).length > 0;
  let node: ObjectNode;
  if (before instanceof Map) {
    node = before;
    if (node.size === 0 && filled) changes.leafRemoved(path); // no longer an empty object
  } else {
    if (before !== undefined) changes.leafRemoved(path);
    node = new Map();
    parent.set(key, node);
    if (!filled) changes.leafPut(path, EMPTY);
  }
  mergeLink(node, value, path, changes);
}

function mergeLink(
  node: ObjectNode,
  value: JsonObject,
  path: readonly string[],
  changes: DocumentChanges,
): void {
  const before = versionedTarget(node);
  mergeInto(node, value, path, changes);
  const target = linkTarget(node);
  const versioned = Object.hasOwn(value, '_rev');
  const plain = Object.hasOwn(value, '_id') && !versioned;
  if (before !== undefined && (before !== target || plain)) changes.unlinked(path, before);
  if (target !== undefined && versioned) changes.linked(path, node, target);
}

/** Merges every key of `value` into `node`, which stands at `path` (`[]` is the root of the resource). */
export function mergeInto(
  node: ObjectNode,
  value: JsonObject,
  path: readonly string[],
  changes: DocumentChanges,
): void {
  for (const [key, child] of Object.entries(value)) merge(node, key, child, [...path, key], changes);
}

/** Removes `key` from `parent`, with every leaf and link below it. */
export function remove(
  parent: ObjectNode,
  key: string,
  path: readonly string[],
  changes: DocumentChanges,
): void {
  forget(parent.get(key), path, changes);
  parent.delete(key);
  if (parent.size === 0 && path.length > 1) changes.leafPut(path.slice(0, -1), EMPTY);
}

/** Reports all that stands in `node` as gone. */
export function forget(node: Node | undefined, path: readonly string[], changes: DocumentChanges): void {
  if (node === undefined) return;
  if (!(node instanceof Map) || node.size === 0) {
    if (path.length > 0) changes.leafRemoved(path);
    return;
  }
  const target = path.length > 0 ? versionedTarget(node) : undefined;
  if (target !== undefined) changes.unlinked(path, target);
  for (const [key, child] of node) forget(child, [...path, key], changes);
}

/** All leaves of a document, each with its path. */
export function* leaves(
  node: ObjectNode,
  path: readonly string[] = [],
): Generator<[readonly string[], Leaf]> {
  for (const [key, child] of node) {
    if (!(child instanceof Map)) yield [[...path, key], child];
    else if (child.size === 0) yield [[...path, key], EMPTY];
    else yield* leaves(child, [...path, key]);
  }
}

/** Puts one stored leaf back into the document it was taken from. */
export function restore(root: ObjectNode, path: readonly string[], leaf: Leaf): void {
  let node = root;
  for (const segment of path.slice(0, -1)) {
    let child = node.get(segment);
    if (!(child instanceof Map)) {
      child = new Map<string, Node>();
      node.set(segment, child);
    }
    node = child;
  }
  const key = path.at(-1);
  if (key !== undefined) node.set(key, isObject(leaf) ? new Map<string, Node>() : leaf);
}
