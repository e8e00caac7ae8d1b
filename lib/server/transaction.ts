import { forget } from './document.js';
import type { DocumentChanges } from './document.js';
import type { Json, JsonObject, Node } from './json.js';
import { nest, isObject } from './json.js';
import { edgeKey, pointer, SYSTEM_USER } from './resource.js';
import type { Edge, Resource } from './resource.js';
import type { ChangeRecord, Operation } from './storage.js';
import { changeDocument } from './watches.js';
import type { Watches } from './watches.js';

/** Where a transaction finds the resources at the other end of links; all of them are in memory by then. */
interface Resources {
  need(id: string): Resource;
}

/** One write: what it does to memory at once, and the operations that store it. */
export class Transaction {
  readonly operations: Operation[] = [];
  readonly touched: Set<string> = new Set<string>();
  readonly #announcements: { readonly id: string; readonly owner: string; readonly rev: number }[] = [];
  readonly #records = new Map<string, ChangeRecord>();
  readonly #now: number;
  readonly #resources: Resources;

  /** @param now seconds since 1970 */
  constructor(now: number, resources: Resources) {
    this.#now = now;
    this.#resources = resources;
  }

  /** Gives the resource its next revision; returns the part of the change document that the server adds. */
  begin(resource: Resource, by: string, type: string): JsonObject {
    const { id, header: before } = resource;
    const rev = before.rev + 1;
    const modified = this.#now;
    this.touched.add(id);
    this.operations.push({ kind: 'resource', resource });
    if (before.exists) {
      const { exists, owner, createdBy, created, hiddenUpTo, binary } = before;
      const stats = { createdBy, created, modifiedBy: by, modified };
      resource.header = { rev, exists, type, owner, ...stats, hiddenUpTo, binary };
      const _meta = { modifiedBy: by, modified, _rev: rev };
      return type === before.type ? { _meta, _rev: rev } : { _type: type, _meta, _rev: rev };
    }
    const hiddenUpTo = before.owner === by ? before.hiddenUpTo : before.rev;
    const stats = { createdBy: by, created: modified };
    const stamp = { modifiedBy: by, modified };
    resource.header = { rev, exists: true, type, owner: by, ...stats, ...stamp, hiddenUpTo, binary: false };
    const meta = { _id: `${id}/_meta`, _type: type, _owner: by, stats, ...stamp, _rev: rev };
    return { _type: type, _meta: meta, _rev: rev };
  }

  change(resource: Resource, change: ChangeRecord): void {
    const { id, header } = resource;
    this.operations.push({ kind: 'change', id, rev: header.rev, change });
    this.#records.set(recordKey(id, header.rev), change);
    this.#announcements.push({ id, owner: header.owner, rev: header.rev });
  }

  /** Makes the resource hold bytes instead of a document, or a document instead of bytes. */
  bytes(resource: Resource, bytes: Uint8Array | undefined): void {
    const { document } = resource;
    const meta = document.get('_meta'); // belongs to the resource, whatever that holds
    const changes = this.changesOf(resource);
    for (const [key, node] of document) if (key !== '_meta') forget(node, [key], changes);
    resource.document = new Map(meta === undefined ? [] : [['_meta', meta]]);
    this.#setBytes(resource, bytes);
  }

  #setBytes(resource: Resource, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) delete resource.bytes;
    else resource.bytes = bytes;
    resource.header.binary = bytes !== undefined;
    this.operations.push({ kind: 'bytes', id: resource.id, bytes });
  }

  destroy(resource: Resource): void {
    const { id, header } = resource;
    this.touched.add(id);
    forget(resource.document, [], this.changesOf(resource));
    resource.document = new Map();
    resource.header = { ...header, exists: false };
    if (header.binary) this.#setBytes(resource, undefined);
    this.operations.push({ kind: 'resource', resource });
    this.#records.set(recordKey(id, 0), { type: 'delete', body: null, nested: [] });
    this.#announcements.push({ id, owner: header.owner, rev: 0 });
  }

  /** What merging and deleting in the resource's document does to the store and to its links. */
  changesOf(resource: Resource): DocumentChanges {
    const { id } = resource;
    const putLeaf: DocumentChanges['leafPut'] = (path, leaf) => {
      this.operations.push({ kind: 'leaf', resource, path, leaf });
    };
    return {
      leafPut: putLeaf,
      leafRemoved: (path) => {
        this.operations.push({ kind: 'leaf', resource, path, leaf: undefined });
      },
      linked: (path, node, target) => {
        const child = this.#resources.need(target);
        this.#setEdge(child, { parent: id, path }, true);
        const rev = linkRev(child, resource);
        node.set('_rev', rev);
        putLeaf([...path, '_rev'], rev);
      },
      unlinked: (path, target) => {
        this.#setEdge(this.#resources.need(target), { parent: id, path }, false);
      },
    };
  }

  #setEdge(child: Resource, edge: Edge, present: boolean): void {
    const known = child.parents.has(edgeKey(edge));
    if (known === present) return;
    if (present) child.parents.set(edgeKey(edge), edge);
    else child.parents.delete(edgeKey(edge));
    this.touched.add(child.id);
    this.operations.push({ kind: 'edge', child: child.id, edge, present });
  }

  /**
   * Carries the new revision up over the versioned links, children before their parents: so each link costs one
   * revision of its parent, however many ways lead up to it. A link that closes a circle is not followed.
   */
  climb(origin: Resource): void {
    if (origin.parents.size === 0) return;
    const order = this.#upwards(origin);
    const positions = new Map(order.map((resource, position) => [resource, position]));
    const revisions = new Map<Resource, number[]>([
      [origin, origin.header.exists ? [origin.header.rev] : []],
    ]);
    for (const [position, child] of order.entries()) {
      const fresh = revisions.get(child);
      if (fresh === undefined) continue;
      for (const edge of child.parents.values()) {
        const parent = this.#resources.need(edge.parent);
        if ((positions.get(parent) ?? 0) <= position || !isTold(parent, child)) continue;
        this.#climbEdge(edge, parent, child, fresh);
        const known = revisions.get(parent);
        if (known === undefined) revisions.set(parent, [parent.header.rev]);
        else known.push(parent.header.rev);
      }
    }
  }

  /** The parent's next revision, which shows the child's. */
  #climbEdge(edge: Edge, parent: Resource, child: Resource, revisions: readonly number[]): void {
    const path = pointer(edge.path);
    const rev = linkRev(child, parent);
    const link = edge.path.reduce<Node | undefined>(
      (node, segment) => (node instanceof Map ? node.get(segment) : undefined),
      parent.document,
    );
    if (link instanceof Map) link.set('_rev', rev);
    const body = this.begin(parent, SYSTEM_USER, parent.header.type);
    this.operations.push({ kind: 'leaf', resource: parent, path: [...edge.path, '_rev'], leaf: rev });
    this.change(parent, {
      type: 'merge',
      body: stamped(nest(edge.path, { _rev: rev }), body),
      nested: revisions.map((at) => ({ path, id: child.id, rev: at })),
    });
  }

  /** The resource and all that a change of it climbs to, each before its parents where there is no circle. */
  #upwards(origin: Resource): Resource[] {
    const parentsOf = (child: Resource): Resource[] =>
      // Taken from the end; in the order found they are then in the order of the links.
      [...child.parents.values()]
        .map((edge) => this.#resources.need(edge.parent))
        .filter((parent) => isTold(parent, child));
    const done: Resource[] = [];
    const seen = new Set([origin]);
    const way = [{ resource: origin, left: parentsOf(origin) }];
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const next = top.left.pop();
      if (next === undefined) {
        done.push(top.resource);
        way.pop();
      } else if (!seen.has(next)) {
        seen.add(next);
        way.push({ resource: next, left: parentsOf(next) });
      }
    }
    return done.reverse();
  }

  /** Tells the watchers; to be called once the write is stored. */
  announce(watches: Watches): void {
    for (const { id, owner, rev } of this.#announcements) {
      watches.notify(id, owner, rev, () => {
        const document = changeDocument(id, rev);
        let step = document.next();
        while (step.done !== true) step = document.next(this.#records.get(recordKey(...step.value)));
        return step.value;
      });
    }
  }
}

/** The body of a change document: what the client sent, from the root of the resource, with the server's part. */
export function stamped(sent: Json, stamp: JsonObject): JsonObject {
  if (!isObject(sent)) return stamp;
  const sentMeta = sent['_meta'];
  const stampMeta = stamp['_meta'];
  if (!isObject(sentMeta) || !isObject(stampMeta)) return { ...sent, ...stamp };
  return { ...sent, ...stamp, _meta: { ...sentMeta, ...stampMeta } };
}

/** Does the parent learn of the child's changes? One user's change is never told through another's resource. */
function isTold({ header: parent }: Resource, { header: child }: Resource): boolean {
  return parent.exists && parent.owner === child.owner;
}

/** The revision that a versioned link shows: the target's, 0 where that does not exist or is another user's. */
function linkRev(child: Resource, parent: Resource): number {
  return child.header.exists && child.header.owner === parent.header.owner ? child.header.rev : 0;
}

function recordKey(id: string, rev: number): string {
  return `${id} ${String(rev)}`;
}
