import { mkdir } from 'node:fs/promises';

import { ClassicLevel } from 'classic-level';

import { leaves, restore } from './document.js';
import type { Leaf } from './document.js';
import { ServerError } from './errors.js';
import { parseJson, stringify, toNode } from './json.js';
import type { Json, JsonObject } from './json.js';
import { absentResource, edgeKey } from './resource.js';
import type { Resource, ResourceHeader } from './resource.js';
import type { ChangeRecord, Operation, Storage } from './storage.js';

/** Raised when the keys or values below are laid out differently. */
const FORMAT = 2;

/** In format 1 no document was stored as a whole; what it wrote reads the same. */
const EARLIER_FORMAT = 1;

/**
 * The longest document that is stored as one value, in characters of JSON: one of a job, not a long list. Its leaves
 * by themselves would cost more, each a call of LevelDB, than to write out what did not change.
 */
const MAX_WHOLE = 2000;

type Level = ClassicLevel;
type LevelOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };

/**
 * Keeps everything in a LevelDB folder. A short document is stored as a whole; every leaf of a longer one has a key of
 * its own, so that a write touches only what it names:
 *
 *     r <id>                      header, and the document if that is stored as a whole
 *     d <id> <segment> ...        leaf of a document that is not
 *     b <id>                      bytes of a binary resource, in base64
 *     e <child> <parent> <seg>... versioned link
 *     c <id> <rev>                change
 *     s <key>                     setting of the server
 *
 * The parts are separated by NUL; they are escaped as in JSON strings and so hold none.
 */
export class LevelStorage implements Storage {
  readonly #level: Level;
  #waiting: LevelOperation[] = [];
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(level: Level) {
    this.#level = level;
  }

  /** @throws {ServerError} the folder cannot be used: it is locked, damaged, of another format, or not writable */
  static async open(path: string): Promise<LevelStorage> {
    const level: Level = new ClassicLevel(path, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
    try {
      await mkdir(path, { recursive: true });
      await level.open();
    } catch (error) {
      throw openError(path, error);
    }
    const storage = new LevelStorage(level);
    try {
      await storage.#checkFormat(path);
    } catch (error) {
      await level.close();
      throw error;
    }
    return storage;
  }

  async #checkFormat(path: string): Promise<void> {
    const format = await this.setting('format');
    if (format === undefined) {
      if ((await this.#level.keys({ limit: 1 }).all()).length > 0) {
        throw new ServerError(
          'OADA_SERVER_FOLDER_UNUSABLE',
          `${path} holds data of another program. Use another folder, or an empty one.`,
        );
      }
      await this.commit([{ kind: 'setting', key: 'format', value: FORMAT }]);
    } else if (format === EARLIER_FORMAT) {
      await this.commit([{ kind: 'setting', key: 'format', value: FORMAT }]);
    } else if (format !== FORMAT) {
      throw new ServerError(
        'OADA_SERVER_FOLDER_UNUSABLE',
        `The data in ${path} is of format ${JSON.stringify(format)}; this version reads formats up to ${String(FORMAT)}. ` +
          'Use the version that wrote it, or another folder.',
      );
    }
  }

  async load(id: string): Promise<Resource | undefined> {
    const [stored, edges] = await Promise.all([
      this.#level.get(key('r', id)),
      this.#level.keys(below(key('e', id))).all(),
    ]);
    if (stored === undefined && edges.length === 0) return undefined;
    const resource = absentResource(id);
    for (const stored of edges) {
      const [, , parent = '', ...path] = parts(stored);
      const edge = { parent, path };
      resource.parents.set(edgeKey(edge), edge);
    }
    if (stored === undefined) return resource;
    const { document, ...header } = parse(stored, isStoredResource);
    resource.header = header;
    if (document === undefined) await this.#loadLeaves(resource);
    else resource.document = toNode(document);
    const bytes = header.binary ? await this.#level.get(key('b', id)) : undefined;
    if (bytes !== undefined) resource.bytes = Buffer.from(bytes, 'base64');
    return resource;
  }

  async #loadLeaves(resource: Resource): Promise<void> {
    resource.inLeaves = true;
    for await (const [leafKey, leaf] of this.#level.iterator(below(key('d', resource.id)))) {
      restore(resource.document, parts(leafKey).slice(2), parse(leaf, isLeaf));
    }
  }

  async change(id: string, rev: number): Promise<ChangeRecord | undefined> {
    const change = await this.#level.get(changeKey(id, rev));
    return change === undefined ? undefined : parse(change, isChange);
  }

  async revisions(id: string): Promise<number[]> {
    const keys = await this.#level.keys(below(key('c', id))).all();
    return keys.map((changed) => Number.parseInt(parts(changed)[2] ?? '', 16));
  }

  async setting(name: string): Promise<Json | undefined> {
    const value = await this.#level.get(key('s', name));
    return value === undefined ? undefined : parseJson(value);
  }

  commit(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      if (operation.kind === 'resource') this.#addResource(operation.resource);
      // A document that is stored as a whole is stored with its resource.
      else if (operation.kind !== 'leaf' || operation.resource.inLeaves)
        this.#waiting.push(stored(operation));
    }
    this.#next ??= this.#writeAfter(this.#current);
    return this.#next;
  }

  #addResource(resource: Resource): void {
    const { id, header, document } = resource;
    if (!header.exists) resource.inLeaves = false; // there are none any more
    const whole = resource.inLeaves ? undefined : stringify(document);
    if (whole !== undefined && whole.length <= MAX_WHOLE) {
      const value = `${JSON.stringify(header).slice(0, -1)},"document":${whole}}`;
      this.#waiting.push({ type: 'put', key: key('r', id), value });
      return;
    }
    this.#waiting.push(put(key('r', id), header));
    if (resource.inLeaves) return;
    resource.inLeaves = true;
    for (const [path, leaf] of leaves(document)) this.#waiting.push(put(key('d', id, ...path), leaf));
  }

  /** One batch is on its way at a time; what comes meanwhile goes together in the next. */
  async #writeAfter(current: Promise<void> | undefined): Promise<void> {
    try {
      await current;
    } catch (error) {
      this.#waiting = []; // it builds on what was not stored
      this.#next = undefined;
      throw error;
    }
    const batch = this.#waiting;
    this.#waiting = [];
    this.#current = this.#next;
    this.#next = undefined;
    try {
      await this.#store(batch);
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /** One by one they are handed over in half the time that an array of them takes. */
  async #store(operations: readonly LevelOperation[]): Promise<void> {
    const batch = this.#level.batch();
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(operation.key, operation.value);
      else batch.del(operation.key);
    }
    await batch.write();
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#current, this.#next]);
    await this.#level.close();
  }
}

function openError(path: string, error: unknown): ServerError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (code === 'LEVEL_LOCKED') {
    return new ServerError(
      'OADA_SERVER_FOLDER_LOCKED',
      `${path} is in use by another server. Stop that one, or give this one a folder of its own.`,
      { cause },
    );
  }
  if (code === 'LEVEL_CORRUPTION') {
    return new ServerError(
      'OADA_SERVER_FOLDER_DAMAGED',
      `The data in ${path} is damaged (${detail}). Restore it from a backup, or start with an empty folder.`,
      { cause },
    );
  }
  return new ServerError('OADA_SERVER_FOLDER_UNUSABLE', `Cannot use ${path} to store data: ${detail}`, {
    cause,
  });
}

function stored(operation: Exclude<Operation, { kind: 'resource' }>): LevelOperation {
  switch (operation.kind) {
    case 'leaf':
      return putOrDelete(key('d', operation.resource.id, ...operation.path), operation.leaf);
    case 'bytes':
      return putOrDelete(
        key('b', operation.id),
        operation.bytes === undefined ? undefined : Buffer.from(operation.bytes).toString('base64'),
      );
    case 'edge':
      return putOrDelete(
        key('e', operation.child, operation.edge.parent, ...operation.edge.path),
        operation.present ? 1 : undefined,
      );
    case 'change':
      return put(changeKey(operation.id, operation.rev), operation.change);
    case 'setting':
      return put(key('s', operation.key), operation.value);
  }
}

function putOrDelete(at: string, value: Json | undefined): LevelOperation {
  return value === undefined ? { type: 'del', key: at } : put(at, value);
}

function put(at: string, value: unknown): LevelOperation {
  return { type: 'put', key: at, value: JSON.stringify(value) };
}

/** What `JSON.stringify` would not leave as it is. */
// eslint-disable-next-line no-control-regex -- those are what it looks for
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;

function key(kind: string, ...names: readonly string[]): string {
  // Joined, not added up: LevelDB's binding takes a text in one piece, and would have to make it one first.
  return [kind, ...names.map(escaped)].join('\0');
}

function escaped(name: string): string {
  return ESCAPED.test(name) ? JSON.stringify(name).slice(1, -1) : name;
}

function changeKey(id: string, rev: number): string {
  return key('c', id, rev.toString(16).padStart(13, '0'));
}

function parts(stored: string): string[] {
  return stored.split('\0').map((part) => parse(`"${part}"`, isString));
}

/** The range of the keys that go on from this one; the next name may be empty. */
function below(prefix: string): { gte: string; lt: string } {
  return { gte: `${prefix}\0`, lt: `${prefix}\x01` };
}

function parse<T>(text: string, isRight: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // none of the shapes below
  }
  if (isRight(value)) return value;
  throw new ServerError(
    'OADA_SERVER_FOLDER_DAMAGED',
    'What is stored is not what was stored: the data is damaged',
  );
}

// Shallow checks: LevelDB's checksums see to it that values are as they were written.

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStoredResource(value: unknown): value is ResourceHeader & { document?: JsonObject } {
  return (
    typeof value === 'object' && value !== null && 'rev' in value && 'owner' in value && 'hiddenUpTo' in value
  );
}

function isChange(value: unknown): value is ChangeRecord {
  return (
    typeof value === 'object' && value !== null && 'type' in value && 'body' in value && 'nested' in value
  );
}

function isLeaf(value: unknown): value is Leaf {
  if (typeof value !== 'object' || value === null) return value !== undefined;
  return Array.isArray(value) || Object.keys(value).length === 0;
}
