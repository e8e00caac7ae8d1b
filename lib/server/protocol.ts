import { generate as ksuid } from 'xksuid';

import { changeLogAt, readChangeLog } from './change-log.js';
import { arrayOnTheWay, parseContent, patchOf } from './content.js';
import type { Body as RequestBody, Content } from './content.js';
import { isResourceId, linkTarget, MAX_KEY_LENGTH } from './document.js';
import { Refusal } from './errors.js';
import type { Graph, Written } from './graph.js';
import { MAX_DEPTH } from './json.js';
import type { Json, Node, ObjectNode } from './json.js';
import { contentTypeOf, isAccepted } from './media-type.js';
import { follow, keysOf, parseAddress, placeHeaders, writtenPath } from './place.js';
import type { Address, Place } from './place.js';
import { checkWritePreconditions, isUnchanged } from './preconditions.js';
import { etagOf, isServersOwn, rootKeys } from './resource.js';
import type { User } from './users.js';

export type Method = 'head' | 'get' | 'put' | 'post' | 'delete';

/** The largest body of a request, in bytes; as in the reference server. */
export const MAX_BODY_BYTES: number = 20 * 1024 * 1024;

/** An answer's headers repeat the path up to three times, and clients take 16 KiB of headers at most. */
const MAX_PATH_LENGTH = 4000;
const MAX_TYPE_LENGTH = 1000;

const META_TYPE = 'application/vnd.oada.meta+json';
/**
 * Tells clients, in the answer to a HEAD, that a DELETE of a link over a WebSocket ends no watch here. On the reference
 * server it ends all those on the linked resource, so that a careful client sends it over HTTP.
 */
const DELETE_KEEPS_WATCHES = { 'x-oada-delete-keeps-watches': 'true' };

export interface Request {
  readonly method: Method;
  /** As sent, with nothing decoded. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: RequestBody;
}

/** @typeParam Body what the transport makes of a JSON body */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: Body;
  readonly bytes?: Uint8Array;
  /** The resource that was reached: what a watch that comes with the request is bound to. */
  readonly resource?: string;
  /** That resource's revision when it was reached. */
  readonly rev?: number;
}

/** Answers requests as the reference server does. One for each transport. */
export class Protocol<Body> {
  readonly #graph: Graph;
  readonly #render: (node: Node, over?: ObjectNode) => Body;

  /** @param render is called at once: a node goes on changing */
  constructor(graph: Graph, render: (node: Node, over?: ObjectNode) => Body) {
    this.#graph = graph;
    this.#render = render;
  }

  /** Never rejects: what goes wrong is an answer too. */
  async answer(request: Request, user: User): Promise<Answer<Body>> {
    try {
      switch (request.method) {
        case 'get':
        case 'head':
          return await this.#read(request, user);
        case 'put':
        case 'post':
          return await this.#write(request, user);
        case 'delete':
          return await this.#delete(request, user);
      }
    } catch (error) {
      return this.refuse(error);
    }
  }

  /** The answer to a request that cannot be done. */
  refuse(error: unknown): Answer<Body> {
    const status = error instanceof Refusal ? error.status : 500;
    const message = error instanceof Error ? error.message : String(error);
    return {
      status,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: this.#error(status, message),
    };
  }

  /**
   * The resource that a write at the path would go to; undefined where there is none, or none of the user's. Never
   * rejects: the write itself will say what is wrong.
   */
  async reach(path: string, user: User): Promise<string | undefined> {
    try {
      const address = addressOf(path, user);
      const { resource } = await this.#graph.run(() => follow(this.#graph, address, user.id, 'write'));
      return resource.id;
    } catch {
      return undefined; // as said above
    }
  }

  #error(status: number, message: string): Body {
    const body = new Map<string, Node>([
      ['statusCode', status],
      ['error', STATUS_TEXTS[status] ?? 'Error'],
      ['message', message],
    ]);
    return this.#render(body);
  }

  async #read(request: Request, user: User): Promise<Answer<Body>> {
    const { path } = request;
    if (path === '/users/me' || path === `/${user.id}`) return this.#userDocument(user);
    const address = addressOf(path, user, 404);
    const found = await this.#graph.run(() => {
      const place = follow(this.#graph, address, user.id, 'read');
      const seen = [place.resource.id, ...place.through];
      const log = changeLogAt(place);
      if (log !== undefined) return { seen, log, headers: placeHeaders(place) };
      return { seen, answer: this.#readPlace(place, request) };
    });
    // Nobody is told of what a crash could still undo.
    for (const id of found.seen) await this.#graph.stored(id);
    if (found.answer !== undefined) return found.answer;
    const { log, headers } = found;
    const body = this.#render(await readChangeLog(this.#graph, log));
    const type = { 'content-type': `${META_TYPE}; charset=utf-8` };
    return { status: 200, headers: { ...type, ...headers }, body, resource: log.id, rev: log.rev };
  }

  #readPlace(place: Place, { method, headers }: Request): Answer<Body> {
    const { resource, segments, node } = place;
    const { header } = resource;
    const where = placeHeaders(place);
    if (header.binary && segments.length > 0 && segments[0]?.key !== '_meta')
      throw new Refusal(501, 'Path Leftover on Binary GET');
    if (node === undefined || node === null) {
      return {
        status: 404,
        headers: { ...where, 'content-type': 'application/json; charset=utf-8' },
        body: this.#error(404, 'Not Found'),
        resource: resource.id,
      };
    }
    const inMeta = segments[0]?.key === '_meta';
    const type = inMeta ? META_TYPE : contentTypeOf(header.type);
    const reached = { resource: resource.id, rev: header.rev };
    if (isUnchanged(headers, resource))
      return { status: 304, headers: { ...where, 'content-type': type }, ...reached };
    if (!isAccepted(headers['accept'], inMeta ? META_TYPE : header.type))
      throw new Refusal(406, 'Not Acceptable');
    const found = { status: 200, headers: { 'content-type': type, ...where, vary: 'Accept' }, ...reached };
    if (method === 'head') return { ...found, headers: { ...found.headers, ...DELETE_KEEPS_WATCHES } };
    if (header.binary && !inMeta) return { ...found, bytes: resource.bytes ?? new Uint8Array() };
    return {
      ...found,
      body: segments.length === 0 ? this.#render(node, rootKeys(resource)) : this.#render(node),
    };
  }

  #userDocument(user: User): Answer<Body> {
    const link = (id: string): Node => new Map([['_id', id]]);
    const document = new Map<string, Node>([
      ['_id', user.id],
      ['sub', user.id],
      ['bookmarks', link(user.bookmarks)],
      ['shares', link(user.shares)],
    ]);
    return {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8', 'content-location': `/${user.id}` },
      body: this.#render(document),
    };
  }

  async #write(request: Request, user: User): Promise<Answer<Body>> {
    const { method, headers } = request;
    const path = method === 'post' ? `${request.path.replace(/\/$/, '')}/${ksuid()}` : request.path;
    const address = addressOf(path, user);
    const body = contentOf(request);
    const link = ensuredLink(headers); // named out here: the step below may run again
    const written = await this.#graph.run(() => {
      const place = follow(this.#graph, address, user.id, 'write');
      const content = body();
      checkWritePreconditions(headers, place.resource);
      const done =
        link === undefined ? this.#put(place, content, user) : this.#putLinked(place, content, link, user);
      return { ...done, headers: placeHeaders(place), resource: place.resource.id };
    });
    await written.stored;
    const { rev, resource } = written;
    return { status: 201, headers: written.headers, resource, rev };
  }

  #put(place: Place, content: Content, user: User): Written {
    const { resource, segments } = place;
    checkWritable(place);
    checkType(content.type);
    if ('bytes' in content) {
      if (segments.length > 0) throw new Refusal(400, 'Only JSON can be put at a path inside a resource');
      return this.#graph.putBytes(resource, content.bytes, user.id, content.type);
    }
    const patch = patchOf(place, content.json);
    checkType(patch['_type']);
    return this.#graph.put(resource, patch, user.id, content.type);
  }

  /** `x-oada-ensure-link`: the content becomes a new resource, and a link to it is put at the path. */
  #putLinked(place: Place, content: Content, link: EnsuredLink, user: User): Written {
    checkWritable(place);
    if (place.segments.length === 0) throw new Refusal(422, 'There is a resource at this path already');
    const target = this.#graph.need(link._id);
    const patch = patchOf(place, { ...link });
    this.#graph.needFor(place.resource, patch);
    this.#put(
      { resource: target, segments: [], node: undefined, link: undefined, through: [] },
      content,
      user,
    );
    return this.#graph.put(place.resource, patch, user.id, 'application/json');
  }

  async #delete(request: Request, user: User): Promise<Answer<Body>> {
    const address = addressOf(request.path, user);
    const deleted = await this.#graph.run(() => {
      const place = follow(this.#graph, address, user.id, 'write', true);
      checkWritePreconditions(request.headers, place.resource);
      const { rev, stored } = this.#deletePlace(place, user);
      const { resource, segments, node } = place;
      const target = segments.length > 0 ? linkTarget(node) : undefined;
      const location = target === undefined ? `/${resource.id}${writtenPath(segments)}` : `/${target}`;
      const headers = {
        'content-location': location,
        'x-oada-rev': String(rev),
        'x-oada-path-leftover': target === undefined && resource.header.exists ? writtenPath(segments) : '',
        etag: etagOf(resource.header.exists ? resource.id : location.slice(1), rev),
      };
      return { status: 204, headers, resource: resource.id, rev, stored };
    });
    const { stored, ...answer } = deleted;
    await stored;
    return answer;
  }

  #deletePlace({ resource, segments, node }: Place, user: User): Written {
    const nothing = {
      rev: resource.header.exists ? resource.header.rev : 0,
      stored: this.#graph.stored(resource.id),
    };
    if (!resource.header.exists) return nothing;
    const path = keysOf(segments);
    if (path.length === 0) {
      if (resource.id === user.bookmarks || resource.id === user.shares) {
        throw new Refusal(403, 'A user cannot delete their own bookmarks or shares');
      }
      return this.#graph.destroy(resource);
    }
    if (node === undefined || isServersOwn(path)) return nothing;
    if (arrayOnTheWay(resource.document, path.slice(0, -1)) !== undefined) {
      throw new Refusal(400, 'An element of an array cannot be deleted: put the whole array');
    }
    return this.#graph.delete(resource, path, user.id);
  }
}

/** @param tooLong the status for an id that no resource can have */
function addressOf(path: string, user: User, tooLong = 400): Address {
  const address = parseAddress(path, user);
  if (address === undefined) {
    throw new Refusal(
      404,
      `There is nothing at ${path}: paths start with /bookmarks, /shares or /resources/<id>`,
    );
  }
  const { id, segments } = address;
  if (id === 'resources/')
    throw new Refusal(400, '/resources itself cannot be read or written, only POSTed to');
  if (segments.length > MAX_DEPTH)
    throw new Refusal(400, `The path has more than ${String(MAX_DEPTH)} segments`);
  if (path.length > MAX_PATH_LENGTH) {
    throw new Refusal(414, `The path has more than ${String(MAX_PATH_LENGTH)} characters`);
  }
  if (!isResourceId(id)) {
    throw new Refusal(tooLong, `The id of a resource has at most ${String(MAX_KEY_LENGTH)} characters`);
  }
  return address;
}

/** What is to be written, parsed once and only when it is asked for: who may not write learns nothing of the body. */
function contentOf({ headers, body }: Request): () => Content {
  let content: Content | undefined;
  return () => (content ??= parseContent(headers['content-type'], body));
}

/** A link to a resource that is still to be made. */
interface EnsuredLink {
  readonly _id: string;
  readonly _rev?: number;
}

function ensuredLink(headers: Request['headers']): EnsuredLink | undefined {
  switch (headers['x-oada-ensure-link']) {
    case undefined:
      return undefined;
    case 'versioned':
      return { _id: `resources/${ksuid()}`, _rev: 0 };
    case 'unversioned':
      return { _id: `resources/${ksuid()}` };
    default:
      throw new Refusal(400, 'Unsupported value for X-OADA-Ensure-Link');
  }
}

function checkWritable({ resource, segments, link }: Place): void {
  if (resource.header.exists) return;
  if (segments.length > 0 && link === undefined) {
    throw new Refusal(404, `${resource.id} does not exist, so nothing can be written below it`);
  }
}

/** It stands in a header of each answer. */
function checkType(type: Json | undefined): void {
  if (typeof type !== 'string' || type.length <= MAX_TYPE_LENGTH) return;
  throw new Refusal(400, `The type of a resource has at most ${String(MAX_TYPE_LENGTH)} characters`);
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
  501: 'Not Implemented',
};
