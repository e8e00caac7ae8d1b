import { linkTarget } from './document.js';
import { Refusal } from './errors.js';
import type { Graph } from './graph.js';
import { isObject } from './json.js';
import type { Json, Node } from './json.js';
import { etagOf, metaView } from './resource.js';
import type { Resource } from './resource.js';

/** An address as a client wrote it. Segments are kept as written too: answers repeat them. */
export interface Address {
  readonly id: string;
  readonly segments: readonly Segment[];
}

export interface Segment {
  readonly written: string;
  readonly key: string;
}

/** Where an address leads: to a resource, and a path inside it. */
export interface Place {
  readonly resource: Resource;
  /** The path inside the resource; empty at its root. */
  readonly segments: readonly Segment[];
  /** What is there; undefined where there is nothing. */
  readonly node: Node | undefined;
  /** The resource and the path of the last link on the way. */
  readonly link: { readonly resource: Resource; readonly path: readonly string[] } | undefined;
  /** The ids of the resources that the links on the way stand in. */
  readonly through: readonly string[];
}

/**
 * Takes an address apart. Nothing is percent-decoded, as in the reference server; `~1` stands for a slash.
 *
 * @returns undefined where it is no address of a resource
 */
export function parseAddress(path: string, home: { bookmarks: string; shares: string }): Address | undefined {
  const parts = (path.startsWith('/') ? path.slice(1) : path).replace(/\/$/, '').split('/');
  const first = parts.shift() ?? '';
  const segments = (): Segment[] =>
    parts.map((written) => ({
      written,
      key: written.includes('~') ? written.replaceAll('~1', '/').replaceAll('~0', '~') : written,
    }));
  if (first === 'resources') {
    const id = `resources/${parts.shift() ?? ''}`;
    return { id, segments: segments() };
  }
  const root = first.replace(/\?.*$/, '');
  if (root !== 'bookmarks' && root !== 'shares') return undefined;
  return { id: home[root] + first.slice(root.length), segments: segments() };
}

/**
 * Follows the address from link to link. Only to be called inside `graph.run`.
 *
 * @param stopAtLink do not follow a link at the very end: it is the link itself that is meant
 * @throws {Refusal} 403, a resource on the way is not the user's
 */
export function follow(
  graph: Graph,
  address: Address,
  user: string,
  access: 'read' | 'write',
  stopAtLink = false,
): Place {
  let resource = graph.need(address.id);
  let { segments } = address;
  let link: Place['link'];
  const through: string[] = [];
  for (;;) {
    if (!resource.header.exists) return { resource, segments, node: undefined, link, through };
    if (resource.header.owner !== user) {
      throw new Refusal(403, `User does not have ${access} permission for this resource`);
    }
    const step = walk(resource, segments, stopAtLink);
    if (step.target === undefined) return { resource, segments, node: step.node, link, through };
    through.push(resource.id);
    link = { resource, path: keysOf(segments.slice(0, step.depth)) };
    segments = segments.slice(step.depth);
    resource = graph.need(step.target);
  }
}

/** Goes down inside one resource, up to the first link. */
function walk(
  resource: Resource,
  segments: readonly Segment[],
  stopAtLink: boolean,
): { node: Node | undefined; depth: number; target: string | undefined } {
  let node: Node | undefined = resource.document;
  for (const [depth, { key }] of segments.entries()) {
    if (depth === 0 && key === '_meta') {
      node = metaView(resource);
      continue;
    }
    if (depth === 0 && (key === '_id' || key === '_rev' || key === '_type')) {
      node = { _id: resource.id, _rev: resource.header.rev, _type: resource.header.type }[key];
      continue;
    }
    node = step(node, key);
    const target = linkTarget(node);
    const last = depth + 1 === segments.length;
    if (target !== undefined && !(last && stopAtLink)) {
      return { node, depth: depth + 1, target };
    }
  }
  return { node, depth: segments.length, target: undefined };
}

function step(node: Node | undefined, key: string): Node | undefined {
  if (node instanceof Map) return node.get(key);
  if (!Array.isArray(node) || !/^(0|[1-9]\d*)$/.test(key)) return undefined;
  return fromArray(node[Number(key)]);
}

/** What stands inside an array is plain JSON; it is made a node to go on from it. */
function fromArray(value: Json | undefined): Node | undefined {
  if (value === undefined || !isObject(value)) return value;
  return new Map(Object.entries(value).map(([key, child]) => [key, fromArray(child) ?? null]));
}

export function keysOf(segments: readonly Segment[]): string[] {
  return segments.map(({ key }) => key);
}

/** The path as it was written, with a slash before each segment. */
export function writtenPath(segments: readonly Segment[]): string {
  return segments.map(({ written }) => '/' + written).join('');
}

/** What an answer says of the place. */
export function placeHeaders({ resource, segments, link }: Place): Record<string, string> {
  const { id, header } = resource;
  const rest = writtenPath(segments);
  if (header.exists) {
    return {
      'content-location': `/${id}${rest}`,
      'x-oada-rev': String(header.rev),
      'x-oada-path-leftover': rest,
      etag: etagOf(id, header.rev),
    };
  }
  const dangling = link !== undefined;
  const location = dangling ? id : id + rest;
  const rev = dangling ? 0 : null;
  return {
    'content-location': `/${location}`,
    'x-oada-rev': String(rev),
    'x-oada-path-leftover': '',
    etag: etagOf(location, rev),
  };
}
