import type { Json, JsonObject, Node, ObjectNode } from './json.js';

/** Who wrote what is not written by a user: revisions that climb from a child to its parents. */
export const SYSTEM_USER = 'system/rev_graph_update';

/** What is stored of a resource besides its own keys. Times are seconds since 1970, as the reference server has them. */
export interface ResourceHeader {
  /** Last revision ever given out; it goes on from there when a deleted resource is made anew. */
  rev: number;
  exists: boolean;
  type: string;
  owner: string;
  createdBy: string;
  created: number;
  modifiedBy: string;
  modified: number;
  /** Changes up to this revision belong to an earlier owner and are shown to nobody. */
  hiddenUpTo: number;
  /** It holds bytes, not JSON. */
  binary: boolean;
}

/** A versioned link: the parent's revision climbs with that of the resource it points to. */
export interface Edge {
  readonly parent: string;
  readonly path: readonly string[];
}

/** A resource in memory. One that does not exist is kept as well: links may point to it. */
export interface Resource {
  readonly id: string;
  header: ResourceHeader;
  /** Its own keys; those below `_meta` too, but none of those that the header holds. */
  document: ObjectNode;
  /** The versioned links that point to it, by {@link edgeKey}. */
  readonly parents: Map<string, Edge>;
  bytes?: Uint8Array;
  /** Its leaves are stored each by itself: the document was too large once to be stored as a whole with each write. */
  inLeaves: boolean;
  /** Was it needed since memory was last looked through for what can be dropped? */
  recent: boolean;
}

export function absentResource(id: string): Resource {
  return {
    id,
    header: {
      rev: 0,
      exists: false,
      type: '',
      owner: '',
      createdBy: '',
      created: 0,
      modifiedBy: '',
      modified: 0,
      hiddenUpTo: 0,
      binary: false,
    },
    document: new Map(),
    parents: new Map(),
    inLeaves: false,
    recent: true,
  };
}

/** The resource's key: its id without `resources/`, as it stands in ETags. */
function resourceKey(id: string): string {
  return id.slice('resources/'.length);
}

export function etagOf(id: string, rev: number | null): string {
  return `"${resourceKey(id)}/${String(rev)}"`;
}

export function pointer(path: readonly string[]): string {
  return path.map((segment) => '/' + segment.replaceAll('~', '~0').replaceAll('/', '~1')).join('');
}

export function edgeKey(edge: Edge): string {
  return edge.parent + pointer(edge.path);
}

/** What a reader sees at the root besides the resource's own keys, and in place of them: the four that each resource has. */
export function rootKeys({ id, header }: Resource): ObjectNode {
  const meta = new Map<string, Node>([
    ['_id', `${id}/_meta`],
    ['_rev', header.rev],
  ]);
  return new Map<string, Node>([
    ['_id', id],
    ['_rev', header.rev],
    ['_type', header.type],
    ['_meta', meta],
  ]);
}

/** The full `_meta` document. */
export function metaView(resource: Resource): ObjectNode {
  const { id, header } = resource;
  const own = resource.document.get('_meta');
  const view: ObjectNode = new Map(own instanceof Map ? own : undefined);
  view.set('_id', `${id}/_meta`);
  view.set('_rev', header.rev);
  view.set('_type', header.type);
  view.set('_owner', header.owner);
  view.set(
    'stats',
    new Map<string, Node>([
      ['createdBy', header.createdBy],
      ['created', header.created],
    ]),
  );
  view.set('modifiedBy', header.modifiedBy);
  view.set('modified', header.modified);
  view.set(
    '_changes',
    new Map<string, Node>([
      ['_id', `${id}/_meta/_changes`],
      ['_rev', header.rev],
    ]),
  );
  return view;
}

const ROOT_KEYS = ['_id', '_rev', '_type'];
const META_KEYS = ['_id', '_rev', '_type', '_owner', 'stats', 'modifiedBy', 'modified', '_changes'];

/** Is the key at this path kept by the server itself, and so neither merged nor deleted by a client? */
export function isServersOwn(path: readonly string[]): boolean {
  const [first, second] = path;
  if (first === '_meta') return second === undefined || META_KEYS.includes(second);
  return first !== undefined && ROOT_KEYS.includes(first);
}

/** A patch without the keys that the server keeps itself: they are accepted in a body, and ignored. */
export function withoutServersOwn(patch: JsonObject): JsonObject {
  if (!Object.keys(patch).some((key) => isServersOwn([key]))) return patch;
  const own = Object.entries(patch).filter(([key]) => key === '_meta' || !isServersOwn([key]));
  return Object.fromEntries(
    own.flatMap(([key, value]): [string, Json][] => {
      if (key !== '_meta') return [[key, value]];
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
      const meta = Object.entries(value).filter(([name]) => !isServersOwn(['_meta', name]));
      return meta.length > 0 ? [[key, Object.fromEntries(meta)]] : [];
    }),
  );
}
