/** JSON that a test may build and change. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** An object of a document. All links are found by walking the documents: nothing is kept beside them. */
interface Branch {
  readonly children: Map<string, Tree>;
  /** The target of the versioned link that this object is; undefined where it is none. */
  follows: string | undefined;
}
type Tree = Branch | Exclude<Json, JsonObject>;

interface Stored {
  exists: boolean;
  rev: number;
  root: Branch;
}

/** A link that its target's revisions climb, as a walk found it. */
interface Followed {
  readonly parent: string;
  readonly target: string;
  readonly link: Branch;
}

interface Reached {
  readonly id: string;
  readonly path: readonly string[];
  readonly value: Tree | undefined;
  readonly overLink: boolean;
}

/** What one operation is expected to do. */
export interface Expected {
  readonly status: number;
  /** The resource that has a new revision; undefined where nothing is written. */
  readonly written?: string;
  /** The change document's body without what the server adds; undefined where it is not foretold. */
  readonly change?: Json;
  /** The resources whose revisions rise along with it. */
  readonly climbed: readonly string[];
}

/**
 * What a server with one user does to documents and links, written as plainly as can be: slow, and with nothing in
 * common with the server's own code. How often a parent's revision rises is left open (see `adopt`).
 */
export class Model {
  readonly #stored = new Map<string, Stored>();
  readonly #foreign: ReadonlySet<string>;

  constructor(foreign: readonly string[]) {
    this.#foreign = new Set(foreign);
  }

  exists(id: string): boolean {
    return this.#stored.get(id)?.exists === true;
  }

  rev(id: string): number {
    return this.#stored.get(id)?.rev ?? 0;
  }

  /** Takes over the revision that the server gave a parent, and with it what its links show. */
  adopt(id: string, rev: number): void {
    const stored = this.#stored.get(id);
    if (stored !== undefined) stored.rev = rev;
  }

  /** The resource's own keys. The revisions that links on a circle show are `'any'`. */
  document(id: string): Json {
    const loose = new Set(
      this.#followed()
        .filter((at) => this.#ancestors(at.parent).has(at.target))
        .map(({ link }) => link),
    );
    return this.#plain(this.#stored.get(id)?.root ?? branch(), loose);
  }

  read(id: string, path: readonly string[]): Json | undefined {
    const { id: reached, path: rest, value } = this.#reach(id, path, false);
    if (rest.length === 0) return this.exists(reached) ? this.document(reached) : undefined;
    return value === undefined || value === null ? undefined : this.#plain(value, new Set());
  }

  isForbidden(id: string, path: readonly string[], stopAtLink: boolean): boolean {
    return this.#foreign.has(this.#reach(id, path, stopAtLink).id);
  }

  put(id: string, path: readonly string[], value: Json): Expected {
    const at = this.#reach(id, path, false);
    const refused = this.#refusal(at, value);
    if (refused !== undefined) return { status: refused, climbed: [] };
    const stored = this.#stored.get(at.id) ?? { exists: false, rev: 0, root: branch() };
    this.#stored.set(at.id, stored);
    stored.exists = true;
    stored.rev += 1;
    const patch = withArrays(stored.root, at.path, value);
    const own = Object.entries(patch as JsonObject).filter(
      ([key]) => at.path.length > 0 || !['_id', '_rev'].includes(key),
    );
    for (const [key, child] of own) this.#merge(stored.root, key, child);
    return { status: 201, written: at.id, change: Object.fromEntries(own), climbed: this.#climb(at.id) };
  }

  delete(id: string, path: readonly string[]): Expected {
    const at = this.#reach(id, path, true);
    const stored = this.#stored.get(at.id);
    if (stored?.exists !== true) return { status: 204, climbed: [] };
    if (at.path.length === 0) {
      stored.exists = false;
      stored.root = branch();
      return { status: 204, climbed: this.#climb(at.id) };
    }
    if (at.value === undefined) return { status: 204, climbed: [] };
    const holder = at.path.slice(0, -1).reduce<Tree | undefined>(below, stored.root);
    if (
      at.path
        .slice(0, -1)
        .some((_, length) =>
          Array.isArray(at.path.slice(0, length + 1).reduce<Tree | undefined>(below, stored.root)),
        )
    ) {
      return { status: 400, climbed: [] };
    }
    if (isBranch(holder)) holder.children.delete(at.path.at(-1) ?? '');
    stored.rev += 1;
    return { status: 204, written: at.id, change: nested(at.path, null), climbed: this.#climb(at.id) };
  }

  /** Follows the path from link to link. */
  #reach(id: string, path: readonly string[], stopAtLink: boolean): Reached {
    let at: Reached = { id, path, value: undefined, overLink: false };
    for (;;) {
      const stored = this.#stored.get(at.id);
      if (stored?.exists !== true) return at;
      let value: Tree | undefined = stored.root;
      let jump: Reached | undefined;
      for (const [index, key] of at.path.entries()) {
        value = below(value, key);
        const target = targetOf(value);
        const isLast = index + 1 === at.path.length;
        if (target === undefined || (isLast && stopAtLink)) continue;
        jump = { id: target, path: at.path.slice(index + 1), value: undefined, overLink: true };
        break;
      }
      if (jump === undefined) return { ...at, value };
      at = jump;
    }
  }

  #refusal(at: Reached, value: Json): number | undefined {
    if (!this.exists(at.id) && at.path.length > 0 && !at.overLink) return 404;
    if (at.path.length === 0) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return 400;
      if (Object.hasOwn(value, '_id') && value['_id'] !== at.id) return 422;
      return undefined;
    }
    const root = this.#stored.get(at.id)?.root;
    return root !== undefined && misses(root, at.path) ? 400 : undefined;
  }

  #merge(into: Branch, key: string, value: Json): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      into.children.set(key, value);
      return;
    }
    const before = into.children.get(key);
    const node = isBranch(before) ? before : branch();
    into.children.set(key, node);
    for (const [name, child] of Object.entries(value)) this.#merge(node, name, child);
    const target = targetOf(node);
    if (target !== undefined && Object.hasOwn(value, '_rev')) {
      node.follows = target;
      node.children.set('_rev', 0); // shown as the target's, see #plain
    } else if (Object.hasOwn(value, '_id') || target !== node.follows) {
      if (node.follows !== undefined) node.children.set('_rev', this.#revOf(node.follows));
      node.follows = undefined;
    }
  }

  /** The resources that follow this one, near and far. */
  #climb(id: string): string[] {
    return [...this.#ancestors(id)].filter((ancestor) => ancestor !== id);
  }

  #ancestors(id: string): Set<string> {
    const found = new Set<string>();
    const followed = this.#followed();
    const queue = [id];
    for (const next of queue) {
      for (const { parent } of followed.filter(({ target }) => target === next)) {
        if (found.has(parent)) continue;
        found.add(parent);
        queue.push(parent);
      }
    }
    return found;
  }

  #followed(): Followed[] {
    const links: Followed[] = [];
    const walk = (parent: string, node: Tree): void => {
      if (!isBranch(node)) return;
      if (node.follows !== undefined && !this.#foreign.has(node.follows))
        links.push({ parent, target: node.follows, link: node });
      for (const child of node.children.values()) walk(parent, child);
    };
    for (const [id, { root }] of this.#stored) walk(id, root);
    return links;
  }

  #revOf(target: string): number {
    return this.exists(target) && !this.#foreign.has(target) ? this.rev(target) : 0;
  }

  #plain(node: Tree, loose: ReadonlySet<Branch>): Json {
    if (!isBranch(node)) return node;
    const { children, follows } = node;
    const entries = [...children].map(([key, child]): [string, Json] => [key, this.#plain(child, loose)]);
    const plain = Object.fromEntries(entries);
    if (follows !== undefined) plain['_rev'] = loose.has(node) ? 'any' : this.#revOf(follows);
    return plain;
  }
}

function branch(): Branch {
  return { children: new Map(), follows: undefined };
}

function isBranch(tree: Tree | undefined): tree is Branch {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree);
}

function below(tree: Tree | undefined, key: string): Tree | undefined {
  if (isBranch(tree)) return tree.children.get(key);
  // The arrays of these tests hold scalars only.
  return Array.isArray(tree) && /^(0|[1-9]\d*)$/.test(key)
    ? (tree[Number(key)] as Tree | undefined)
    : undefined;
}

function targetOf(tree: Tree | undefined): string | undefined {
  const id = isBranch(tree) ? tree.children.get('_id') : undefined;
  return typeof id === 'string' && id.startsWith('resources/') ? id : undefined;
}

function nested(path: readonly string[], value: Json): Json {
  return path.reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), value);
}

/** Does the path leave an array where that has no such index, nor ends there? */
function misses(root: Branch, path: readonly string[]): boolean {
  const array = path
    .slice(0, -1)
    .findIndex((_, at) => Array.isArray(path.slice(0, at + 1).reduce<Tree | undefined>(below, root)));
  if (array < 0) return false;
  const values = path.slice(0, array + 1).reduce<Tree | undefined>(below, root);
  const key = path[array + 1] ?? '';
  return !/^\d+$/.test(key) || Number(key) > (Array.isArray(values) ? values.length : 0);
}

/** What is put, from the root; an element of an array is put by putting the array. */
function withArrays(root: Branch, path: readonly string[], value: Json): Json {
  const array = path
    .slice(0, -1)
    .findIndex((_, at) => Array.isArray(path.slice(0, at + 1).reduce<Tree | undefined>(below, root)));
  if (array < 0) return nested(path, value);
  const values = path.slice(0, array + 1).reduce<Tree | undefined>(below, root);
  const changed = Array.isArray(values) ? [...values] : [];
  changed[Number(path[array + 1])] = nested(path.slice(array + 2), value);
  return nested(path.slice(0, array + 1), changed);
}
